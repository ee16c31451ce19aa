"""What a caller may do wrong, and what they are told."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from tests.support.wire import SECOND, TENANT, Client, Wire, answer, held, serving

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.api.v1 import types_pb2
from crowdroute.router.commands.organisation import ChangeWorkerStatus
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.rules import LeaseTerms
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.rpc.scopes import SESSION_SCOPES
from crowdroute.router.runtime.settings import LimitSettings
from crowdroute.workers.status import StatusReason

Code = grpc.StatusCode


async def offered(wire: Wire, **rules: object) -> tuple[Client, wire_types.Offer]:
    """Give an annotator with one offer."""
    project = await wire.project(**rules)
    await wire.tasks(project, 2)
    ann = await wire.annotator()
    return ann, (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers[0]


async def test_an_unknown_label_is_refused_and_its_field_named(wire: Wire) -> None:
    ann, offer = await offered(wire)

    refused = await ann.refusal("Submit", wire_types.SubmitRequest(**held(offer), answers=answer("maybe")))

    assert (refused.status, refused.code) == (Code.INVALID_ARGUMENT, "UNKNOWN_LABEL")
    assert refused.fields == ["answers.label"]
    assert "yes, no, unsure" in refused.message
    assert refused.details["request_id"]


async def test_an_unknown_field_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)

    message = wire_types.SubmitRequest(**held(offer), answers={"colour": types_pb2.Value(label="red")})
    refused = await ann.refusal("Submit", message)

    assert (refused.status, refused.code) == (Code.INVALID_ARGUMENT, "UNKNOWN_LABEL")


async def test_an_answer_without_its_field_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)

    refused = await ann.refusal("Submit", wire_types.SubmitRequest(**held(offer)))

    assert refused.status is Code.INVALID_ARGUMENT
    assert "label" in refused.message


@pytest.mark.parametrize(
    "call", ["Submit", "Amend", "Withdraw", "SaveDraft", "Skip", "ReportProblem", "Extend", "Release"]
)
async def test_an_unknown_assignment_is_not_found(wire: Wire, call: str) -> None:
    ann, offer = await offered(wire)
    request = getattr(wire_types, f"{call}Request")
    message = request(project_id=offer.project_id, assignment_id="asg_" + "0" * 32, lease_token="1" * 16)
    if "answers" in message.DESCRIPTOR.fields_by_name:
        message.answers["label"].label = "yes"
    if "reason" in message.DESCRIPTOR.fields_by_name:
        message.reason = "unclear"

    refused = await ann.refusal(call, message)

    assert (refused.status, refused.code) == (Code.NOT_FOUND, "NOT_FOUND")


async def test_somebody_elses_lease_is_refused(wire: Wire) -> None:
    _, offer = await offered(wire)
    thief = await wire.annotator()

    refused = await thief.refusal("Submit", wire_types.SubmitRequest(**held(offer), answers=answer()))

    assert (refused.status, refused.code) == (Code.FAILED_PRECONDITION, "NOT_YOUR_LEASE")


async def test_another_lease_token_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)
    offer.lease_token = "1" * 16

    refused = await ann.refusal("Extend", wire_types.ExtendRequest(**held(offer)))

    assert (refused.status, refused.code) == (Code.FAILED_PRECONDITION, "STALE_LEASE")


async def test_an_expired_lease_cannot_be_used(wire: Wire) -> None:
    ann, offer = await offered(wire, lease=LeaseTerms(duration_us=5 * SECOND))
    await wire.pass_time(6)

    extended = await ann.refusal("Extend", wire_types.ExtendRequest(**held(offer)))
    skipped = await ann.refusal("Skip", wire_types.SkipRequest(**held(offer), reason="late"))

    assert extended.code == skipped.code == "LEASE_ENDED"
    assert extended.status is Code.FAILED_PRECONDITION
    assert extended.details["state"] == "EXPIRED"


async def test_the_same_answer_again_gets_the_same_receipt_and_another_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)
    message = wire_types.SubmitRequest(**held(offer), answers=answer("yes"), comment="hm")

    first = await ann.call("Submit", message)
    again = await ann.call("Submit", message)
    other = await ann.refusal("Submit", wire_types.SubmitRequest(**held(offer), answers=answer("no")))

    assert first == again
    assert (other.status, other.code) == (Code.FAILED_PRECONDITION, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_that_was_used_for_something_else_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)
    skip = wire_types.SkipRequest(**held(offer), reason="unclear", idempotency_key="k")
    assert await ann.call("Skip", skip) == await ann.call("Skip", skip)

    skip.reason = "blurred"
    refused = await ann.refusal("Skip", skip)

    assert (refused.status, refused.code) == (Code.FAILED_PRECONDITION, "IDEMPOTENCY_KEY_REUSED")


async def test_one_callers_key_is_not_anothers(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 2)
    request = wire_types.NextRequest(project_id=project, idempotency_key="k")
    first, second = await wire.annotator(), await wire.annotator()

    offers = [(await ann.call("Next", request)).offers[0].assignment_id for ann in (first, second)]

    assert offers[0] != offers[1]


async def test_a_call_without_a_deadline_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)

    refused = await ann.refusal("Extend", wire_types.ExtendRequest(**held(offer)), timeout=None)

    assert (refused.status, refused.code) == (Code.INVALID_ARGUMENT, "DEADLINE_REQUIRED")


async def test_a_call_with_a_distant_deadline_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)

    refused = await ann.refusal("Extend", wire_types.ExtendRequest(**held(offer)), timeout=600)

    assert refused.code == "DEADLINE_REQUIRED"


async def test_a_message_that_is_too_large_is_refused_and_the_connection_lives_on(wire: Wire) -> None:
    ann, offer = await offered(wire)
    large = wire_types.SaveDraftRequest(**held(offer), draft=b"x" * (300 * 1024))
    huge = wire_types.SaveDraftRequest(**held(offer), draft=b"x" * (5 * 1024 * 1024))

    refusals = [await ann.refusal("SaveDraft", message) for message in (large, huge)]

    assert [refused.status for refused in refusals] == [Code.RESOURCE_EXHAUSTED] * 2
    assert refusals[0].code == "MESSAGE_TOO_LARGE"
    assert await ann.call("Extend", wire_types.ExtendRequest(**held(offer)))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("count", {"count": 101}),
        ("count", {"count": -1}),
        ("wait", {"wait": Duration(seconds=31)}),
        ("locale", {"locale": "not a language"}),
        ("idempotency_key", {"idempotency_key": "k" * 129}),
    ],
)
async def test_a_wrong_request_for_work_names_its_field(
    wire: Wire, field: str, message: dict[str, object]
) -> None:
    project = await wire.project()
    ann = await wire.annotator()

    refused = await ann.refusal("Next", wire_types.NextRequest(project_id=project, **message))

    assert (refused.status, refused.fields) == (Code.INVALID_ARGUMENT, [field])


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("comment", {"comment": "x" * 10_001}),
        ("flags", {"flags": ["x"] * 17}),
        ("flags", {"flags": [""]}),
        ("flags", {"flags": ["x" * 65]}),
        ("active_time", {"active_time": Duration(seconds=-1)}),
        ("assignment_id", {"assignment_id": "wrk_" + "0" * 32}),
        ("lease_token", {"lease_token": "nonsense"}),
    ],
)
async def test_a_wrong_answer_names_its_field(wire: Wire, field: str, message: dict[str, object]) -> None:
    ann, offer = await offered(wire)

    refused = await ann.refusal(
        "Submit", wire_types.SubmitRequest(**{**held(offer), "answers": answer(), **message})
    )

    assert (refused.status, refused.fields) == (Code.INVALID_ARGUMENT, [field])


async def test_a_large_draft_is_refused(wire: Wire) -> None:
    ann, offer = await offered(wire)

    refused = await ann.refusal(
        "SaveDraft", wire_types.SaveDraftRequest(**held(offer), draft=b"x" * (64 * 1024 + 1))
    )

    assert refused.fields == ["draft"]


@pytest.mark.parametrize("project", ["", "cats", "prj_" + "0" * 31, "tsk_" + "0" * 32])
async def test_what_is_no_project_id_is_refused(wire: Wire, project: str) -> None:
    ann = await wire.annotator()

    refused = await ann.refusal("Next", wire_types.NextRequest(project_id=project))

    assert (refused.status, refused.fields) == (Code.INVALID_ARGUMENT, ["project_id"])


@pytest.mark.parametrize(
    "call",
    [
        *("Next", "Resume", "Submit", "Amend", "Withdraw", "SaveDraft", "Skip", "ReportProblem"),
        *("Extend", "Release", "GetGuideline"),
    ],
)
async def test_another_tenants_project_answers_as_one_that_does_not_exist(wire: Wire, call: str) -> None:
    await wire.tenant("other")
    theirs = await wire.project(tenant="other")
    ann = await wire.annotator()
    request = getattr(wire_types, f"{call}Request")

    refusals = []
    for project in (theirs, "prj_" + "1" * 32):
        message = request(project_id=project)
        if "assignment_id" in message.DESCRIPTOR.fields_by_name:
            message.assignment_id, message.lease_token = "asg_" + "1" * 32, "1" * 16
        refusals.append(await ann.refusal(call, message, metadata=(("x-request-id", "same"),)))

    there, nowhere = refusals
    assert there.status is Code.NOT_FOUND
    assert (there.status, there.code, there.message, there.details) == (
        nowhere.status,
        nowhere.code,
        nowhere.message,
        nowhere.details,
    )


async def test_another_projects_assignment_answers_as_one_that_does_not_exist(wire: Wire) -> None:
    ann, offer = await offered(wire)
    offer.project_id = await wire.project("dogs")

    refused = await ann.refusal("Submit", wire_types.SubmitRequest(**held(offer), answers=answer()))

    assert refused.code == "NOT_FOUND"


async def test_a_paused_worker_is_given_no_work_and_told_why(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project)
    worker = await wire.worker()
    _, bearer = await wire.token(scopes=SESSION_SCOPES, worker=worker)
    command = ChangeWorkerStatus(worker, WorkerStatus.PAUSED, StatusReason.PAUSED_BY_MANAGER.value)
    await wire.engine.submit(
        wire.engine.request(organisation_stream(TENANT), command, principal="tok_manager")
    )

    refused = await Client(wire.channel, bearer).refusal("Next", wire_types.NextRequest(project_id=project))

    assert (refused.status, refused.code) == (Code.FAILED_PRECONDITION, "NOT_ELIGIBLE")
    assert refused.details["worker"] == to_text(Kind.WORKER, worker)


async def test_a_worker_at_capacity_gets_a_reason_and_no_error(wire: Wire) -> None:
    project = await wire.project()
    await wire.tasks(project, 3)
    ann = await wire.annotator(capacity=1)
    await ann.call("Next", wire_types.NextRequest(project_id=project))

    reply = await ann.call("Next", wire_types.NextRequest(project_id=project))

    assert reply.no_task.reason == "AT_CAPACITY"


async def test_text_that_is_not_utf8_is_refused(wire: Wire) -> None:
    ann = await wire.annotator()

    refused = await ann.refusal("Next", b"\x0a\x04prj\xff")

    assert (refused.status, refused.code) == (Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


async def test_a_credential_that_is_used_too_often_is_slowed_down() -> None:
    async with serving(LimitSettings(calls_per_second=0.001, burst=3)) as wire:
        project = await wire.project()
        eager, other = await wire.annotator(), await wire.annotator()
        message = wire_types.ResumeRequest(project_id=project)
        for _ in range(3):
            await eager.call("Resume", message)

        refused = await eager.refusal("Resume", message)

        assert (refused.status, refused.code) == (Code.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        assert refused.retry > 0
        assert await other.call("Resume", message) is not None


async def test_the_callers_request_id_is_in_the_log_and_in_the_refusal(wire: Wire) -> None:
    ann, offer = await offered(wire)
    told: list[str] = []
    wire.engine.subscribe(lambda entries: told.extend(entry.cause.request for entry in entries))
    named = (("x-request-id", "request-7"),)

    await ann.call("Extend", wire_types.ExtendRequest(**held(offer)), metadata=named)
    refused = await ann.refusal("Extend", wire_types.ExtendRequest(project_id="x"), metadata=named)

    assert told == ["request-7"]
    assert refused.details["request_id"] == "request-7"
