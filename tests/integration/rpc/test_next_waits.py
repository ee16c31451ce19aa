"""Next waits for work, over a real connection."""

from __future__ import annotations

import asyncio

import grpc
from google.protobuf.duration_pb2 import Duration
from tests.support.wire import SECOND, Client, Wire, answer, held

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.router.commands.project import PauseProject, ResumeProject
from crowdroute.router.model.rules import LeaseTerms, Overlap, ReviewPlan, Stopping
from crowdroute.router.model.states import Mode, Stage

WAIT = Duration(seconds=20)


def asked(project: str, **fields: object) -> wire_types.NextRequest:
    return wire_types.NextRequest(project_id=project, wait=WAIT, **fields)


async def parked(wire: Wire, count: int) -> None:
    """Wait until so many callers wait for work."""
    streams = [name for name, _ in wire.engine.projects()]
    while sum(wire.waiting.count(name) for name in streams) < count:
        await asyncio.sleep(0)


async def waiting(wire: Wire, project: str, *anns: Client) -> list[asyncio.Task[wire_types.NextResponse]]:
    """Have callers wait for work, in this order."""
    streams = [name for name, _ in wire.engine.projects()]
    calls = []
    for ann in anns:
        before = sum(wire.waiting.count(name) for name in streams)
        calls.append(asyncio.create_task(ann.call("Next", asked(project))))
        await parked(wire, before + 1)
    return calls


async def test_a_waiting_call_gets_a_task_that_opens(wire: Wire) -> None:
    project = await wire.project()
    (call,) = await waiting(wire, project, await wire.annotator())

    await wire.tasks(project)

    assert (await call).offers


async def test_a_freed_task_goes_to_who_came_first(wire: Wire) -> None:
    project = await wire.project(overlap=Overlap(1, 1))
    await wire.tasks(project)
    holder = await wire.annotator()
    offer = (await holder.call("Next", wire_types.NextRequest(project_id=project))).offers[0]
    first, second = await waiting(wire, project, await wire.annotator(), await wire.annotator())

    await holder.call("Release", wire_types.ReleaseRequest(**held(offer)))

    assert (await first).offers
    assert not second.done()
    second.cancel()


async def test_a_freed_task_is_not_lost_on_who_may_not_have_it(wire: Wire) -> None:
    project = await wire.project(overlap=Overlap(1, 1))
    await wire.tasks(project)
    holder = await wire.annotator()
    offer = (await holder.call("Next", wire_types.NextRequest(project_id=project))).offers[0]
    seen, fresh = await waiting(wire, project, holder, await wire.annotator())

    await holder.call("Release", wire_types.ReleaseRequest(**held(offer)))

    assert (await fresh).offers
    assert not seen.done(), "nobody is given the same task twice"
    seen.cancel()


async def test_a_lease_that_runs_out_wakes_a_waiting_call(wire: Wire) -> None:
    project = await wire.project(overlap=Overlap(1, 1), lease=LeaseTerms(duration_us=5 * SECOND))
    await wire.tasks(project)
    await (await wire.annotator()).call("Next", wire_types.NextRequest(project_id=project))
    (call,) = await waiting(wire, project, await wire.annotator())

    await wire.pass_time(6)

    assert (await call).offers


async def test_a_worker_at_capacity_is_woken_by_their_own_answer(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)
    ann = await wire.annotator(capacity=1)
    offer = (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers[0]
    (call,) = await waiting(wire, project, ann)

    await ann.call("Release", wire_types.ReleaseRequest(**held(offer)))

    assert (await call).offers[0].assignment_id != offer.assignment_id


async def test_a_check_that_fails_wakes_the_crowd_it_kept_waiting(wire: Wire) -> None:
    project = await wire.project(
        overlap=Overlap(1, 9), stopping=Stopping(0.6), review=ReviewPlan(Mode.ENFORCE, 1.0, 1.0)
    )
    await wire.tasks(project)
    ann, bob = await wire.annotator(), await wire.annotator()
    sue = await wire.annotator(stages=(Stage.SENIOR,))
    one = wire_types.NextRequest(project_id=project)
    (offer,) = (await ann.call("Next", one)).offers
    await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer("yes")))
    (call,) = await waiting(wire, project, bob)

    (check,) = (await sue.call("Next", one)).offers
    await sue.call("Submit", wire_types.SubmitRequest(**held(check), answers=answer("no")))

    assert len((await call).offers) == 1


async def test_a_resumed_project_wakes_everybody_it_has_work_for(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 2)
    await wire.send(project, PauseProject("a holiday"))
    calls = await waiting(wire, project, await wire.annotator(), await wire.annotator())

    await wire.send(project, ResumeProject())

    assert all([(await call).offers for call in calls])


async def test_an_import_wakes_as_many_as_it_has_work_for(wire: Wire) -> None:
    project = await wire.project(overlap=Overlap(1, 1))
    anns = [await wire.annotator() for _ in range(6)]
    calls = await waiting(wire, project, *anns)

    await wire.tasks(project, 4)

    assert all([(await call).offers for call in calls[:4]])
    assert not any(call.done() for call in calls[4:])
    for call in calls[4:]:
        call.cancel()


async def test_waiting_ends_with_the_reason_when_nothing_comes(wire: Wire) -> None:
    project = await wire.project()
    ann = await wire.annotator()

    message = wire_types.NextRequest(project_id=project, wait=Duration(nanos=50_000_000))
    reply = await ann.call("Next", message)

    assert reply.no_task.reason == "NO_TASK"


async def test_waiting_leaves_time_to_answer_before_the_deadline(wire: Wire) -> None:
    project = await wire.project()
    ann = await wire.annotator()

    reply = await ann.call("Next", asked(project), timeout=0.7)

    assert reply.no_task.reason == "NO_TASK"


async def test_a_caller_who_hangs_up_takes_no_work(wire: Wire) -> None:
    project = await wire.project(overlap=Overlap(1, 1))
    gone, there = await waiting(wire, project, await wire.annotator(), await wire.annotator())

    gone.cancel()
    while wire.waiting.count(next(iter(wire.engine.projects()))[0]) > 1:
        await asyncio.sleep(0)
    await wire.tasks(project)

    assert (await there).offers


async def test_a_retry_of_a_call_that_waited_gets_the_same_offers(wire: Wire) -> None:
    project = await wire.project()
    ann = await wire.annotator()
    message = asked(project, idempotency_key="k")
    call = asyncio.create_task(ann.call("Next", message))
    await parked(wire, 1)
    await wire.tasks(project, 3)

    assert await call == await ann.call("Next", message)


async def test_a_stopping_server_sends_waiting_calls_away(wire: Wire) -> None:
    project = await wire.project()
    ann = await wire.annotator()
    call = asyncio.create_task(ann.refusal("Next", asked(project)))
    await parked(wire, 1)

    await wire.server.stop()

    assert (await call).status is grpc.StatusCode.UNAVAILABLE
