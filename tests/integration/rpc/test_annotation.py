"""Every call of AnnotationService, over a real connection."""

from __future__ import annotations

import json

import grpc
import jsonschema
import pytest
from google.protobuf.duration_pb2 import Duration
from tests.support.wire import SECOND, Client, Wire, answer, held

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.api.v1 import types_pb2
from crowdroute.router.model import content
from crowdroute.router.model.rules import LeaseTerms, Overlap
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime.settings import Settings


async def test_an_offer_holds_what_an_annotator_needs(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    ann = await wire.annotator()

    reply = await ann.call("Next", wire_types.NextRequest(project_id=project, locale="en"))

    (offer,) = reply.offers
    assert offer.project_id == project
    assert offer.assignment_id.startswith("asg_")
    assert offer.lease_token
    assert [(part.id, part.mime_type, part.text, part.language) for part in offer.content] == [
        ("text", "text/plain", "Is it?", "en")
    ]
    assert offer.pay == types_pb2.Money(currency="USD", amount="0.02")
    assert offer.stage == types_pb2.STAGE_CROWD
    assert offer.guideline.version == 1
    assert offer.guideline.url == ""
    assert offer.deadline.seconds * SECOND == wire.clock.now_us() // SECOND * SECOND + 600 * SECOND
    jsonschema.validate({"label": "yes"}, json.loads(offer.answer_schema))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"label": "maybe"}, json.loads(offer.answer_schema))


async def test_an_answer_is_accepted_and_paid(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    ann = await wire.annotator()
    offer = (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers[0]

    reply = await ann.call(
        "Submit",
        wire_types.SubmitRequest(
            **held(offer),
            answers=answer(),
            comment="clearly a cat",
            flags=["sure"],
            active_time=Duration(seconds=3),
        ),
    )

    assert reply == wire_types.SubmitResponse(
        receipt=wire_types.RECEIPT_ACCEPTED, pay=types_pb2.Money(currency="USD", amount="0.02")
    )
    assignment = bytes.fromhex(offer.assignment_id.removeprefix("asg_"))
    assert wire.disk.contents[content.comment(assignment)] == b"clearly a cat"


async def test_a_retried_next_gets_the_same_offers(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 5)
    ann = await wire.annotator()
    request = wire_types.NextRequest(project_id=project, count=2, idempotency_key="k")

    assert await ann.call("Next", request) == await ann.call("Next", request)


async def test_there_is_a_reason_when_there_is_no_task(wire: Wire) -> None:
    project = await wire.project()
    ann = await wire.annotator()

    reply = await ann.call("Next", wire_types.NextRequest(project_id=project))

    assert not reply.offers
    assert reply.no_task.reason == "NO_TASK"
    assert reply.no_task.retry_after.seconds > 0


async def test_resume_gives_live_leases_with_their_drafts(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)
    ann = await wire.annotator()
    offers = (await ann.call("Next", wire_types.NextRequest(project_id=project, count=3))).offers
    await ann.call("SaveDraft", wire_types.SaveDraftRequest(**held(offers[1]), draft=b"half"))
    await ann.call("Submit", wire_types.SubmitRequest(**held(offers[0]), answers=answer()))

    resumed = (await ann.call("Resume", wire_types.ResumeRequest(project_id=project))).offers

    assert [one.offer for one in resumed] == [offers[1], offers[2]]
    assert [one.draft for one in resumed] == [b"half", b""]


async def test_a_worker_who_was_never_here_resumes_nothing(wire: Wire) -> None:
    project = await wire.project()
    ann = await wire.annotator()

    assert not (await ann.call("Resume", wire_types.ResumeRequest(project_id=project))).offers


async def test_an_answer_can_be_changed_and_taken_back(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    ann = await wire.annotator()
    offer = (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers[0]
    await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer("yes")))

    amended = await ann.call("Amend", wire_types.AmendRequest(**held(offer), answers=answer("no")))
    await ann.call("Withdraw", wire_types.WithdrawRequest(**held(offer), reason="slip"))

    assert amended.receipt == wire_types.RECEIPT_ACCEPTED
    assert amended.pay.amount == "0.02"
    refused = await ann.refusal("Amend", wire_types.AmendRequest(**held(offer), answers=answer("no")))
    assert refused.code == "WRONG_STATE"


async def test_a_skipped_task_goes_to_somebody_else(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    first, second = await wire.annotator(), await wire.annotator()
    offer = (await first.call("Next", wire_types.NextRequest(project_id=project))).offers[0]

    await first.call("Skip", wire_types.SkipRequest(**held(offer), reason="unclear", problem=True))

    assert (await first.call("Next", wire_types.NextRequest(project_id=project))).no_task.reason == "NO_TASK"
    assert (await second.call("Next", wire_types.NextRequest(project_id=project))).offers


async def test_a_reported_problem_leaves_the_lease(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    ann = await wire.annotator()
    offer = (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers[0]

    await ann.call("ReportProblem", wire_types.ReportProblemRequest(**held(offer), reason="no-picture"))

    reply = await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer()))
    assert reply.receipt == wire_types.RECEIPT_ACCEPTED


async def test_an_extended_lease_ends_later(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    ann = await wire.annotator()
    offer = (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers[0]
    await wire.pass_time(6)

    reply = await ann.call("Extend", wire_types.ExtendRequest(**held(offer)))

    assert reply.deadline.seconds == offer.deadline.seconds + 6


async def test_a_released_task_is_free_again(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    first, second = await wire.annotator(), await wire.annotator()
    offer = (await first.call("Next", wire_types.NextRequest(project_id=project))).offers[0]

    await first.call("Release", wire_types.ReleaseRequest(**held(offer)))

    assert (await second.call("Next", wire_types.NextRequest(project_id=project))).offers


async def test_the_guideline_can_be_read_in_full(wire: Wire) -> None:
    project = await wire.project()
    elsewhere = await wire.project("dogs", guideline="https://example.org/guide")
    ann = await wire.annotator()

    here = await ann.call("GetGuideline", wire_types.GetGuidelineRequest(project_id=project))
    there = await ann.call("GetGuideline", wire_types.GetGuidelineRequest(project_id=elsewhere))

    assert (here.text, here.guideline.url) == ("Say whether it is.", "")
    assert (there.text, there.guideline.url) == ("", "https://example.org/guide")


async def test_a_late_answer_is_accepted_and_paid_although_its_slot_is_taken(wire: Wire) -> None:
    project = await wire.project(overlap=Overlap(1, 1), lease=LeaseTerms(duration_us=5 * SECOND))
    await wire.tasks(project)
    slow, quick = await wire.annotator(), await wire.annotator()
    late = (await slow.call("Next", wire_types.NextRequest(project_id=project))).offers[0]
    await wire.pass_time(6)
    request = wire_types.NextRequest(project_id=project, wait=Duration(seconds=10))
    offer = (await quick.call("Next", request)).offers[0]

    reply = await slow.call("Submit", wire_types.SubmitRequest(**held(late), answers=answer()))

    assert (reply.receipt, reply.reason) == (wire_types.RECEIPT_ACCEPTED, "")
    assert reply.pay == late.pay
    assert offer.assignment_id != late.assignment_id


async def test_calls_are_sent_away_before_the_engine_serves() -> None:
    server = Server(Settings(address="127.0.0.1:0", grace_seconds=0))
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        refused = await Client(channel, "x").refusal("Next", wire_types.NextRequest())
    await server.stop()

    assert refused.status is grpc.StatusCode.UNAVAILABLE
    assert refused.retry > 0
