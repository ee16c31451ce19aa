"""Nothing on the wire tells hidden checks from other work, whatever an annotator with many accounts does.

A table: every situation that an offer can come to, times everything that can be done with it. The same is
done to a check and to ordinary work, and what comes back must be the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from tests.support.wire import SECOND, Client, Refused, Wire, answer, held

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.router.commands.organisation import ChangeWorkerStatus
from crowdroute.router.commands.project import CancelTask, DiscountWorker, EscalateTask
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import GoldPlan, LeaseTerms, Overlap, ReviewPlan, Stopping
from crowdroute.router.model.states import Mode, Purpose, Review, Stage, TaskState, WorkerStatus

YES = (Choice(0, 0),)

RULES = {
    "gold": GoldPlan(share=0.5, first=0),
    "overlap": Overlap(1, 2),
    "stopping": Stopping(0.99),
    "lease": LeaseTerms(duration_us=5 * SECOND, attempts=9),
}


def task_behind(wire: Wire, offer: wire_types.Offer) -> int:
    """Give the row of an offer's task, which only the engine knows."""
    ((_, state),) = wire.engine.projects()
    row = state.assignments.find(bytes.fromhex(offer.assignment_id.removeprefix("asg_")))
    return int(state.assignments.task[row])


async def both(
    wire: Wire, rules: dict[str, object] | None = None
) -> tuple[Client, wire_types.Offer, wire_types.Offer]:
    """Give one worker a hidden check and an ordinary task at one moment."""
    project = await wire.project(**(RULES if rules is None else rules))
    await wire.tasks(project, 4, purpose=Purpose.GOLD, gold=YES)
    await wire.tasks(project, 8)
    ann = await wire.annotator()
    offers = (await ann.call("Next", wire_types.NextRequest(project_id=project, count=8))).offers
    ((_, state),) = wire.engine.projects()
    checks = [one for one in offers if state.tasks.known[task_behind(wire, one)] >= 0]
    check, work = checks[0], next(one for one in offers if one not in checks)
    for other in offers:
        if other not in (check, work):
            await ann.call("Release", wire_types.ReleaseRequest(**held(other)))
    return ann, check, work


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


# Everything that can be done with an offer

Do = Callable[[Client, wire_types.Offer], Awaitable[Message]]


def doing(call: str, **fields: object) -> Do:
    """Give what makes one call about an offer."""
    request = getattr(wire_types, f"{call}Request")
    return lambda ann, offer: ann.call(
        call, request(**held(offer), **fields), metadata=(("x-request-id", "same"),)
    )


ACTIONS: dict[str, Do] = {
    "submit what is right": doing("Submit", answers=answer("yes")),
    "submit what is wrong": doing("Submit", answers=answer("no")),
    "submit no label of it": doing("Submit", answers=answer("maybe")),
    "submit nothing": doing("Submit"),
    "amend": doing("Amend", answers=answer("no")),
    "amend back": doing("Amend", answers=answer("yes")),
    "withdraw": doing("Withdraw", reason="slip"),
    "skip": doing("Skip", reason="unclear"),
    "report as broken": doing("Skip", reason="unclear", problem=True),
    "report": doing("ReportProblem", reason="unclear"),
    "release": doing("Release"),
    "extend": doing("Extend"),
    "save": doing("SaveDraft", draft=b"x"),
}


# Every situation that an offer can come to


class Scene(NamedTuple):
    """One worker with a check and ordinary work, and everybody else."""

    wire: Wire
    ann: Client
    offers: tuple[wire_types.Offer, wire_types.Offer]

    @property
    def project(self) -> str:
        return self.offers[0].project_id

    async def submitted(self, label: str = "no") -> None:
        for offer in self.offers:
            await self.ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer(label)))

    async def over(self, seconds: float = 6) -> None:
        """Let time pass in steps too short to be an outage, and what it makes due come about."""
        for _ in range(round(seconds / 6)):
            await self.wire.pass_time(6)
            due_us = self.wire.engine.shard.next_due_us()
            while due_us is not None and due_us <= self.wire.clock.now_us():
                await asyncio.sleep(0)
                due_us = self.wire.engine.shard.next_due_us()
            await self.wire.engine.observe()
            await self.wire.annotator()

    @property
    def ann_id(self) -> Id:
        ((_, state),) = self.wire.engine.projects()
        row = state.assignments.find(bytes.fromhex(self.offers[0].assignment_id.removeprefix("asg_")))
        return state.workers.id_of(state.assignments.worker[row])

    async def others_answer(self, count: int = 3, submit: bool = True, **about: object) -> None:
        """Have others take all there is, and answer it."""
        for _ in range(count):
            other = await self.wire.annotator(**about)
            request = wire_types.NextRequest(project_id=self.project, count=10)
            for offer in (await other.call("Next", request)).offers:
                if submit:
                    message = wire_types.SubmitRequest(**held(offer), answers=answer("no"))
                    await other.call("Submit", message)

    def standing(self) -> TaskState:
        """Give how the ordinary task stands, so that a scene is sure to be what it is called."""
        ((_, state),) = self.wire.engine.projects()
        return TaskState(state.tasks.state[task_behind(self.wire, self.offers[1])])


async def held_still(scene: Scene) -> None:
    """Nothing happened since."""


async def kept_and_decided(scene: Scene) -> None:
    await scene.wire.rules(scene.project, 2, **{**RULES, "stopping": Stopping(0.34)})
    await scene.others_answer()
    assert scene.standing() == TaskState.FINALISED


async def over_and_free(scene: Scene) -> None:
    await scene.over()


async def over_and_taken(scene: Scene) -> None:
    await scene.over()
    await scene.others_answer(submit=False)


async def over_and_decided(scene: Scene) -> None:
    await scene.over()
    await kept_and_decided(scene)


async def over_for_long(scene: Scene) -> None:
    await scene.over(18)


async def over_for_long_and_decided(scene: Scene) -> None:
    await scene.over(18)
    await kept_and_decided(scene)


async def answered(scene: Scene) -> None:
    await scene.submitted()


async def answered_and_decided(scene: Scene) -> None:
    await scene.submitted()
    await kept_and_decided(scene)


async def answered_when_decided(scene: Scene) -> None:
    await kept_and_decided(scene)
    await scene.submitted()


async def answered_late_when_taken(scene: Scene) -> None:
    await over_and_taken(scene)
    await scene.submitted()


async def answered_late_when_decided(scene: Scene) -> None:
    await over_and_decided(scene)
    await scene.submitted()


async def answered_and_checked(scene: Scene) -> None:
    await scene.wire.rules(
        scene.project, 2, **{**RULES, "review": ReviewPlan(Mode.ENFORCE, threshold=1.0, share=1.0)}
    )
    await scene.submitted()
    await scene.others_answer(1, stages=(Stage.SENIOR,))
    ((_, state),) = scene.wire.engine.projects()
    row = state.assignments.find(bytes.fromhex(scene.offers[1].assignment_id.removeprefix("asg_")))
    assert state.assignments.review[row] == Review.PASSED


async def answered_and_with_an_expert(scene: Scene) -> None:
    await scene.submitted()
    ((_, state),) = scene.wire.engine.projects()
    task = state.tasks.id_of(task_behind(scene.wire, scene.offers[1]))
    await scene.wire.send(scene.project, EscalateTask(task, "hard"))


async def answered_long_ago(scene: Scene) -> None:
    await scene.submitted()
    await scene.over()


async def answered_and_withdrawn(scene: Scene) -> None:
    await scene.submitted()
    for offer in scene.offers:
        await scene.ann.call("Withdraw", wire_types.WithdrawRequest(**held(offer), reason="slip"))


async def cancelled(scene: Scene) -> None:
    ((_, state),) = scene.wire.engine.projects()
    for offer in scene.offers:
        task = state.tasks.id_of(task_behind(scene.wire, offer))
        await scene.wire.send(scene.project, CancelTask(task, "not needed"))


async def over_and_cancelled(scene: Scene) -> None:
    await scene.over()
    await cancelled(scene)


async def answered_and_discounted(scene: Scene) -> None:
    await scene.submitted()
    await scene.wire.send(scene.project, DiscountWorker(scene.ann_id, "spam"))


async def answered_when_decided_and_discounted(scene: Scene) -> None:
    await answered_when_decided(scene)
    await scene.wire.send(scene.project, DiscountWorker(scene.ann_id, "spam"))


async def banned(scene: Scene) -> None:
    engine = scene.wire.engine
    command = ChangeWorkerStatus(scene.ann_id, WorkerStatus.BANNED, "misconduct")
    await engine.submit(engine.request(organisation_stream("acme"), command, principal="manager"))


SITUATIONS = (
    held_still,
    kept_and_decided,
    over_and_free,
    over_and_taken,
    over_and_decided,
    over_for_long,
    over_for_long_and_decided,
    answered,
    answered_and_decided,
    answered_when_decided,
    answered_late_when_taken,
    answered_late_when_decided,
    answered_and_checked,
    answered_and_with_an_expert,
    answered_long_ago,
    answered_and_withdrawn,
    cancelled,
    over_and_cancelled,
    answered_and_discounted,
    answered_when_decided_and_discounted,
    banned,
)


async def told(asked: Awaitable[Message], offer: wire_types.Offer) -> str:
    """Give all that a call tells, but for the offer's own id."""
    try:
        reply: object = await asked
    except Refused as refused:
        reply = (
            refused.status,
            refused.code,
            refused.message,
            refused.details,
            refused.fields,
            refused.retry,
        )
    return str(reply).replace(offer.assignment_id, "this")


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
@pytest.mark.parametrize("situation", SITUATIONS, ids=[one.__name__ for one in SITUATIONS])
async def test_whatever_is_done_with_gold_is_answered_as_with_work(
    wire: Wire, situation: Callable[[Scene], Awaitable[None]], action: Do
) -> None:
    ann, check, work = await both(wire)
    await situation(Scene(wire, ann, (check, work)))

    # What was done is told again when it is done again, and what is held is resumed alike.
    for _ in range(2):
        assert await told(action(ann, check), check) == await told(action(ann, work), work)
    request = wire_types.ResumeRequest(project_id=check.project_id)
    resumed = {one.offer.assignment_id: one for one in (await ann.call("Resume", request)).offers}
    assert (check.assignment_id in resumed) == (work.assignment_id in resumed)
    for offer in resumed.values():
        offer.offer.CopyFrom(blurred(offer.offer))
    assert len({one.SerializeToString() for one in resumed.values()}) <= 1


async def test_where_there_is_no_work_there_is_no_gold_either(wire: Wire) -> None:
    project = await wire.project(gold=GoldPlan(share=0.9, first=5), overlap=Overlap(1, 1))
    await wire.tasks(project, 20, purpose=Purpose.GOLD, gold=YES)
    ann = await wire.annotator()

    for _ in range(20):
        assert not (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers
    await wire.tasks(project, 1)
    assert (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers


@pytest.mark.parametrize("number", [0, 1], ids=["gold", "work"])
@pytest.mark.parametrize("call", ["Skip", "Release", "Withdraw", "nothing"])
async def test_what_one_account_gives_back_another_one_is_given_at_once(
    wire: Wire, call: str, number: int
) -> None:
    rules = {**RULES, "overlap": Overlap(1, 1)}
    ann, *offers = await both(wire, rules)
    offer = offers[number]
    project = offer.project_id
    await wire.rules(project, 2, **{**rules, "gold": GoldPlan(share=0.0, first=0)})
    while True:  # until there is no work left, nor anything that was given back
        other = await wire.annotator(capacity=90)
        taken = (await other.call("Next", wire_types.NextRequest(project_id=project, count=90))).offers
        for one in taken:
            message = wire_types.SubmitRequest(**held(one), answers=answer("yes"))
            await other.call("Submit", message)
        if not taken:
            break
    second = await wire.annotator()
    assert not (await second.call("Next", wire_types.NextRequest(project_id=project))).offers
    seen = {task_behind(wire, one) for one in offers}
    if call == "Withdraw":
        await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer("yes")))

    if call == "nothing":
        await wire.pass_time(6)
    else:
        request = getattr(wire_types, f"{call}Request")
        fields = {} if call == "Release" else {"reason": "unclear"}
        await ann.call(call, request(**held(offer), **fields))

    again = wire_types.NextRequest(project_id=project, wait=Duration(seconds=5))
    (given,) = (await second.call("Next", again)).offers
    assert task_behind(wire, given) in (seen if call == "nothing" else {task_behind(wire, offer)})
