"""A refit is taken over while what it was fitted to holds, and open tasks are looked at again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.support.desk import NO, YES, Desk
from tests.support.refits import WRONG, refit_of

from crowdroute.router.commands.project import DiscountWorker, RequestNext, SubmitAnswer
from crowdroute.router.errors import InvalidCommand, Refusal, WrongState
from crowdroute.router.events.project import ModelInstalled, TaskFinalised
from crowdroute.router.model.fitted import MOST_NUMBERS, FittedField, digest_of
from crowdroute.router.model.rules import Overlap, Stopping


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
