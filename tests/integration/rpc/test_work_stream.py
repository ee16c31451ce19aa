"""The work stream, over a real connection."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from tests.support.wire import SECOND, Refused, Wire, answer, held, serving

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.api.v1 import work_pb2
from crowdroute.router.commands.project import CancelTask, PauseProject, ResumeProject
from crowdroute.router.model.rules import LeaseTerms
from crowdroute.router.rpc.scopes import SESSION_SCOPES


async def test_offers_are_topped_up_to_the_credits(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 5)
    work = (await wire.annotator()).work()

    await work.send(hello=work_pb2.Hello(project_id=project, credits=2))
    first, second = await work.offer(), await work.offer()
    sequence = await work.send(submit=wire_types.SubmitRequest(**held(first), answers=answer()))
    reply = await work.reply(sequence)
    third = await work.offer()

    assert reply.submit.receipt == wire_types.RECEIPT_ACCEPTED
    assert len({first.assignment_id, second.assignment_id, third.assignment_id}) == 3
    assert work.messages == 2, "the receipt and the next offer come in one message"


async def test_the_stream_does_whatever_the_calls_do(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 6)
    work = (await wire.annotator()).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))

    async def act(**action: object) -> work_pb2.WorkReply:
        return await work.reply(await work.send(**action))  # type: ignore[arg-type]

    offer = await work.offer()
    assert (await act(save_draft=wire_types.SaveDraftRequest(**held(offer), draft=b"x"))).HasField(
        "save_draft"
    )
    problem = wire_types.ReportProblemRequest(**held(offer), reason="blurred")
    assert (await act(report_problem=problem)).HasField("report_problem")
    assert (await act(extend=wire_types.ExtendRequest(**held(offer)))).extend.deadline.seconds
    assert (await act(skip=wire_types.SkipRequest(**held(offer), reason="blurred"))).HasField("skip")
    offer = await work.offer()
    assert (await act(release=wire_types.ReleaseRequest(**held(offer)))).HasField("release")
    offer = await work.offer()
    assert (await act(submit=wire_types.SubmitRequest(**held(offer), answers=answer()))).HasField("submit")
    assert (await act(amend=wire_types.AmendRequest(**held(offer), answers=answer("no")))).HasField("amend")
    withdrawal = wire_types.WithdrawRequest(**held(offer), reason="slip")
    assert (await act(withdraw=withdrawal)).HasField("withdraw")


async def test_a_refused_action_is_a_reply_and_the_stream_goes_on(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 2)
    work = (await wire.annotator()).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    offer = await work.offer()

    bad = await work.send(submit=wire_types.SubmitRequest(**held(offer), answers=answer("maybe")))
    good = await work.send(submit=wire_types.SubmitRequest(**held(offer), answers=answer("yes")))

    refused = (await work.reply(bad)).problem
    assert refused.code == "UNKNOWN_LABEL"
    assert refused.status == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert (await work.reply(good)).HasField("submit")


async def test_replies_come_in_the_order_of_the_actions(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 30)
    work = (await wire.annotator(capacity=20)).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=10))
    offers = [await work.offer() for _ in range(10)]

    sequences = [
        await work.send(submit=wire_types.SubmitRequest(**held(offer), answers=answer())) for offer in offers
    ]
    await work.until(lambda: len(work.replies) == 10)

    assert list(work.replies) == sequences


async def test_work_that_opens_later_is_offered_by_itself(wire: Wire) -> None:
    project = await wire.project()
    work = (await wire.annotator()).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    await work.until(lambda: work.idle)

    await wire.tasks(project)

    assert work.idle == ["NO_TASK"]
    assert await work.offer()


async def test_no_credits_mean_no_offers(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)
    ann = await wire.annotator()
    work = ann.work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    offer = await work.offer()

    await work.send(credit=work_pb2.Credit(credits=0))
    await work.reply(await work.send(submit=wire_types.SubmitRequest(**held(offer), answers=answer())))

    assert not work.offers
    assert not (await ann.call("Resume", wire_types.ResumeRequest(project_id=project))).offers


async def test_an_expired_lease_is_told_and_replaced(wire: Wire) -> None:
    project = await wire.project(lease=LeaseTerms(duration_us=5 * SECOND))
    await wire.tasks(project, 2)
    work = (await wire.annotator()).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    first = await work.offer()

    await wire.pass_time(6)
    second = await work.offer()

    assert [(one.assignment_id, one.reason) for one in work.revocations] == [
        (first.assignment_id, "LEASE_EXPIRED")
    ]
    assert second.assignment_id != first.assignment_id


async def test_a_cancelled_task_is_told(wire: Wire) -> None:
    project = await wire.project()
    (task,) = await wire.tasks(project)
    work = (await wire.annotator()).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    offer = await work.offer()

    await wire.send(project, CancelTask(task, "not needed"))
    await work.until(lambda: work.revocations)

    assert [(one.assignment_id, one.reason) for one in work.revocations] == [
        (offer.assignment_id, "TASK_CANCELLED")
    ]


async def test_an_answer_by_another_way_makes_room_on_the_stream(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 2)
    ann = await wire.annotator()
    work = ann.work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    offer = await work.offer()

    await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer()))

    assert await work.offer()
    assert not work.revocations


async def test_a_new_stream_gets_the_held_offers_again(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)
    ann = await wire.annotator()
    broken = ann.work()
    await broken.send(hello=work_pb2.Hello(project_id=project, credits=2))
    offers = [await broken.offer(), await broken.offer()]
    draft = wire_types.SaveDraftRequest(**held(offers[0]), draft=b"half")
    await broken.reply(await broken.send(save_draft=draft))
    broken.stream.cancel()

    work = ann.work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=2, resume=True))
    await work.until(lambda: work.resumed)

    assert [one.offer for one in work.resumed] == offers
    assert [one.draft for one in work.resumed] == [b"half", b""]
    assert not work.offers, "what is held counts against the credits"


async def test_two_streams_of_one_worker_do_not_count_one_lease_twice(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)
    ann = await wire.annotator()
    first, second = ann.work(), ann.work()
    await first.send(hello=work_pb2.Hello(project_id=project, credits=1))
    offer = await first.offer()
    await second.send(hello=work_pb2.Hello(project_id=project, credits=1, resume=True))
    await second.until(lambda: second.resumed)

    await second.reply(await second.send(submit=wire_types.SubmitRequest(**held(offer), answers=answer())))
    await first.send(credit=work_pb2.Credit(credits=1))

    assert await second.offer()
    assert await first.offer()


async def test_a_closed_stream_answers_what_was_sent_and_keeps_the_leases(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)
    ann = await wire.annotator()
    work = ann.work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=2))
    first, second = await work.offer(), await work.offer()

    sequence = await work.send(submit=wire_types.SubmitRequest(**held(first), answers=answer()))
    await work.send(credit=work_pb2.Credit(credits=0))
    await work.stream.done_writing()
    while await work.hear():
        pass

    assert work.replies[sequence].HasField("submit")
    resumed = (await ann.call("Resume", wire_types.ResumeRequest(project_id=project))).offers
    assert second.assignment_id in [one.offer.assignment_id for one in resumed]
    assert wire.waiting.count(next(iter(wire.engine.projects()))[0]) == 0


async def test_a_paused_project_offers_nothing_until_it_is_resumed(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 2)
    await wire.send(project, PauseProject("a holiday"))
    work = (await wire.annotator()).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    await work.until(lambda: work.idle)

    await wire.send(project, ResumeProject())

    assert work.idle == ["PROJECT_PAUSED"]
    assert await work.offer()


async def test_a_stopping_server_says_goodbye_and_the_leases_stand() -> None:
    async with serving(grace_seconds=30.0) as wire:  # for as long as the stream takes to end
        project = await wire.project()
        await wire.tasks(project, 2)
        work = (await wire.annotator()).work()
        await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
        await work.offer()

        stopping = asyncio.create_task(wire.server.stop())
        while await work.hear():
            pass
        await stopping

        assert work.going == "SHUTTING_DOWN"
        assert next(iter(wire.engine.projects()))[1].workers.live[0] == 1


async def test_a_revoked_session_ends_its_stream(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 2)
    worker = await wire.worker()
    token, bearer = await wire.token(scopes=SESSION_SCOPES, worker=worker)
    from tests.support.wire import Client

    work = Client(wire.channel, bearer).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    offer = await work.offer()

    await wire.revoke(token)
    await work.send(submit=wire_types.SubmitRequest(**held(offer), answers=answer()))
    while await work.hear():
        pass

    assert work.going == "SESSION_ENDED"
    assert not work.replies, "nothing is done for a session that ended"


@pytest.mark.parametrize(
    "action",
    [
        {"credit": work_pb2.Credit(credits=1)},
        {"hello": work_pb2.Hello(project_id="prj_" + "0" * 32, credits=101)},
        {"hello": work_pb2.Hello(project_id="nonsense", credits=1)},
    ],
)
async def test_a_stream_that_begins_wrongly_is_refused(wire: Wire, action: dict[str, object]) -> None:
    work = (await wire.annotator()).work()
    await work.send(**action)  # type: ignore[arg-type]

    with pytest.raises(Refused) as refused:
        await work.hear()

    assert refused.value.status in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)


async def test_a_second_hello_ends_the_stream(wire: Wire) -> None:
    project = await wire.project()
    work = (await wire.annotator()).work()
    hello = work_pb2.Hello(project_id=project)
    await work.send(hello=hello)
    await work.send(hello=hello)

    async def hear_to_the_end() -> None:
        while await work.hear():
            pass

    with pytest.raises(Refused) as refused:
        await hear_to_the_end()

    assert refused.value.status is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_action_in_another_project_is_refused(wire: Wire) -> None:
    project, other = await wire.project(), await wire.project("dogs")
    await wire.tasks(project)
    work = (await wire.annotator()).work()
    await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
    offer = await work.offer()
    offer.project_id = other

    reply = await work.reply(await work.send(release=wire_types.ReleaseRequest(**held(offer))))

    assert reply.problem.code == "INVALID_ARGUMENT"
