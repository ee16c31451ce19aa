"""Verify that a project's state keeps every rule that must always hold, by counting everything anew."""

from __future__ import annotations

from collections import Counter

import numpy as np

from crowdroute.router.errors import InvariantBroken
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.states import (
    AssignmentState,
    Payment,
    Purpose,
    Receipt,
    Review,
    Revision,
    Stage,
    TaskState,
)
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.refits import RefitSchedule
from crowdroute.router.state.tables import NONE


def check(state: Project) -> None:
    """Verify slots, histories, evidence, results and pay of the whole project.

    Raises:
        InvariantBroken: with what does not hold.
    """
    for task in range(state.tasks.count):
        _check_slots(state, task)
        _check_history(state, task)
        _check_results(state, task)
    for worker in range(state.workers.count):
        _check_worker(state, worker)
    _check_assignments(state)
    _check_indexes(state)
    _check_models(state)
    _check_schedule(state)


def _check_schedule(state: Project) -> None:
    """A refit that is due is the next one, and nothing is counted towards one without a schedule."""
    standing = state.refits
    holds = standing.due in (0, state.models.installed.version + 1) and standing.answers >= 0
    if not state.rules.refit.every_us:
        holds = standing == RefitSchedule()
    if not holds:
        raise _broken(Kind.PROJECT, state.project, f"the schedule of refits stands at {standing}")


def _broken(kind: Kind, identity: bytes, what: str) -> InvariantBroken:
    return InvariantBroken(f"{to_text(kind, identity)}: {what}", {"what": what})


def _require(holds: bool, state: Project, task: int, what: str) -> None:
    if not holds:
        raise _broken(Kind.TASK, state.tasks.id_of(task), what)


def _check_slots(state: Project, task: int) -> None:
    """Live leases, counted and kept annotations are what the assignments say, and never more than planned."""
    tasks, table = state.tasks, state.assignments
    live, counted, kept, in_review = Counter[int](), Counter[int](), Counter[int](), 0
    for row in state.assignments_of_task(task):
        stage = table.stage[row]
        live[stage] += table.state[row] == AssignmentState.ACTIVE
        counted[stage] += state.counts(row)
        kept[stage] += table.revision[row] == Revision.DISCOUNTED
        in_review += table.review[row] == Review.REQUESTED
    if tasks.purpose[task] in WITH_KNOWN_ANSWER:
        live, counted, kept = Counter(), Counter(), Counter()
    for stage in Stage:
        held = (tasks.live[stage][task], tasks.counted[stage][task], tasks.kept[stage][task])
        found = (live[stage], counted[stage], kept[stage])
        _require(held == found, state, task, f"{stage.name}: columns say {held}, assignments say {found}")
        if tasks.purpose[task] not in WITH_KNOWN_ANSWER:
            planned = tasks.planned[stage][task]
            _require(
                sum(held) <= planned, state, task, f"{stage.name}: {held} taken of {planned} planned slots"
            )
    _require(
        tasks.in_review[task] == in_review, state, task, f"{tasks.in_review[task]} in review, not {in_review}"
    )


def _check_history(state: Project, task: int) -> None:
    """No person was granted the task twice; no live lease on a closed or erased task that must have none."""
    table, workers = state.assignments, state.workers
    persons = [workers.person[table.worker[row]] for row in state.assignments_of_task(task)]
    _require(len(persons) == len(set(persons)), state, task, "granted to one person twice")
    cancelled = state.tasks.state[task] == TaskState.CANCELLED
    for row in state.assignments_of_task(task):
        live = table.state[row] == AssignmentState.ACTIVE
        _require(not (cancelled and live), state, task, "cancelled with a live lease")
        _require(table.worker[row] not in state.denied(task), state, task, "granted to a denied worker")
        allowed = state.allowed(task)
        _require(not allowed or table.worker[row] in allowed, state, task, "granted to a worker not allowed")


def _check_results(state: Project, task: int) -> None:
    """Results form a chain of rising revisions; a finalised task has one, a task with a known answer
    never."""
    tasks, results = state.tasks, state.results
    revision, row = tasks.revision[task], tasks.result[task]
    _require((row == NONE) == (revision == 0), state, task, "revision and result disagree")
    if tasks.state[task] == TaskState.FINALISED:
        _require(row != NONE, state, task, "finalised without a result")
        _require(tasks.in_review[task] == 0, state, task, "finalised while an answer is in review")
    if tasks.purpose[task] in WITH_KNOWN_ANSWER:
        _require(row == NONE and tasks.known[task] != NONE, state, task, "a known answer needs no result")
    while row != NONE:
        _require(results.task[row] == task, state, task, "holds another task's result")
        _require(results.revision[row] == revision, state, task, "revisions are not contiguous")
        revision, row = revision - 1, results.previous[row]
    _require(revision == 0, state, task, "the chain of results is cut")


def _check_worker(state: Project, worker: int) -> None:
    """What a worker's row sums up is what their assignments say."""
    workers, table, tasks = state.workers, state.assignments, state.tasks
    live = answered = gold = earned = granted = 0
    for row in state.assignments_of_worker(worker):
        granted += 1
        live += table.state[row] == AssignmentState.ACTIVE
        answered += table.receipt[row] == Receipt.COUNTED
        gold += state.counts(row) and tasks.purpose[table.task[row]] == Purpose.GOLD
        earned += table.price_micros[row] * (table.payment[row] == Payment.DUE)
    earned += sum(micros for (row, _, _), micros in state.bonuses.items() if row == worker)
    held = (
        workers.granted[worker],
        workers.live[worker],
        workers.answered[worker],
        workers.gold_checked[worker],
    )
    found = (granted, live, answered, gold)
    identity = workers.id_of(worker)
    if held != found:
        raise _broken(Kind.WORKER, identity, f"the row says {held}, the assignments say {found}")
    if workers.earned_micros[worker] != earned:
        raise _broken(
            Kind.WORKER, identity, f"earned {workers.earned_micros[worker]}, but entries sum to {earned}"
        )
    for right, checked in (("gold_correct", "gold_checked"), ("review_correct", "review_checked")):
        if not 0 <= getattr(workers, right)[worker] <= getattr(workers, checked)[worker]:
            raise _broken(Kind.WORKER, identity, f"{right} is not within {checked}")


def _check_assignments(state: Project) -> None:
    """State, receipt and payment of every assignment fit together."""
    table = state.assignments
    for row in range(table.count):
        now, receipt = AssignmentState(table.state[row]), Receipt(table.receipt[row])
        answered = now in (AssignmentState.SUBMITTED, AssignmentState.REFUSED)
        accepted = receipt in (Receipt.COUNTED, Receipt.SURPLUS)
        due = accepted and table.price_micros[row] > 0
        paid = table.payment[row] != Payment.NONE
        if answered != (receipt != Receipt.NONE) or (now == AssignmentState.REFUSED) != (
            receipt == Receipt.REFUSED
        ):
            raise _broken(Kind.ASSIGNMENT, table.id_of(row), f"{now.name} with receipt {receipt.name}")
        if due != paid:
            raise _broken(Kind.ASSIGNMENT, table.id_of(row), "its pay does not fit its receipt")


def _check_indexes(state: Project) -> None:
    """Every id leads to its row; derived deadlines cover every live lease."""
    for table, kind in (
        (state.items, Kind.ITEM),
        (state.tasks, Kind.TASK),
        (state.assignments, Kind.ASSIGNMENT),
        (state.workers, Kind.WORKER),
    ):
        for row in range(table.count):
            if table.find(table.id_of(row)) != row:
                raise _broken(kind, table.id_of(row), "its id leads to another row")
    rows = state.assignments.rows[: state.assignments.count]
    live = rows["deadline_us"][rows["state"] == AssignmentState.ACTIVE]
    earliest = state.deadlines.earliest()
    if (earliest is None) != (len(live) == 0) or (earliest is not None and earliest != live.min()):
        raise InvariantBroken(f"the earliest deadline is not {earliest}")


def _check_models(state: Project) -> None:
    """Posteriors are probabilities, and no confusion count is negative or lost."""
    for model in state.models.fields:
        posteriors = model.posteriors[: state.tasks.count]
        confusion = model.confusion[: model.n_matrices]
        sound = (
            np.isfinite(posteriors).all()
            and np.allclose(posteriors.sum(axis=1), 1.0, atol=1e-9)
            and np.isfinite(confusion).all()
            and bool((confusion > 0).all())
        )
        if not sound:
            raise InvariantBroken("a posterior is no probability, or a confusion count is not positive")
