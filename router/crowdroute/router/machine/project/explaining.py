"""Why things are as they are: the numbers behind a task and an assignment, for the people who ask.

Everything here is read from the state; wording is left to the shells.
"""

from __future__ import annotations

from typing import NamedTuple

from crowdroute.router.machine.project.reviewing import record_of
from crowdroute.router.machine.project.settling import standing_of
from crowdroute.router.model.answers import FieldResult
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import (
    AssignmentState,
    FinalReason,
    Payment,
    Purpose,
    Receipt,
    Review,
    Stage,
    TaskState,
)
from crowdroute.router.quality.eligibility import misses
from crowdroute.router.quality.stopping import Standing, Verdict, judge
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.tables import NONE
from crowdroute.workers.eligibility import Reason
from crowdroute.workers.reliability import AccuracyInterval, accuracy_interval


class AnswerStory(NamedTuple):
    """One annotation as it bears on its task."""

    assignment: Id
    worker: Id
    stage: Stage
    state: AssignmentState
    receipt: Receipt
    review: Review
    labels: tuple[int, ...]
    """Label code per field, -1 where there is none."""
    likelihoods: tuple[float, ...]
    """Per field: how probable this label is from this worker if the task's most probable label is true."""


class TaskStory(NamedTuple):
    """A task with everything that decides what happens to it next."""

    task: Id
    state: TaskState
    stage: Stage
    purpose: Purpose
    standing: Standing
    verdict: Verdict | None
    """What the stopping rule says now; None for closed tasks and those with a known answer."""
    target: float
    minimum: int
    planned: tuple[int, int, int]
    free: tuple[int, int, int]
    attempts: int
    parked_for: str
    results: tuple[FieldResult, ...]
    """The newest published result, or what is most probable so far."""
    revision: int
    reason: FinalReason | None
    answers: tuple[AnswerStory, ...]
    """Newest first."""


class AssignmentStory(NamedTuple):
    """Why a worker got a task and what came of it."""

    assignment: Id
    task: Id
    worker: Id
    stage: Stage
    state: AssignmentState
    policy: str
    value: float
    propensity: float
    rules_version: int
    price_micros: int
    payment: Payment
    receipt: Receipt
    reason: str
    review: Review
    late: bool
    accuracy: AccuracyInterval
    """The worker's measured accuracy now."""
    missing: tuple[Reason, ...]
    """What the worker would miss for this task today; normally nothing."""


def explain_task(state: Project, identity: Id) -> TaskStory:
    """Tell how a task stands and why.

    Raises:
        NotFound: there is no such task.
    """
    task = state.task(identity)
    tasks = state.tasks
    standing = standing_of(state, task)
    undecided = tasks.state[task] == TaskState.OPEN and tasks.purpose[task] not in WITH_KNOWN_ANSWER
    row = tasks.result[task]
    return TaskStory(
        task=identity,
        state=TaskState(tasks.state[task]),
        stage=Stage(tasks.stage[task]),
        purpose=Purpose(tasks.purpose[task]),
        standing=standing,
        verdict=judge(standing, state.rules.overlap, state.rules.stopping) if undecided else None,
        target=state.rules.stopping.target,
        minimum=state.rules.overlap.minimum,
        planned=(tasks.planned_crowd[task], tasks.planned_senior[task], tasks.planned_expert[task]),
        free=(tasks.free(task, Stage.CROWD), tasks.free(task, Stage.SENIOR), tasks.free(task, Stage.EXPERT)),
        attempts=tasks.attempts[task],
        parked_for=state.parked.get(task, ""),
        results=state.result_fields(row) if row != NONE else most_probable(state, task),
        revision=tasks.revision[task],
        reason=None
        if row == NONE or state.results.corrected[row]
        else FinalReason(state.results.reason[row]),
        answers=tuple(_answer(state, one) for one in state.assignments_of_task(task)),
    )


def most_probable(state: Project, task: int) -> tuple[FieldResult, ...]:
    """Give the most probable label of every field, whatever the task's state."""
    results = []
    for field in range(len(state.models.fields)):
        probabilities = state.models.probabilities(field, task)
        results.append(FieldResult(field, probabilities.index(max(probabilities)), probabilities))
    return tuple(results)


def _answer(state: Project, row: int) -> AnswerStory:
    table, task = state.assignments, state.assignments.task[row]
    labels = tuple(state.answer_codes(row))
    worker = table.worker[row]
    matrix = state.models.find_matrix(worker, state.tasks.capability[task])
    likelihoods = []
    for field, label in enumerate(labels):
        model = state.models.fields[field]
        probabilities = state.models.probabilities(field, task)
        truth = probabilities.index(max(probabilities))
        known = matrix is not None and label >= 0
        likelihoods.append(
            float(model.confusion[matrix, truth, label] / model.row_sums[matrix, truth]) if known else 0.0
        )
    return AnswerStory(
        assignment=table.id_of(row),
        worker=state.workers.id_of(worker),
        stage=Stage(table.stage[row]),
        state=AssignmentState(table.state[row]),
        receipt=Receipt(table.receipt[row]),
        review=Review(table.review[row]),
        labels=labels,
        likelihoods=tuple(likelihoods),
    )


def explain_assignment(state: Project, identity: Id) -> AssignmentStory:
    """Tell why a worker got a task and what came of it.

    Raises:
        NotFound: there is no such assignment.
    """
    row = state.assignment(identity)
    table = state.assignments
    task, worker = table.task[row], table.worker[row]
    stage = Stage(table.stage[row])
    return AssignmentStory(
        assignment=identity,
        task=state.tasks.id_of(task),
        worker=state.workers.id_of(worker),
        stage=stage,
        state=AssignmentState(table.state[row]),
        policy=state.reasons.values[table.policy[row]],
        value=table.value[row],
        propensity=table.propensity[row],
        rules_version=table.rules_version[row],
        price_micros=table.price_micros[row],
        payment=Payment(table.payment[row]),
        receipt=Receipt(table.receipt[row]),
        reason=state.reasons.values[table.reason[row]],
        review=Review(table.review[row]),
        late=bool(table.late[row]),
        accuracy=accuracy_interval(*record_of(state, worker)),
        missing=misses(state, worker, state.tasks.signature[task], stage),
    )
