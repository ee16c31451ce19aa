"""What can be read of a project's state."""

from __future__ import annotations

import pytest
from tests.support.desk import EXPERT, SENIOR, YES, Desk

from crowdroute.router.commands.project import EscalateTask, WithdrawAnswer
from crowdroute.router.errors import NotFound
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.rules import Overlap, Stopping
from crowdroute.router.model.states import Stage
from crowdroute.router.state.project import person_behind

SLOW = {"overlap": Overlap(2, 3), "stopping": Stopping(1.0)}


@pytest.mark.parametrize("kind", ["item", "task", "assignment", "worker"])
def test_what_is_unknown_is_not_found_under_its_kind(kind: str) -> None:
    desk = Desk()
    with pytest.raises(NotFound) as refusal:
        getattr(desk.state, kind)(desk.new_id())
    assert kind in refusal.value.details


def test_a_worker_who_was_only_named_in_a_list_is_not_known_yet() -> None:
    desk = Desk()
    ann = desk.worker()
    desk.task(allow=(ann,))
    with pytest.raises(NotFound):
        desk.state.worker(ann)
    desk.take(ann)
    assert desk.state.worker(ann) == 0


def test_a_task_wants_the_crowd_until_an_expert_is_asked() -> None:
    desk = Desk(**SLOW)
    task = desk.task()
    row = desk.task_row(task)
    assert [desk.state.wanted(row, stage) for stage in Stage] == [True, False, False]
    desk.send(EscalateTask(task, "hard"))
    assert [desk.state.wanted(row, stage) for stage in Stage] == [False, False, True]
    desk.take(desk.worker(EXPERT))
    assert not desk.state.wanted(row, Stage.EXPERT)


def test_gold_wants_any_number_of_the_crowd_and_nobody_else() -> None:
    desk = Desk()
    row = desk.task_row(desk.gold())
    assert [desk.state.wanted(row, stage) for stage in Stage] == [True, False, False]


def test_chains_run_from_the_newest_assignment_to_the_oldest() -> None:
    desk = Desk(**SLOW)
    row = desk.task_row(desk.task())
    ann, bob = desk.workers(2)
    rows = [desk.row_of(desk.answer(worker)) for worker in (ann, bob)]
    assert list(desk.state.assignments_of_task(row)) == rows[::-1]
    assert list(desk.state.assignments_of_worker(desk.state.worker(ann))) == rows[:1]
    assert desk.state.counted_annotations(row) == rows[::-1]


def test_an_annotation_counts_until_it_is_withdrawn() -> None:
    desk = Desk(**SLOW)
    row = desk.task_row(desk.task())
    ann = desk.worker()
    lease = desk.answer(ann)
    assert desk.state.counts(desk.row_of(lease))
    desk.send(WithdrawAnswer(ann, lease.assignment, lease.fence, "mistaken"))
    assert not desk.state.counts(desk.row_of(lease))
    assert desk.state.counted_annotations(row) == []
    assert desk.state.has_seen(desk.state.worker(ann), row)


def test_a_lease_has_a_deadline_while_it_lives() -> None:
    desk = Desk(**SLOW)
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    assert desk.state.lease_deadline(desk.row_of(lease)) == lease.deadline_us
    desk.submit(ann, lease, YES)
    assert desk.state.lease_deadline(desk.row_of(lease)) == -1


def test_stages_and_prices_are_read_from_facts_and_rules() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker((*SENIOR, *EXPERT, Stage.CROWD))
    bob = desk.worker()
    for worker in (ann, bob):
        desk.take(worker)
    may = [[desk.state.may_work_at(desk.state.worker(one), stage) for stage in Stage] for one in (ann, bob)]
    assert may == [[True, True, True], [True, False, False]]
    assert [desk.state.price_micros(stage) for stage in Stage] == [20_000, 50_000, 90_000]


def test_earlier_rules_stay_readable() -> None:
    desk = Desk()
    first = desk.state.rules
    desk.change_rules(overlap=Overlap(1, 1))
    assert desk.state.rules_at(1) == first != desk.state.rules_at(2)


def test_who_has_no_person_stands_for_themselves() -> None:
    assert person_behind(WorkerFacts(b"w" * 16, NO_ID, 1)) == b"w" * 16
    assert person_behind(WorkerFacts(b"w" * 16, b"p" * 16, 1)) == b"p" * 16
