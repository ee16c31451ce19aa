"""The client's work stream: against a real engine, and a script where a break must come at one moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
from tests.integration.client.scripted import Scripted, Talk, scripted
from tests.support.wire import Wire

from crowdroute.api.v1 import assignments_pb2, types_pb2, work_pb2
from crowdroute.client import AsyncClient, Connection, NotConnected, Refused
from crowdroute.client.work import WorkStream
from crowdroute.router.commands.project import CancelTask
from crowdroute.router.rpc.scopes import SESSION_SCOPES

ACCEPTED = assignments_pb2.SubmitResponse(receipt=assignments_pb2.RECEIPT_ACCEPTED)


@contextlib.asynccontextmanager
async def working(wire: Wire, project: str, credits: int = 1) -> AsyncIterator[WorkStream]:
    """Open the stream of a new worker."""
    _, bearer = await wire.token(scopes=SESSION_SCOPES, worker=await wire.worker())
    async with (
        AsyncClient(Connection(f"127.0.0.1:{wire.server.port}", bearer)) as client,
        client.work(project, credits) as stream,
    ):
        yield stream


async def test_offers_follow_each_other_as_they_are_answered(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 4)
    seen = []

    async with working(wire, project) as stream:
        async for offer in stream:
            seen.append(offer.assignment_id)
            receipt = await stream.submit(offer, {"label": "yes"})
            assert receipt.receipt == assignments_pb2.RECEIPT_ACCEPTED
            assert not stream.holds(offer)
            if len(seen) == 4:
                break

    assert len(set(seen)) == 4


async def test_answers_may_be_sent_side_by_side(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 20)

    async with working(wire, project, credits=8) as stream:
        offers = [await anext(stream) for _ in range(8)]
        receipts = await asyncio.gather(*(stream.submit(offer, {"label": "no"}) for offer in offers))

    assert [receipt.receipt for receipt in receipts] == [assignments_pb2.RECEIPT_ACCEPTED] * 8


async def test_a_refused_answer_raises_and_the_offer_is_still_held(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)

    async with working(wire, project) as stream:
        offer = await anext(stream)
        with pytest.raises(Refused) as caught:
            await stream.submit(offer, {"label": "maybe"})
        held = stream.holds(offer)
        await stream.submit(offer, {"label": "yes"})

    assert caught.value.code == "UNKNOWN_LABEL"
    assert caught.value.status is grpc.StatusCode.INVALID_ARGUMENT
    assert held


async def test_credits_change_how_many_offers_are_held(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 5)

    async with working(wire, project) as stream:
        first = await anext(stream)
        await stream.set_credits(3)
        others = [await anext(stream), await anext(stream)]
        await stream.set_credits(0)
        for offer in (first, *others):
            await stream.skip(offer, "enough-for-today")

    (state,) = (state for _, state in wire.engine.projects())
    assert state.workers.live[0] == 0, "no credits, no offers"


async def test_a_lease_that_is_over_is_known_to_be(wire: Wire) -> None:
    project = await wire.project()
    (task,) = await wire.tasks(project)

    async with working(wire, project) as stream:
        held = await anext(stream)
        assert stream.holds(held)
        await wire.send(project, CancelTask(task, "not needed"))
        await wire.tasks(project)
        other = await anext(stream)
        assert not stream.holds(held)
        assert stream.holds(other)


async def test_a_revoked_session_ends_the_stream_with_the_reason(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 2)
    token, bearer = await wire.token(scopes=SESSION_SCOPES, worker=await wire.worker())
    async with (
        AsyncClient(Connection(f"127.0.0.1:{wire.server.port}", bearer)) as client,
        client.work(project) as stream,
    ):
        offer = await anext(stream)
        await wire.revoke(token)
        with pytest.raises(Refused) as submitting:
            await stream.submit(offer, {"label": "yes"})
        with pytest.raises(Refused) as iterating:
            await anext(stream)

    assert submitting.value.status is iterating.value.status is grpc.StatusCode.UNAUTHENTICATED


# Breaks, by a script


@pytest.fixture
async def script() -> AsyncIterator[Scripted]:
    """A server that breaks on command."""
    async with scripted() as served:
        yield served


@contextlib.asynccontextmanager
async def scripted_work(script: Scripted, attempts: int = 4) -> AsyncIterator[WorkStream]:
    connection = Connection(f"127.0.0.1:{script.port}", "token", attempts=attempts)
    async with AsyncClient(connection) as client, client.work("prj_1", 2) as stream:
        yield stream


def offer(name: str) -> assignments_pb2.Offer:
    return assignments_pb2.Offer(project_id="prj_1", assignment_id=name, lease_token="1")


def resumed(*names: str) -> list[assignments_pb2.ResumedOffer]:
    return [assignments_pb2.ResumedOffer(offer=offer(name)) for name in names]


async def test_after_a_break_what_was_not_answered_is_sent_once_more_and_offers_come_once(
    script: Scripted,
) -> None:
    heard: list[work_pb2.WorkRequest] = []

    async def breaks(talk: Talk) -> None:
        hello = await talk.hear()
        assert hello.hello.resume
        await talk.say(offers=[offer("asg_a"), offer("asg_b")])
        answered, lost = await talk.hear(), await talk.hear()
        await talk.say(replies=[work_pb2.WorkReply(sequence=answered.sequence, submit=ACCEPTED)])
        assert lost.skip.assignment_id == "asg_b"
        heard.append(lost)
        await talk.break_off()

    async def resumes(talk: Talk) -> None:
        hello = await talk.hear()
        assert hello.hello == work_pb2.Hello(project_id="prj_1", credits=2, resume=True)
        await talk.say(resumed=resumed("asg_b"))
        again = await talk.hear()
        heard.append(again)
        await talk.say(
            replies=[work_pb2.WorkReply(sequence=again.sequence, skip=assignments_pb2.SkipResponse())],
            offers=[offer("asg_c")],
        )
        heard.append(await talk.hear())
        await talk.say(replies=[work_pb2.WorkReply(sequence=heard[-1].sequence, submit=ACCEPTED)])
        with contextlib.suppress(AssertionError):
            heard.append(await talk.hear())

    script.works = [breaks, resumes]
    async with scripted_work(script) as stream:
        first, second = await anext(stream), await anext(stream)
        await asyncio.gather(stream.submit(first, {"label": "yes"}), stream.skip(second, "blurred"))
        third = await anext(stream)
        await stream.submit(third, {"label": "no"})

    assert third.assignment_id == "asg_c", "the resumed offer was handed on before"
    lost, again, last = heard
    assert again.skip == lost.skip
    assert lost.skip.idempotency_key
    assert last.submit.assignment_id == "asg_c"


def busy(sequence: int) -> work_pb2.WorkReply:
    problem = types_pb2.Problem(
        code="RATE_LIMITED", message="slower", status=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    )
    problem.retry_after.FromMilliseconds(1)
    return work_pb2.WorkReply(sequence=sequence, problem=problem)


async def test_an_answer_that_came_too_fast_is_sent_again(script: Scripted) -> None:
    heard: list[work_pb2.WorkRequest] = []

    async def is_busy_once(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a")])
        heard.append(await talk.hear())
        await talk.say(replies=[busy(heard[0].sequence)])
        heard.append(await talk.hear())
        await talk.say(replies=[work_pb2.WorkReply(sequence=heard[1].sequence, submit=ACCEPTED)])
        await talk.hear()

    script.works = [is_busy_once]
    async with scripted_work(script) as stream:
        assert await stream.submit(await anext(stream), {"label": "yes"}) == ACCEPTED

    assert heard[0].submit == heard[1].submit
    assert heard[0].sequence != heard[1].sequence


async def test_an_answer_that_waits_to_be_sent_again_is_sent_once_by_a_new_stream(script: Scripted) -> None:
    heard: list[work_pb2.WorkRequest] = []

    async def is_busy_and_breaks(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a")])
        await talk.say(replies=[busy((await talk.hear()).sequence)])
        await talk.break_off()

    async def answers(talk: Talk) -> None:
        await talk.hear()
        await talk.say(resumed=resumed("asg_a"))
        heard.append(await talk.hear())
        await talk.say(replies=[work_pb2.WorkReply(sequence=heard[0].sequence, submit=ACCEPTED)])
        with contextlib.suppress(AssertionError):
            heard.append(await talk.hear())

    script.works = [is_busy_and_breaks, answers]
    async with scripted_work(script) as stream:
        assert await stream.submit(await anext(stream), {"label": "yes"}) == ACCEPTED

    assert len(heard) == 1


async def test_an_engine_that_stays_busy_is_told_after_the_attempts(script: Scripted) -> None:
    heard: list[work_pb2.WorkRequest] = []

    async def is_busy(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a")])
        with contextlib.suppress(AssertionError):
            while True:
                heard.append(await talk.hear())
                await talk.say(replies=[busy(heard[-1].sequence)])

    script.works = [is_busy]
    async with scripted_work(script, attempts=3) as stream:
        held = await anext(stream)
        with pytest.raises(Refused) as caught:
            await stream.submit(held, {"label": "yes"})
        assert stream.holds(held)

    assert caught.value.code == "RATE_LIMITED"
    assert len(heard) == 3


async def test_an_offer_whose_lease_ended_while_it_waited_is_not_handed_on(script: Scripted) -> None:
    async def talks(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a"), offer("asg_b")])
        skip = await talk.hear()
        await talk.say(
            replies=[work_pb2.WorkReply(sequence=skip.sequence, skip=assignments_pb2.SkipResponse())],
            revocations=[work_pb2.Revocation(assignment_id="asg_b", reason="TASK_CANCELLED")],
            offers=[offer("asg_c")],
        )
        await talk.hear()

    script.works = [talks]
    async with scripted_work(script) as stream:
        await stream.skip(await anext(stream), "blurred")
        assert (await anext(stream)).assignment_id == "asg_c"


async def test_a_lease_that_was_resumed_after_a_restart_of_the_program_is_offered(script: Scripted) -> None:
    async def talks(talk: Talk) -> None:
        await talk.hear()
        await talk.say(resumed=resumed("asg_a"), offers=[offer("asg_b")])
        await talk.hear()

    script.works = [talks]
    async with scripted_work(script) as stream:
        assert [(await anext(stream)).assignment_id for _ in range(2)] == ["asg_a", "asg_b"]


async def test_an_engine_that_goes_away_is_left_and_the_next_one_found(script: Scripted) -> None:
    async def goes_away(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a")], go_away=work_pb2.GoAway(reason="SHUTTING_DOWN"))

    async def takes_over(talk: Talk) -> None:
        await talk.hear()
        await talk.say(resumed=resumed("asg_a"), offers=[offer("asg_b")])
        await talk.hear()

    script.works = [goes_away, takes_over]
    async with scripted_work(script) as stream:
        assert [(await anext(stream)).assignment_id for _ in range(2)] == ["asg_a", "asg_b"]


async def test_credits_that_were_set_during_a_break_hold_afterwards(script: Scripted) -> None:
    greeted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def breaks(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a")])
        assert (await talk.hear()).credit.credits == 7
        await talk.break_off()

    async def resumes(talk: Talk) -> None:
        greeted.set_result((await talk.hear()).hello.credits)
        await talk.hear()

    script.works = [breaks, resumes]
    async with scripted_work(script) as stream:
        await anext(stream)
        await stream.set_credits(7)
        assert await greeted == 7


async def test_a_stream_that_cannot_be_made_good_fails_whoever_waits(script: Scripted) -> None:
    async def refuses(talk: Talk) -> None:
        await talk.hear()
        await talk.break_off(grpc.StatusCode.PERMISSION_DENIED)

    async def breaks(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a")])
        await talk.hear()
        await talk.break_off()

    script.works = [breaks, refuses]
    async with scripted_work(script) as stream:
        first = await anext(stream)
        with pytest.raises(Refused, match="broken by the test"):
            await stream.submit(first, {"label": "yes"})
        with pytest.raises(Refused):
            await anext(stream)
        with pytest.raises(Refused):
            await stream.submit(first, {"label": "yes"})


async def test_breaks_without_a_word_in_between_are_counted(script: Scripted) -> None:
    tries = 0

    async def breaks(talk: Talk) -> None:
        nonlocal tries
        tries += 1
        await talk.break_off()

    script.works = [breaks] * 10
    async with scripted_work(script, attempts=3) as stream:
        with pytest.raises(NotConnected):
            await anext(stream)

    assert tries == 3


async def test_closing_ends_the_iteration_and_fails_what_waits(script: Scripted) -> None:
    async def holds(talk: Talk) -> None:
        await talk.hear()
        await talk.say(offers=[offer("asg_a")])
        await talk.hear()
        with contextlib.suppress(AssertionError):
            await talk.hear()

    script.works = [holds]
    async with scripted_work(script) as stream:
        first = await anext(stream)
        submitting = asyncio.create_task(stream.submit(first, {"label": "yes"}))
        iterating = asyncio.create_task(anext(stream, None))
        await asyncio.sleep(0)
        await stream.close()

        with pytest.raises(NotConnected, match="STREAM_CLOSED"):
            await submitting
        assert await iterating is None
