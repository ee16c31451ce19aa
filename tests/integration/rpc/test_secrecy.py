"""Nothing on the wire tells hidden checks from other work: not its shape, its size, its price or its time."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from tests.support.wire import Client, Wire, answer, held

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.rules import GoldPlan, Overlap
from crowdroute.router.model.states import Purpose

YES = (Choice(0, 0),)


async def both(wire: Wire) -> tuple[Client, wire_types.Offer, wire_types.Offer]:
    """Give one worker a hidden check and an ordinary task at one moment."""
    project = await wire.project(gold=GoldPlan(share=0.0, first=1), overlap=Overlap(2, 3))
    gold = await wire.tasks(project, 1, purpose=Purpose.GOLD, gold=YES)
    await wire.tasks(project, 1)
    ann = await wire.annotator()
    offers = (await ann.call("Next", wire_types.NextRequest(project_id=project, count=2))).offers
    state = next(iter(wire.engine.projects()))[1]
    by_task = {
        state.tasks.id_of(
            state.assignments.task[
                state.assignments.find(bytes.fromhex(offer.assignment_id.removeprefix("asg_")))
            ]
        ): offer
        for offer in offers
    }
    assert len(by_task) == 2
    check = by_task.pop(gold[0])
    return ann, check, by_task.popitem()[1]


def blurred(message: Message) -> Message:
    """Take out what differs between any two offers: the random ids, kept at their length."""
    copy = type(message)()
    copy.CopyFrom(message)
    if isinstance(copy, wire_types.Offer):
        copy.assignment_id = "x" * len(copy.assignment_id)
        copy.lease_token = "x" * len(copy.lease_token)
    return copy


async def test_the_offers_are_alike(wire: Wire) -> None:
    _, check, work = await both(wire)

    assert blurred(check) == blurred(work)
    assert check.deadline == work.deadline
    assert check.pay == work.pay


@pytest.mark.parametrize("label", ["yes", "no"])
async def test_the_receipts_are_alike_whether_right_or_wrong(wire: Wire, label: str) -> None:
    ann, check, work = await both(wire)

    receipts = [
        await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer(label)))
        for offer in (check, work)
    ]

    assert receipts[0] == receipts[1]
    assert receipts[0].receipt == wire_types.RECEIPT_ACCEPTED


async def test_a_changed_answer_tells_nothing(wire: Wire) -> None:
    ann, check, work = await both(wire)
    replies = []
    for offer in (check, work):
        await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer("no")))
        message = wire_types.AmendRequest(**held(offer), answers=answer("yes"))
        replies.append(await ann.call("Amend", message))
        replies.append(await ann.call("Withdraw", wire_types.WithdrawRequest(**held(offer), reason="slip")))

    assert replies[:2] == replies[2:]


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        ("Skip", {"reason": "unclear"}),
        ("Extend", {}),
        ("Release", {}),
        ("SaveDraft", {"draft": b"x"}),
        ("ReportProblem", {"reason": "unclear"}),
    ],
)
async def test_every_other_answer_is_alike(wire: Wire, call: str, fields: dict[str, object]) -> None:
    ann, check, work = await both(wire)
    request = getattr(wire_types, f"{call}Request")

    assert await ann.call(call, request(**held(check), **fields)) == await ann.call(
        call, request(**held(work), **fields)
    )


async def test_refusals_are_alike(wire: Wire) -> None:
    ann, check, work = await both(wire)

    refusals = []
    for offer in (check, work):
        message = wire_types.SubmitRequest(**held(offer), answers=answer("maybe"))
        refused = await ann.refusal("Submit", message, metadata=(("x-request-id", "same"),))
        refusals.append((refused.status, refused.code, refused.message, refused.details))

    assert refusals[0] == refusals[1]


async def test_what_is_resumed_is_alike(wire: Wire) -> None:
    ann, check, work = await both(wire)

    resumed = (await ann.call("Resume", wire_types.ResumeRequest(project_id=check.project_id))).offers

    assert {one.offer.assignment_id for one in resumed} == {check.assignment_id, work.assignment_id}
    assert blurred(resumed[0].offer) == blurred(resumed[1].offer)
