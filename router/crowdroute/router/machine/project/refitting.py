"""Decide when a refit is due, and whether what one found is taken over: only while what it was fitted to
still holds."""

from __future__ import annotations

import numpy as np

from crowdroute.router.commands.project import InstallModel
from crowdroute.router.commands.replies import Refitted
from crowdroute.router.errors import InvalidCommand, WrongState
from crowdroute.router.events.project import ModelInstalled, RefitFellDue
from crowdroute.router.machine.stream import Decision, Steps
from crowdroute.router.model.fitted import MOST_NUMBERS, FittedField, digest_of
from crowdroute.router.state.project import Project


def discounted_workers(state: Project) -> int:
    """Give how many workers' answers do not count; the number never falls."""
    return int(state.workers.rows["discounted"][: state.workers.count].sum())


def due_us(state: Project) -> int | None:
    """Give the moment at which the rules' schedule makes a refit due; None: not as things stand."""
    plan, standing = state.rules.refit, state.refits
    if not plan.every_us or standing.due or standing.answers < plan.answers:
        return None
    return standing.since_us + plan.every_us


def fall_due(state: Project, now_us: int) -> Steps:
    """Note that a refit is due; it stays the one that is due until it is in force."""
    moment = due_us(state)
    if moment is not None and moment <= now_us:
        yield RefitFellDue(version=state.models.installed.version + 1, answers=state.refits.answers)


def install(state: Project, wish: InstallModel, now_us: int) -> Decision:
    """Take a refit over, when it is the next one and nothing has made it stale."""
    _check_numbers(wish)
    _check_fresh(state, wish)
    yield ModelInstalled(
        version=wish.version,
        fitted_through=wish.fitted_through,
        discounted=wish.discounted,
        annotations=wish.annotations,
        digest=wish.digest,
        fields=wish.fields,
    )
    return Refitted(wish.version, wish.fitted_through, wish.annotations, wish.digest)


def _check_numbers(wish: InstallModel) -> None:
    if wish.version < 1 or wish.fitted_through < 0 or wish.annotations < 0:
        raise InvalidCommand("a refit has a version from 1 on and no negative counts", {"field": "version"})
    for field in wish.fields:
        if not _sound(field):
            raise InvalidCommand(
                "the numbers of a refit must be positive and as many as it says", {"field": "fields"}
            )
    require_room(sum(len(field.confusion) // 4 for field in wish.fields))
    if wish.digest != digest_of(wish.fields):
        raise InvalidCommand("the digest is not that of the refit's numbers", {"field": "digest"})


def require_room(numbers: int) -> None:
    """See that one installation may hold so many numbers.

    Raises:
        InvalidCommand: it may not.
    """
    if numbers > MOST_NUMBERS:
        raise InvalidCommand(
            f"the refit has {numbers} numbers, and one installation at most {MOST_NUMBERS}: the online models"
            " go on without it",
            {"field": "fields"},
        )


def _sound(field: FittedField) -> bool:
    size = field.matrices * field.classes * field.classes
    if field.matrices < 0 or field.classes < 1 or len(field.confusion) != 4 * size:
        return False
    if len(field.class_counts) != field.classes:
        return False
    return all(
        bool(np.isfinite(numbers).all() and (numbers > 0).all())
        for numbers in (np.frombuffer(field.confusion, "<f4"), np.array(field.class_counts))
    )


def _check_fresh(state: Project, wish: InstallModel) -> None:
    models, before = state.models, state.models.installed
    if wish.version != before.version + 1 or wish.fitted_through < before.fitted_through:
        raise _stale(f"version {before.version} was installed meanwhile")
    if [field.classes for field in wish.fields] != [model.n_classes for model in models.fields]:
        raise _stale("the label schema has changed meanwhile")
    if any(
        field.matrices > model.n_matrices for field, model in zip(wish.fields, models.fields, strict=True)
    ):
        raise _stale("it knows workers who never answered here")
    if wish.discounted != discounted_workers(state):
        raise _stale("a worker was discounted meanwhile, whose answers it learnt from")


def _stale(why: str) -> WrongState:
    return WrongState(f"the refit is stale: {why}; refit again", {"state": "STALE"})
