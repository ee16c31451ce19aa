"""A refit is taken over while what it was fitted to holds, and open tasks are looked at again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.support.desk import NO, YES, Desk, make_rules
from tests.support.engine import HOUR, MINUTE, TENANT
from tests.support.refits import WRONG, refit_of

from crowdroute.router.commands.project import ApplyRules, DiscountWorker, RequestNext, SubmitAnswer
from crowdroute.router.errors import InvalidCommand, InvariantBroken, Refusal, WrongState
from crowdroute.router.events import Event
from crowdroute.router.events.project import ModelInstalled, RefitFellDue, TaskFinalised
from crowdroute.router.machine.shard import Shard
from crowdroute.router.model.fitted import MOST_NUMBERS, FittedField, digest_of
from crowdroute.router.model.rules import GoldPlan, Overlap, RefitPlan, Stopping


def busy_desk(**rules: object) -> Desk:
    """A desk where four workers answered some tasks and some gold, and mostly agree."""
    desk = Desk(**{"overlap": Overlap(2, 5), "stopping": Stopping(0.97), **rules})
    workers = desk.workers(4)
    for _ in range(3):
        desk.gold()
    for number in range(6):
        desk.task()
        for place, worker in enumerate(workers[:2]):
            desk.answer(worker, NO if place == 1 and number == 3 else YES)
    return desk


def test_a_refit_is_told_in_the_log_with_its_numbers() -> None:
    desk = busy_desk()
    command = refit_of(desk.state, through=9)

    (event, *_) = desk.gives(command)

    assert isinstance(event, ModelInstalled)
    assert (event.version, event.fitted_through, event.digest) == (1, 9, command.digest)
    assert desk.state.models.installed.version == 1


def test_results_after_a_refit_tell_its_version() -> None:
    desk = busy_desk()
    desk.send(refit_of(desk.state))
    desk.send(replace(refit_of(desk.state), fitted_through=8))
    for worker in desk.workers(3):
        for lease in desk.send(RequestNext(worker, 10)).leases:
            desk.send(SubmitAnswer(worker, lease.assignment, lease.fence, YES))

    finalised = [event for event in desk.events() if isinstance(event, TaskFinalised)]

    assert desk.state.models.installed.version == 2
    assert finalised[-1].model_version == 2


@pytest.mark.parametrize("wrong", WRONG)
def test_a_refit_that_is_wrong_or_stale_is_refused(wrong: str) -> None:
    desk = busy_desk()
    command = WRONG[wrong](refit_of(desk.state))

    desk.refuses(command, Refusal)

    assert desk.state.models.installed.version == 0


def test_a_refit_that_learnt_from_a_worker_who_was_discounted_since_is_refused() -> None:
    desk = busy_desk()
    command = refit_of(desk.state)
    desk.send(DiscountWorker(desk.state.workers.id_of(desk.state.assignments.worker[0]), "answers at random"))

    refusal = desk.refuses(command, WrongState)

    assert "discounted" in str(refusal)


def test_a_refit_of_too_many_numbers_is_refused() -> None:
    desk = busy_desk()
    matrices = MOST_NUMBERS // 9 + 1
    field = FittedField(3, matrices, b"\x00\x00\x80\x3f" * (9 * matrices), (1.0, 1.0, 1.0))
    command = replace(refit_of(desk.state), fields=(field,), digest=digest_of((field,)))

    refusal = desk.refuses(command, InvalidCommand)

    assert str(MOST_NUMBERS) in str(refusal)


# The schedule

SCHEDULE = RefitPlan(every_us=6 * HOUR, answers=12)
"""As many answers as `busy_desk` counts."""


def due(events: list[Event]) -> list[RefitFellDue]:
    return [event for event in events if isinstance(event, RefitFellDue)]


def test_a_refit_is_due_when_the_time_has_passed_and_the_answers_have_come() -> None:
    desk = busy_desk(refit=SCHEDULE)

    early, now = desk.wait(6 * HOUR - MINUTE), desk.wait(MINUTE)

    assert due(early) == []
    assert due(now) == [RefitFellDue(1, 12)]


def test_no_refit_is_due_before_enough_answers_have_come_and_then_at_once() -> None:
    desk = busy_desk(refit=replace(SCHEDULE, answers=13))
    assert due(desk.wait(24 * HOUR)) == []

    desk.task()
    desk.answer(desk.worker())

    assert due(desk.wait()) == [RefitFellDue(1, 13)]


def test_answers_to_gold_make_no_refit_due() -> None:
    desk = Desk(refit=replace(SCHEDULE, answers=1), gold=GoldPlan(1.0, 5))
    desk.gold()
    desk.answer(desk.worker())

    assert due(desk.wait(24 * HOUR)) == []


def test_a_refit_that_is_due_stays_the_one_until_it_is_in_force() -> None:
    desk = busy_desk(refit=SCHEDULE)
    desk.wait(6 * HOUR)
    assert due(desk.wait(48 * HOUR)) == []
    assert desk.state.refits.due == 1

    desk.send(refit_of(desk.state))

    assert desk.state.refits.due == 0
    assert due(desk.wait(48 * HOUR)) == []  # nobody has answered since


def test_the_time_to_the_next_refit_counts_from_the_last_whoever_asked_for_it() -> None:
    desk = busy_desk(refit=replace(SCHEDULE, answers=1))
    desk.wait(5 * HOUR)
    desk.send(refit_of(desk.state))
    desk.task()
    desk.answer(desk.worker())

    early, now = desk.wait(6 * HOUR - MINUTE), desk.wait(MINUTE)

    assert due(early) == []
    assert due(now) == [RefitFellDue(2, 1)]


def test_rules_without_a_schedule_call_a_refit_off_and_new_ones_begin_to_count() -> None:
    desk = busy_desk(refit=SCHEDULE)
    desk.wait(6 * HOUR)
    desk.send(ApplyRules(make_rules(version=2)))
    assert desk.state.refits.due == 0

    desk.send(ApplyRules(make_rules(version=3, refit=replace(SCHEDULE, answers=1))))
    desk.task()
    desk.answer(desk.worker())

    assert due(desk.wait(5 * HOUR)) == []
    assert due(desk.wait(HOUR)) == [RefitFellDue(1, 1)]


def test_rules_that_keep_a_schedule_keep_what_is_due_and_what_was_counted() -> None:
    desk = busy_desk(refit=SCHEDULE)
    desk.wait(5 * HOUR)
    desk.send(ApplyRules(make_rules(version=2, refit=replace(SCHEDULE, every_us=4 * HOUR))))

    assert due(desk.wait()) == [RefitFellDue(1, 12)]

    desk.send(ApplyRules(make_rules(version=3, refit=SCHEDULE)))
    assert desk.state.refits.due == 1


def test_a_refit_that_is_due_is_due_in_every_fold_and_snapshot_and_not_made_due_again() -> None:
    desk = busy_desk(refit=SCHEDULE)
    desk.wait(6 * HOUR)
    restored = Shard()
    restored.unpack(desk.folded().pack())
    restored.settle()

    for shard in (desk.folded(), restored):
        assert shard.project_state(desk.stream).refits == desk.state.refits
        assert not any(due(list(entry.events)) for entry in shard.due(desk.now_us + 48 * HOUR))


def test_a_log_that_makes_a_refit_due_twice_is_none() -> None:
    desk = busy_desk(refit=SCHEDULE)
    desk.wait(6 * HOUR)

    with pytest.raises(InvariantBroken, match="while refit 1 was due"):
        desk.shard.project(TENANT, desk.project).apply(RefitFellDue(1, 12), desk.now_us)
