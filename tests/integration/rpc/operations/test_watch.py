"""What happens is told as it becomes durable, to those who may know of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import pytest
from tests.support.operations import TENANT, Office, refusal

from crowdroute.api.v1 import explanations_pb2 as wire
from crowdroute.api.v1 import projects_pb2, tokens_pb2, workers_pb2
from crowdroute.client import AsyncClient, NotConnected
from crowdroute.router.adapters.memory import MemoryLog
from crowdroute.router.rpc.operations import watch
from crowdroute.router.runtime.group import Follower

PATIENCE = 10.0
"""Seconds after which a test gives up waiting for what should have come."""


async def watching(client: AsyncClient, **how: object) -> AsyncIterator[wire.WatchedEvent]:
    """Begin to watch, and give what comes once that is sure."""
    events = aiter(client.operations.Watch(wire.WatchRequest(**how)))  # type: ignore[arg-type]
    first = await anext(events)
    assert first.code == "WATCHING"
    return events


async def take(events: AsyncIterator[wire.WatchedEvent], codes: Iterable[str]) -> list[wire.WatchedEvent]:
    """Give the next events, which must have these codes."""
    wanted = list(codes)
    found = [await asyncio.wait_for(anext(events), PATIENCE) for _ in wanted]
    assert [event.code for event in found] == wanted
    return found


async def test_what_happens_in_a_project_is_told_in_order(office: Office) -> None:
    project = await office.project()
    other = await office.project("other")
    worker, ada = await office.session("ada")
    events = await watching(office.admin, project_id=project.id)

    await office.items(other, 1)
    (added,) = await office.items(project, 1)
    assignment = await office.label(ada, project)

    opened, granted, answered, paid = await take(
        events, ["TASK_OPENED", "LEASE_GRANTED", "ANSWER_SUBMITTED", "ENTRY_POSTED"]
    )
    assert (opened.task_id, opened.project_id) == (added.task_id, project.id)
    assert opened.caused_by.startswith("tok_")
    assert opened.details["purpose"] == "PRODUCTION"
    assert granted.worker_id == answered.worker_id == worker
    assert granted.assignment_id == answered.assignment_id == assignment
    assert answered.task_id == added.task_id
    assert answered.text == "An answer came in and was counted."
    assert paid.details["amount"] == "0.02"
    assert opened.sequence < granted.sequence < answered.sequence == paid.sequence
    assert answered.at.seconds == office.clock.now_us() // 1_000_000


async def test_the_whole_organisation_is_told_when_no_project_is_named(office: Office) -> None:
    events = await watching(office.admin)

    await office.project("birds")
    worker, _ = await office.session("ada")
    await office.admin.operations.SetWorkerStatus(
        workers_pb2.SetWorkerStatusRequest(
            worker_id=worker, status=workers_pb2.WORKER_STATUS_BANNED, reason="misconduct"
        )
    )

    *_, changed = await take(
        events,
        [
            "PROJECT_REGISTERED",
            "PROJECT_CREATED",
            "RULES_APPLIED",
            "WORKER_UPSERTED",
            "TOKEN_ISSUED",
            "WORKER_STATUS_CHANGED",
        ],
    )
    assert (changed.worker_id, changed.project_id) == (worker, "")
    assert changed.details == {"status": "BANNED", "reason": "misconduct"}
    assert "is banned now: misconduct" in changed.text


async def test_only_the_codes_that_are_asked_for_are_told(office: Office) -> None:
    project = await office.project()
    events = await watching(office.admin, codes=["TASK_FINALISED"])

    await office.finalised(project, 2)

    first, second = await take(events, ["TASK_FINALISED", "TASK_FINALISED"])
    assert first.details["reason"] == "CONFIDENT"
    assert first.task_id != second.task_id


async def test_nothing_is_told_that_the_caller_may_not_read_elsewhere(office: Office) -> None:
    project = await office.project()
    client = await office.client(["projects.read", "results.read"])
    events = await watching(client)

    await office.finalised(project)
    await office.admin.operations.PauseProject(
        projects_pb2.PauseProjectRequest(project_id=project.id, reason="x")
    )

    await take(events, ["TASK_FINALISED", "PROJECT_PAUSED"])
    unread = client.operations.Watch(wire.WatchRequest(codes=["ANSWER_SUBMITTED"]))
    refused = await asyncio.wait_for(refusal(unread), PATIENCE)
    assert refused.details["scope"] == "tasks.read"


async def test_another_tenant_is_not_told_of(office: Office) -> None:
    other = await office.client(tenant="other")
    events = await watching(other)

    await office.project("ours")
    await office.project("theirs", client=other)

    registered, *_ = await take(events, ["PROJECT_REGISTERED"])
    assert registered.details["name"] == "theirs"


async def test_a_code_that_is_none_is_refused(office: Office) -> None:
    refused = await refusal(office.admin.operations.Watch(wire.WatchRequest(codes=["TASK_DONE"])))

    assert refused.code == "INVALID_ARGUMENT"
    assert "TASK_FINALISED" in refused.message


async def test_nothing_is_told_before_it_is_durable(office: Office) -> None:
    project = await office.project()
    events = await watching(office.admin, project_id=project.id)
    log = office.engine.log
    assert isinstance(log, MemoryLog)
    log.hold()
    pausing = asyncio.create_task(
        office.admin.operations.PauseProject(
            projects_pb2.PauseProjectRequest(project_id=project.id, reason="x")
        )
    )
    while not office.engine.project(TENANT, bytes.fromhex(project.id.removeprefix("prj_"))).state:
        await asyncio.sleep(0)
    telling = asyncio.create_task(anext(events))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not telling.done()
    assert not pausing.done()

    log.release()

    assert (await telling).code == "PROJECT_PAUSED"
    assert (await pausing).state == projects_pb2.PROJECT_STATE_PAUSED


async def test_a_slow_watcher_is_told_how_much_it_missed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_EVENTS", 5)
    project = await office.project()
    events = await watching(office.admin, project_id=project.id, codes=["TASK_OPENED"])

    await office.items(project, 12)
    await office.items(project, 1, prefix="later")

    await take(events, ["TASK_OPENED"] * 5)
    (gap,) = await take(events, ["EVENTS_LEFT_OUT"])
    left_out = int(gap.details["count"])
    assert left_out >= 7
    if left_out == 7:
        await take(events, ["TASK_OPENED"])
    await office.items(project, 1, prefix="last")
    await take(events, ["TASK_OPENED"])


async def test_a_watch_ends_with_its_token(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    ops = office.admin.operations
    issued = await ops.IssueToken(tokens_pb2.IssueTokenRequest(name="n", scopes=["projects.read"]))
    events = await watching(office.holder(issued.bearer))

    await ops.RevokeToken(tokens_pb2.RevokeTokenRequest(token_id=issued.token.id, reason="leaked"))

    refused = await asyncio.wait_for(refusal(events), PATIENCE)
    assert refused.code == "UNAUTHENTICATED"


async def test_a_watch_ends_when_the_engine_does(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    events = await watching(office.admin)

    await office.engine.drain()

    with pytest.raises(NotConnected) as caught:
        await asyncio.wait_for(anext(events), PATIENCE)
    assert caught.value.code == "SHUTTING_DOWN"


async def test_a_watcher_who_goes_away_is_forgotten(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = asyncio.Event()
    group = office.server.gate.group
    assert group is not None
    subscribe = group.subscribe

    def counted(on_durable: Follower) -> Callable[[], None]:
        end = subscribe(on_durable)
        return lambda: (end(), forgotten.set())[0]

    monkeypatch.setattr(group, "subscribe", counted)
    client = await office.client()
    await watching(client)
    assert not forgotten.is_set()

    await client.close()

    await asyncio.wait_for(forgotten.wait(), PATIENCE)
