"""Who is given what, for how long, and how leases end."""

from __future__ import annotations

import pytest
from tests.support.desk import EXPERT, NO, SENIOR, YES, Desk
from tests.support.engine import HOUR, MINUTE, SECOND

from crowdroute.router.commands.project import (
    ExtendLease,
    NoteOutage,
    PauseProject,
    ReleaseLease,
    ReportProblem,
    RequestNext,
    ResumeProject,
    RevokeLease,
    SaveDraft,
    SkipAssignment,
)
from crowdroute.router.errors import InvalidCommand, LeaseEnded, NotEligible, NotFound, WrongState
from crowdroute.router.events.project import (
    AssignmentSkipped,
    LeaseExpired,
    LeaseGranted,
    ProblemReported,
)
from crowdroute.router.model.facts import Requirement, SkillFact, SkillNeed
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.rules import GoldPlan, LeaseTerms, Overlap, Routing, Stopping
from crowdroute.router.model.states import AssignmentState, Stage
from crowdroute.router.policy.buckets import MOST_TOUCHED


def test_a_grant_records_what_chose_it_and_on_which_terms() -> None:
    desk = Desk()
    task = desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    (granted,) = desk.events(LeaseGranted)
    assert (granted.task, granted.worker, granted.stage) == (task, ann, Stage.CROWD)
    assert (granted.policy, granted.price_micros, granted.rules_version) == ("fifo", 20_000, 1)
    assert granted.deadline_us == desk.now_us + 600 * SECOND == lease.deadline_us


def test_nobody_is_given_a_task_twice_whatever_became_of_the_lease() -> None:
    desk = Desk(lease=LeaseTerms(attempts=9))
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.send(ReleaseLease(ann, lease.assignment, lease.fence))
    assert desk.send(RequestNext(ann)).reason == "NO_TASK"


def test_two_workers_of_one_person_are_never_given_the_same_task() -> None:
    desk = Desk()
    desk.task()
    person = desk.new_id()
    ann, same = desk.worker(person=person), desk.worker(person=person)
    desk.take(ann)
    assert desk.send(RequestNext(same)).reason == "NO_TASK"


def test_no_more_leases_are_given_than_slots_are_planned() -> None:
    desk = Desk(overlap=Overlap(1, 2))
    desk.task()
    ann, bob, cid = desk.workers(3)
    desk.take(ann)
    desk.take(bob)
    assert desk.send(RequestNext(cid)).reason == "NO_TASK"


def test_a_worker_holds_no_more_leases_than_the_rules_or_their_own_capacity_allow() -> None:
    desk = Desk(lease=LeaseTerms(per_worker=2))
    for _ in range(5):
        desk.task()
    ann, bob = desk.worker(), desk.worker(capacity=1)
    assert len(desk.send(RequestNext(ann, 5)).leases) == 2
    assert desk.send(RequestNext(ann)).reason == "AT_CAPACITY"
    assert len(desk.send(RequestNext(bob, 5)).leases) == 1


@pytest.mark.parametrize("count", [0, 101, -1])
def test_a_request_asks_for_one_to_a_hundred_leases(count: int) -> None:
    desk = Desk()
    ann = desk.worker()
    desk.send(RequestNext(ann))
    desk.refuses(RequestNext(ann, count), InvalidCommand)


def test_a_paused_project_gives_nothing_and_takes_answers_all_the_same() -> None:
    desk = Desk()
    desk.task()
    ann, bob = desk.workers(2)
    lease = desk.take(ann)
    desk.send(PauseProject("lunch"))
    assert desk.send(RequestNext(bob)).reason == "PROJECT_PAUSED"
    desk.submit(ann, lease)
    desk.send(ResumeProject())
    desk.take(bob)


def test_an_unknown_or_banned_worker_is_given_nothing() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    desk.take(ann)
    desk.ban(ann)
    desk.refuses(RequestNext(ann), NotEligible)
    desk.refuses(RequestNext(desk.new_id()), NotFound)


def test_a_ban_takes_live_leases_away() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.ban(ann)
    assert desk.state.assignments.state[desk.row_of(lease)] == AssignmentState.REVOKED


def test_only_workers_with_the_skill_are_given_a_task_that_needs_it() -> None:
    desk = Desk()
    desk.task(requirement=Requirement((SkillNeed("german", 0.5),)))
    ann = desk.worker()
    bob = desk.worker(skills=(SkillFact("german", 0.9),))
    assert desk.send(RequestNext(ann)).reason == "NO_TASK"
    desk.take(bob)


def test_allow_and_deny_lists_decide_who_may() -> None:
    desk = Desk()
    ann, bob, cid = desk.workers(3)
    desk.task(allow=(ann,))
    assert desk.send(RequestNext(bob)).reason == "NO_TASK"
    desk.take(ann)
    desk.task(deny=(cid,))
    assert desk.send(RequestNext(cid)).reason == "NO_TASK"
    desk.take(bob)


def test_a_higher_priority_goes_first() -> None:
    desk = Desk()
    desk.task()
    urgent = desk.task(priority=3)
    desk.take(desk.worker())
    assert desk.events(LeaseGranted)[-1].task == urgent


def test_the_rules_least_priority_lifts_new_tasks_only() -> None:
    desk = Desk()
    old = desk.task()
    desk.change_rules(routing=desk.state.rules.routing.__class__("fifo", priority=2))
    new = desk.task()
    assert desk.tasks.priority[desk.task_row(old)] == 0
    assert desk.tasks.priority[desk.task_row(new)] == 2


def test_a_heartbeat_renews_a_lease_as_often_as_the_rules_allow() -> None:
    desk = Desk(lease=LeaseTerms(extensions=1))
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    own = (ann, lease.assignment, lease.fence)
    desk.wait(9 * MINUTE)
    assert desk.send(ExtendLease(*own)).deadline_us == desk.now_us + 10 * MINUTE
    desk.refuses(ExtendLease(*own), WrongState)
    desk.wait(9 * MINUTE)
    assert not desk.events(LeaseExpired)
    desk.wait(2 * MINUTE)
    assert desk.events(LeaseExpired)
    desk.refuses(ExtendLease(*own), LeaseEnded)


def test_a_lease_that_runs_out_gives_the_task_to_somebody_else() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0))
    desk.task()
    ann, bob = desk.workers(2)
    desk.take(ann)
    assert desk.send(RequestNext(bob)).reason == "NO_TASK"
    desk.wait(10 * MINUTE)
    desk.take(bob)


def test_an_outage_is_not_taken_from_anybodys_time() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    desk.take(ann)
    desk.send(NoteOutage(5 * MINUTE))
    desk.wait(14 * MINUTE)
    assert not desk.events(LeaseExpired)
    desk.wait(1 * MINUTE)
    assert desk.events(LeaseExpired)
    desk.refuses(NoteOutage(0), InvalidCommand)


def test_a_skip_needs_a_reason_and_keeps_it() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.refuses(SkipAssignment(ann, lease.assignment, lease.fence, " "), InvalidCommand)
    desk.send(SkipAssignment(ann, lease.assignment, lease.fence, "no image", True, b"c" * 16))
    (skipped,) = desk.events(AssignmentSkipped)
    assert (skipped.reason, skipped.problem) == ("no image", True)


def test_a_reported_problem_and_a_draft_leave_the_lease_as_it_was() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.send(ReportProblem(ann, lease.assignment, lease.fence, "blurred"))
    desk.send(SaveDraft(ann, lease.assignment, lease.fence, b"d" * 16))
    assert desk.events(ProblemReported)[-1].reason == "blurred"
    assert desk.state.lease_deadline(desk.row_of(lease)) == lease.deadline_us


def test_seniors_and_experts_are_given_checks_before_crowd_work() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0, True))
    desk.task()
    desk.answer(desk.worker(), YES)
    desk.task()
    both = desk.worker((Stage.CROWD, Stage.EXPERT))
    assert desk.take(both).stage is Stage.EXPERT
    assert desk.send(RequestNext(desk.worker(SENIOR))).reason == "NO_TASK"
    assert desk.take(desk.worker((*EXPERT, Stage.CROWD))).stage is Stage.CROWD


def test_a_grant_and_its_reply_do_not_tell_gold_from_work() -> None:
    plain, hidden = Desk(), Desk(gold=GoldPlan(1.0, 1))
    plain.task()
    hidden.gold(NO)
    offers = []
    for desk in (plain, hidden):
        ann = desk.worker()
        lease = desk.take(ann)
        received = desk.submit(ann, lease, YES)
        offers.append((lease.stage, lease.price_micros, lease.currency, lease.rules_version, received))
        assert lease.deadline_us - desk.now_us == 600 * SECOND
    assert offers[0] == offers[1]
    assert hidden.state.workers.gold_checked[0] == 1
    assert hidden.state.workers.gold_correct[0] == 0


def test_entropy_that_was_used_or_that_is_none_grants_nothing() -> None:
    desk = Desk()
    desk.task()
    desk.task()
    ann, entropy = desk.worker(), desk.new_id()
    desk.send(RequestNext(ann), entropy=entropy)
    desk.refuses(RequestNext(ann), InvalidCommand, entropy=entropy)
    desk.refuses(RequestNext(ann), InvalidCommand, entropy=NO_ID)


def test_what_is_no_id_at_all_is_not_found() -> None:
    desk = Desk()
    for unknown in (b"", b"short", NO_ID, bytes(17)):
        desk.refuses(RevokeLease(unknown, "why"), NotFound)


def test_a_lease_that_is_over_is_not_used_whatever_ended_it() -> None:
    desk = Desk(lease=LeaseTerms(attempts=9))
    desk.task()
    ann, bob, cid = desk.workers(3)
    expired = (ann, desk.take(ann))
    desk.wait(HOUR)
    skipped = (bob, desk.skip(bob))
    revoked = (cid, desk.take(cid))
    desk.send(RevokeLease(revoked[1].assignment, "by hand"))
    for worker, lease in (expired, skipped, revoked):
        held = (worker, lease.assignment, lease.fence)
        for use in (ExtendLease(*held), ReleaseLease(*held), SkipAssignment(*held, "why")):
            desk.refuses(use, LeaseEnded)
        for use in (ReportProblem(*held, "why"), SaveDraft(*held, b"d" * 16)):
            desk.refuses(use, LeaseEnded)
        desk.refuses(RevokeLease(lease.assignment, "why"), LeaseEnded)


def test_no_request_has_to_place_more_than_a_few_tasks_that_were_touched_before_it() -> None:
    desk = Desk(routing=Routing("information_gain"))
    buckets = desk.machine.chooser()._policy.buckets  # type: ignore[attr-defined]  # of that policy
    desk.add(*(desk.row() for _ in range(MOST_TOUCHED + 1)))
    assert buckets.cards.count >= MOST_TOUCHED
    assert all(buckets.cards.wanted[task] for task in range(MOST_TOUCHED))
    places = []
    buckets._place = lambda which, count, place=buckets._place: (places.append(count), place(which, count))
    desk.take(desk.worker())
    assert places == [1]
