"""What always holds holds, too, where a call arrives at one process and its shard is in another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.integration.rpc.test_groups import both, projects, rows, session, state_of
from tests.invariants import defects
from tests.simulation import bugs
from tests.support.groups import PATIENCE, Pair, Running

from crowdroute.api.v1 import projects_pb2, tasks_pb2
from crowdroute.client import Refused
from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.events.batch import Cause
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.bootstrap import bootstrap

__all__ = ["both"]

KEY = "one key"


def keyed(project: str, *names: str) -> tasks_pb2.AddItemsRequest:
    return tasks_pb2.AddItemsRequest(project_id=project, items=rows(*names), idempotency_key=KEY)


async def test_a_retry_at_another_process_gets_the_same_reply_and_happens_once(both: Pair) -> None:
    _, two = await projects(both)
    replies = []
    for running in (both.home, both.away, both.home):
        async with running.client(both.token) as manager:
            replies.append(await manager.operations.AddItems(keyed(two, "x", "y")))
            with pytest.raises(Refused) as reused:
                await manager.operations.AddItems(keyed(two, "z"))
            assert reused.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert replies[0].items[0].task_id
    assert replies[1:] == replies[:1] * 2


async def test_an_answer_that_is_sent_again_at_another_process_counts_once(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:
        await manager.operations.AddItems(keyed(two, "x"))
        bearer = await session(manager)
    async with both.home.client(bearer) as worker:
        (offer,) = await worker.next(two)
        first = await worker.submit(offer, {"label": "cat"})
    async with both.away.client(bearer) as worker:
        assert await worker.submit(offer, {"label": "cat"}) == first
        with pytest.raises(Refused) as other:
            await worker.submit(offer, {"label": "dog"})
        assert other.value.code == "IDEMPOTENCY_KEY_REUSED"
    state = state_of(both.away, two)
    assert sum(state.workers.entries[row] for row in range(state.workers.count)) == 1


async def test_another_tenants_project_in_another_process_is_not_there(
    both: Pair,
) -> None:
    other = both.home.settings.directory / "other"
    other.mkdir()
    file = await bootstrap(both.home.group.engines[0], "other", other)
    assert file is not None
    async with asyncio.timeout(PATIENCE):
        while len([one for one in both.away.group.copies.values() if one.machine.state.tokens]) < 2:
            await asyncio.sleep(0.01)
    one, two = await projects(both)
    nothing = to_text(Kind.PROJECT, both.home.group.engines[0].new_id())
    for running, elsewhere in ((both.home, two), (both.away, one)):
        async with running.client(file.read_text().strip()) as stranger:
            for project in (elsewhere, nothing):
                with pytest.raises(Refused) as refused:
                    await stranger.operations.GetStats(projects_pb2.GetStatsRequest(project_id=project))
                told = (refused.value.code, refused.value.message)
                assert told == ("NOT_FOUND", "the project does not exist")
            listed = await stranger.operations.ListProjects(projects_pb2.ListProjectsRequest())
            assert list(listed.projects) == []


async def test_a_change_that_was_forwarded_says_which_token_asked_for_it_in_which_call(both: Pair) -> None:
    _, two = await projects(both)
    before = causes(both.away)
    async with both.home.client(both.token) as manager:
        await manager.operations.AddItems(keyed(two, "x"))
    (cause,) = {one for one in causes(both.away)[len(before) :] if one.command == "AddTasks"}
    assert cause.principal == f"tok_{both.token.split('_')[1]}"
    assert cause.request


@pytest.mark.parametrize(
    ("plant", "promise"),
    [
        (bugs.ignores_idempotency_keys, test_a_retry_at_another_process_gets_the_same_reply_and_happens_once),
        (bugs.answers_a_retry_otherwise, test_an_answer_that_is_sent_again_at_another_process_counts_once),
        (
            defects.overlooks_whose_a_forwarded_call_is,
            test_another_tenants_project_in_another_process_is_not_there,
        ),
        (
            defects.names_nobody,
            test_a_change_that_was_forwarded_says_which_token_asked_for_it_in_which_call,
        ),
    ],
    ids=lambda value: value.__name__,
)
async def test_a_defect_is_seen(
    plant: bugs.Plant,
    promise: Callable[[Pair], Awaitable[None]],
    both: Pair,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception, Refused)):
        await promise(both)


def causes(running: Running) -> list[Cause]:
    """Why each entry of a group's only log is there."""
    (engine,) = running.group.engines.values()
    batches = [decode_batch(stored.body, stored.sequence) for stored in engine.log.read()]
    return [entry.cause for batch in batches for entry in batch.entries]
