"""What time and earlier events make due, and in which steps."""

from __future__ import annotations

from tests.support.desk import NO, YES, Desk
from tests.support.engine import DAY, HOUR, MINUTE, SECOND

from crowdroute.router.commands.project import DiscountWorker, RequestNext
from crowdroute.router.events.organisation import BalanceNoted
from crowdroute.router.events.project import (
    AnswerDiscounted,
    BonusDecided,
    LeaseExpired,
    TaskEscalated,
    TaskFinalised,
)
from crowdroute.router.machine.project.due import EXPIRIES, GRACE_US
from crowdroute.router.model.rules import (
    BonusBand,
    BonusPlan,
    GoldPlan,
    LeaseTerms,
    Overlap,
    Prices,
    Stopping,
)
from crowdroute.router.model.states import Mode

DAILY = BonusPlan("daily", (BonusBand(0.05, 500),), 1, DAY, Mode.ENFORCE)


def test_nothing_is_due_in_a_project_that_waits_for_nobody() -> None:
    desk = Desk()
    desk.task()
    desk.wait()
    assert desk.shard.next_due_us() is None
    assert desk.wait(DAY) == []


def test_a_lease_is_due_at_its_deadline_and_not_before() -> None:
    desk = Desk()
    desk.task()
    lease = desk.take(desk.worker())
    desk.wait()
    assert desk.shard.next_due_us() == lease.deadline_us
    assert desk.wait(lease.deadline_us - desk.now_us - 1) == []
    assert [type(event) for event in desk.wait(1)] == [LeaseExpired]


def test_leases_end_a_bounded_number_at_a_time_in_the_order_of_their_deadlines() -> None:
    desk = Desk(lease=LeaseTerms(per_worker=1000, attempts=1000))
    desk.verify = lambda: None
    desk.add(*(desk.row() for _ in range(EXPIRIES + 5)))
    ann = desk.worker()
    while desk.send(RequestNext(ann, 100)).leases:
        desk.now_us += SECOND
    desk.now_us += HOUR
    (entry,) = desk.shard.due(desk.now_us)
    assert len(entry.events) == EXPIRIES
    (rest,) = desk.shard.due(desk.now_us)
    assert len(rest.events) == 5
    rows = [desk.state.assignment(event.assignment) for event in (*entry.events, *rest.events)]
    deadlines = [desk.state.assignments.deadline_us[row] for row in rows]
    assert deadlines == sorted(deadlines)


def test_new_rules_decide_open_tasks_that_they_leave_nothing_to_ask_about() -> None:
    desk = Desk(overlap=Overlap(1, 3), stopping=Stopping(0.99))
    desk.task()
    desk.answer(desk.worker())
    untouched = desk.task()
    assert not desk.events(TaskFinalised)
    follows = desk.change_rules(overlap=Overlap(1, 3), stopping=Stopping(0.4))
    assert [type(event) for event in follows][-1] is TaskFinalised
    assert desk.tasks.revision[desk.task_row(untouched)] == 0


def test_new_rules_reach_tasks_at_their_maximum_too() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.99, True))
    desk.task()
    desk.answer(desk.worker())
    assert desk.events(TaskEscalated)
    other = Desk(overlap=Overlap(2, 2), stopping=Stopping(0.99))
    other.task()
    other.answer(other.worker(), YES)
    other.change_rules(overlap=Overlap(1, 2), stopping=Stopping(0.4))
    assert len(other.events(TaskFinalised)) == 1


def test_a_bonus_is_decided_a_second_after_its_period_and_once() -> None:
    desk = Desk(gold=GoldPlan(1.0, 9), bonuses=(DAILY,), prices=Prices())
    desk.gold()
    desk.answer(desk.worker())
    desk.wait()
    end_us = (desk.now_us // DAY + 1) * DAY
    assert desk.shard.next_due_us() == end_us + GRACE_US
    assert desk.wait(end_us - desk.now_us) == []
    (decided, _) = desk.wait(GRACE_US)
    assert isinstance(decided, BonusDecided)
    assert [type(event) for event in desk.wait(9 * DAY)] == [BalanceNoted]


def test_a_bonus_goes_by_what_was_checked_in_its_period() -> None:
    desk = Desk(gold=GoldPlan(1.0, 9), bonuses=(DAILY,))
    ann = desk.worker()
    for answer in (YES, YES, NO):
        desk.gold(YES)
        desk.answer(ann, answer)
    desk.wait(DAY)
    desk.task()
    desk.answer(ann)
    desk.wait(DAY)
    desk.gold(YES)
    desk.answer(ann)
    desk.wait(DAY)
    told = [(event.correct, event.checked, event.micros) for event in desk.events(BonusDecided)]
    assert told == [(2, 3, 500), (0, 0, 0), (1, 1, 500)]


def test_a_bonus_that_left_the_rules_is_not_decided() -> None:
    desk = Desk(gold=GoldPlan(1.0, 9), bonuses=(DAILY,))
    desk.gold()
    desk.answer(desk.worker())
    desk.change_rules()
    desk.wait(3 * DAY)
    assert not desk.events(BonusDecided)


def test_what_is_due_in_several_kinds_comes_about_in_one_entry() -> None:
    desk = Desk(overlap=Overlap(3, 3), stopping=Stopping(1.0))
    for _ in range(2):
        desk.task()
    ann, bob = desk.workers(2)
    desk.answer(ann)
    desk.take(bob)
    desk.send(DiscountWorker(ann, "answers at random"))
    desk.now_us += 11 * MINUTE
    entry = desk.shard.due(desk.now_us)[0]
    assert entry.cause.command == "due"
    assert [type(event) for event in entry.events] == [LeaseExpired, AnswerDiscounted]


def test_a_restart_brings_nothing_about_that_did_not_come_about_before() -> None:
    desk = Desk(overlap=Overlap(1, 3), stopping=Stopping(0.99), gold=GoldPlan(1.0, 1), bonuses=(DAILY,))
    desk.gold()
    for _ in range(3):
        desk.task()
    for worker in desk.workers(3):
        desk.answer(worker)
        desk.take(worker)
    desk.wait(2 * MINUTE)
    for shard in (desk.folded(), desk.unpacked()):
        assert shard.due(desk.now_us) == ()
        assert shard.digest() == desk.shard.digest()
        assert shard.next_due_us() == desk.shard.next_due_us()
