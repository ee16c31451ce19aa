"""Make the golden log: one history, decided by real commands, that holds every kind of event.

Run once per release, from the repository's root: `python -m tests.replay.golden.make_golden
tests/replay/golden/vN.log`. A golden log that was released is never made again: later releases must replay it
as it is.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from tests.replay.golden.facts import facts_of
from tests.support.desk import EXPERT, NO, SENIOR, UNSURE, YES, Desk, make_rules
from tests.support.engine import DAY, MINUTE, ORGANISATION, SECOND
from tests.support.refits import refit_of

from crowdroute.router.commands import organisation as org
from crowdroute.router.commands import project as wishes
from crowdroute.router.events import EVENTS
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import (
    BonusBand,
    BonusPlan,
    GoldPlan,
    LeaseTerms,
    Overlap,
    RefitPlan,
    ReviewPlan,
    Stopping,
)
from crowdroute.router.model.states import Mode, WorkerStatus
from crowdroute.workers.status import StatusReason


class GoldenDesk(Desk):
    """A desk whose history is written out."""

    def verify(self) -> None:
        """Verify at the end only; the history is the same."""


def golden_history() -> GoldenDesk:
    """Play the history."""
    desk = GoldenDesk(
        overlap=Overlap(1, 2),
        stopping=Stopping(0.9, True),
        lease=LeaseTerms(attempts=2),
        gold=GoldPlan(0.0, 0),
        review=ReviewPlan(Mode.ENFORCE, 0.3, 0.0),
        bonuses=(BonusPlan("weekly", (BonusBand(0.05, 1_000_000),), 1, 7 * DAY, Mode.ENFORCE),),
    )
    _people(desk)
    ann, bob = desk.workers(2)
    senior, expert = desk.worker(SENIOR), desk.worker(EXPERT)
    _answers(desk, ann, bob, senior)
    _ends_of_leases(desk, ann, bob)
    _operators(desk, expert)
    _gold_and_bonus(desk)
    _repair_and_erasure(desk)
    _refits(desk)
    _project_in_another_shard(desk)
    desk.shard.check()
    return desk


def _people(desk: Desk) -> None:
    vendor, pool, token = desk.new_id(), desk.new_id(), desk.new_id()
    desk.send_to(ORGANISATION, org.AddVendor(vendor, "acme"))
    desk.send_to(ORGANISATION, org.AddPool(pool, vendor, "munich"))
    worker = desk.worker(vendor=vendor, pool=pool)
    reason = StatusReason.PAUSED_BY_MANAGER.value
    desk.send_to(
        ORGANISATION, org.ChangeWorkerStatus(worker, WorkerStatus.PAUSED, reason, desk.now_us + MINUTE)
    )
    desk.wait(2 * MINUTE)
    desk.send_to(ORGANISATION, org.IssueToken(token, bytes(32), "front-end", ("sessions.create",)))
    desk.send_to(ORGANISATION, org.RevokeToken(token, "rotated"))


def _answers(desk: Desk, ann: Id, bob: Id, senior: Id) -> None:
    """A reviewed answer, one that is amended, one that is withdrawn, drafts and reports, and a result."""
    desk.task()
    lease = desk.take(ann)
    own = (ann, lease.assignment, lease.fence)
    desk.send(wishes.ExtendLease(*own))
    desk.send(wishes.SaveDraft(*own, b"d" * 16))
    desk.send(wishes.ReportProblem(*own, "blurred", b"c" * 16))
    desk.send(wishes.SubmitAnswer(*own, YES, 1200, b"c" * 16, ("unsure",)))
    desk.send(wishes.AmendAnswer(*own, NO))
    desk.send(wishes.WithdrawAnswer(*own, "mistaken"))
    desk.answer(bob)
    desk.answer(senior)


def _ends_of_leases(desk: Desk, ann: Id, bob: Id) -> None:
    """A lease that is skipped, one that is released, one that runs out, one that is revoked; a task that is
    parked."""
    task = desk.task()
    lease = desk.take(ann)
    desk.send(wishes.SkipAssignment(ann, lease.assignment, lease.fence, "not my language", True))
    lease = desk.take(bob)
    desk.send(wishes.ReleaseLease(bob, lease.assignment, lease.fence))
    desk.send(wishes.ReopenTask(task, "looked at"))
    desk.send(wishes.CancelTask(task, "not needed"))
    desk.task()
    desk.take(ann)
    desk.send(wishes.NoteOutage(SECOND))
    desk.wait(20 * MINUTE)
    lease = desk.take(bob)
    desk.send(wishes.RevokeLease(lease.assignment, "by hand"))
    desk.send(wishes.PauseProject("lunch"))
    desk.send(wishes.ResumeProject())


def _operators(desk: Desk, expert: Id) -> None:
    """A task that is escalated, decided by an expert and corrected by an operator; new rules."""
    task = desk.task()
    desk.send(wishes.EscalateTask(task, "hard"))
    desk.answer(expert, UNSURE)
    desk.send(wishes.CorrectResult(task, YES, "client says so"))
    desk.send(
        wishes.ApplyRules(
            make_rules(
                version=2,
                overlap=Overlap(1, 3),
                stopping=Stopping(0.9, True),
                bonuses=(BonusPlan("weekly", (BonusBand(0.05, 1_000_000),), 1, 7 * DAY, Mode.ENFORCE),),
            )
        )
    )
    desk.wait()


def _gold_and_bonus(desk: Desk) -> None:
    """Gold that is answered, and the bonus of the period."""
    careful = desk.worker()
    desk.send(
        wishes.ApplyRules(
            make_rules(
                version=3,
                overlap=Overlap(1, 3),
                gold=GoldPlan(1.0, 5),
                bonuses=(BonusPlan("weekly", (BonusBand(0.05, 1_000_000),), 1, 7 * DAY, Mode.ENFORCE),),
            )
        )
    )
    desk.gold()
    desk.answer(careful)
    desk.wait(8 * DAY)


def _repair_and_erasure(desk: Desk) -> None:
    """A discounted worker whose task re-opens; an erased item and an erased person; balances told."""
    desk.send(wishes.ApplyRules(make_rules(version=4, overlap=Overlap(1, 3), stopping=Stopping(0.6, False))))
    desk.wait()
    careless, last = desk.workers(2)
    row = desk.row()
    desk.add(row)
    for _ in range(4):
        if not desk.send(wishes.RequestNext(careless)).leases:
            break
    for assignment in list(desk.state.assignments_of_worker(desk.state.workers.find(careless))):
        identity = desk.state.assignments.id_of(assignment)
        desk.send(wishes.SubmitAnswer(careless, identity, desk.state.assignments.fence[assignment], YES))
    desk.send(wishes.DiscountWorker(careless, "answers at random"))
    desk.wait(MINUTE)
    while desk.send(wishes.RequestNext(last)).leases:
        pass
    desk.send(wishes.EraseItem(row.item, "asked for"))
    person = desk.shard.organisation("acme").state.workers[last].facts.person
    desk.send_to(ORGANISATION, org.ErasePerson(person, "asked for"))
    desk.wait(2 * MINUTE)


def _refits(desk: Desk) -> None:
    """A refit that somebody asks for, and one that the schedule makes due."""
    desk.send(refit_of(desk.state))
    desk.send(wishes.ApplyRules(make_rules(version=5, overlap=Overlap(1, 3), refit=RefitPlan(DAY, 1))))
    desk.task()
    desk.answer(desk.worker())
    desk.wait(DAY)
    desk.send(refit_of(desk.state))


def _project_in_another_shard(desk: Desk) -> None:
    """A project that lives elsewhere: awaited, and registered once its stream has begun there."""
    project = desk.new_id()
    rules = make_rules(overlap=Overlap(1, 2))
    desk.send_to(ORGANISATION, org.AwaitProject(project, "elsewhere", 1, rules, "key", bytes(16)))
    desk.send_to(ORGANISATION, org.ConfirmProject(project))


def write(desk: Desk) -> str:
    """Give the log as text: the facts it must lead to, then a batch per line."""
    lines = [f"facts {facts_of(desk.folded())}"]
    for stored in desk.batches:
        lines.append(f"{stored.chain.hex()} {base64.b64encode(stored.body).decode()}")
    return "\n".join(lines) + "\n"


def missing_events(desk: Desk) -> set[str]:
    """Name the kinds of event that the history lacks."""
    happened = {type(event) for event in desk.events()}
    return {event.__name__ for event in EVENTS if event not in happened}


if __name__ == "__main__":
    history = golden_history()
    lacking = missing_events(history)
    if lacking:
        sys.exit(f"the history lacks {', '.join(sorted(lacking))}")
    Path(sys.argv[1]).write_text(write(history))
