"""What follows for a task after its answers, leases or rules changed: finalise, escalate, park, correct,
re-open."""

from __future__ import annotations

from crowdroute.router.events import Event
from crowdroute.router.events.project import (
    ResultCorrected,
    SlotsPlanned,
    TaskEscalated,
    TaskFinalised,
    TaskParked,
    TaskReopened,
)
from crowdroute.router.machine.stream import Steps
from crowdroute.router.model.answers import FieldResult
from crowdroute.router.model.states import FinalReason, Purpose, Stage, TaskState
from crowdroute.router.quality.stopping import Standing, Verdict, judge
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

DISCOUNTED, CHANGED = "WORKER_DISCOUNTED", "ANSWER_CHANGED"
"""Why a result is corrected or a task re-opened without an operator asking for it."""


# Looking up an enum's member is slow, and every answer asks for these.
_OPEN, _CROWD, _EXPERT = TaskState.OPEN, Stage.CROWD, Stage.EXPERT
_CALIBRATION, _GO_ON = Purpose.CALIBRATION, Verdict.GO_ON


def settle(state: Project, task: int) -> Steps:
    """Yield what follows for a task, given how it stands now; nothing when it may simply go on."""
    event = consequence(state, task)
    if event is not None:
        yield event


def consequence(state: Project, task: int) -> Event | None:
    """Give what follows for a task, given how it stands now, or None when it may simply go on."""
    tasks = state.tasks
    if tasks.state[task] != _OPEN or tasks.known[task] >= 0:
        return None
    if tasks.counted_expert[task]:
        return _finalise(state, task, FinalReason.EXPERT, confidence_of(state, task))
    if tasks.stage[task] == _EXPERT:
        return _park(state, task, Stage.EXPERT)
    return _settle_crowd(state, task)


def standing_of(state: Project, task: int) -> Standing:
    """Give the numbers that stopping a crowd task goes by."""
    tasks = state.tasks
    return Standing(
        counted=tasks.counted_crowd[task] + tasks.counted_senior[task],
        free=tasks.free(task, _CROWD),
        live=tasks.live_crowd[task],
        in_review=tasks.in_review[task],
        confidence=confidence_of(state, task),
        least=tasks.least[task],
    )


def counted_in_all(state: Project, task: int) -> int:
    """Give the counted annotations of every stage."""
    tasks = state.tasks
    return tasks.counted_crowd[task] + tasks.counted_senior[task] + tasks.counted_expert[task]


def confidence_of(state: Project, task: int) -> float:
    """Give the probability that every field's most probable label is right, of the least certain field."""
    if state.tasks.purpose[task] == _CALIBRATION:
        return min((max(result.probabilities) for result in vote_shares(state, task)), default=0.0)
    return state.models.confidence(task)


def results_of(state: Project, task: int) -> tuple[FieldResult, ...]:
    """Give the most probable label of every field with all probabilities (the first of equals wins)."""
    if state.tasks.purpose[task] == Purpose.CALIBRATION:
        return vote_shares(state, task)
    results = []
    for field in range(len(state.models.fields)):
        probabilities = state.models.probabilities(field, task)
        results.append(FieldResult(field, probabilities.index(max(probabilities)), probabilities))
    return tuple(results)


def vote_shares(state: Project, task: int) -> tuple[FieldResult, ...]:
    """Give each label's share of the counted answers: all that is said of tasks outside the production
    posteriors."""
    results = []
    annotations = state.counted_annotations(task)
    for field, schema in enumerate(state.rules.fields):
        votes = [0] * len(schema.labels)
        for assignment in annotations:
            label = state.answers.cells[assignment, field]
            if label >= 0:
                votes[label] += 1
        total = sum(votes)
        shares = tuple(vote / total if total else 1.0 / len(votes) for vote in votes)
        results.append(FieldResult(field, shares.index(max(shares)), shares))
    return tuple(results)


def _settle_crowd(state: Project, task: int) -> Event | None:
    standing = standing_of(state, task)
    verdict = judge(standing, state.rules.overlap, state.rules.stopping)
    if verdict is _GO_ON:
        return _park(state, task, _CROWD)
    if verdict is Verdict.TOO_FEW:
        missing = state.rules.overlap.minimum - standing.counted
        return SlotsPlanned(state.tasks.id_of(task), Stage.CROWD, missing, "MINIMUM")
    if state.tasks.purpose[task] == _CALIBRATION:
        # Its answers are compared with one another, so all of them are wanted and no expert is.
        full = not standing.free and not standing.live
        return _finalise(state, task, FinalReason.MAXIMUM, standing.confidence) if full else None
    if verdict is Verdict.ESCALATE:
        return TaskEscalated(
            task=state.tasks.id_of(task),
            stage=Stage.EXPERT,
            reason="MAXIMUM_WITHOUT_CONFIDENCE",
            confidence=standing.confidence,
            counted=standing.counted,
        )
    reason = FinalReason.CONFIDENT if verdict is Verdict.CONFIDENT else FinalReason.MAXIMUM
    return _finalise(state, task, reason, standing.confidence)


def _finalise(state: Project, task: int, reason: FinalReason, confidence: float) -> TaskFinalised:
    tasks = state.tasks
    return TaskFinalised(
        task=tasks.id_of(task),
        revision=tasks.revision[task] + 1,
        reason=reason,
        results=results_of(state, task),
        confidence=confidence,
        counted=counted_in_all(state, task),
        rules_version=state.rules.version,
        model_version=state.models.installed.version,
    )


def _park(state: Project, task: int, stage: Stage) -> Event | None:
    tasks = state.tasks
    if tasks.attempts[task] < state.rules.lease.attempts or tasks.live[stage][task]:
        return None
    if stage is _CROWD and tasks.live_senior[task]:
        return None
    return TaskParked(
        task=tasks.id_of(task), reason="TOO_MANY_UNANSWERED_LEASES", attempts=tasks.attempts[task]
    )


def repair(state: Project, task: int, reason: str) -> Steps:
    """Yield what follows for a task that lost an annotation or has another in its place: a finalised one is
    corrected or re-opened if need be."""
    tasks = state.tasks
    if tasks.state[task] == TaskState.FINALISED and tasks.purpose[task] not in WITH_KNOWN_ANSWER:
        yield from _repair_result(state, task, reason)
    yield from settle(state, task)


def _decided_by_hand(state: Project, task: int) -> bool:
    """Say whether an operator published the newest result; it stands whatever becomes of the answers."""
    return state.corrections.get(state.tasks.result[task], DISCOUNTED) not in (DISCOUNTED, CHANGED)


def _repair_result(state: Project, task: int, reason: str) -> Steps:
    if state.tasks.counted_expert[task] or _decided_by_hand(state, task):
        return
    published = [result.label for result in state.result_fields(state.tasks.result[task])]
    results = results_of(state, task)
    standing = standing_of(state, task)
    ended = judge(standing, state.rules.overlap, state.rules.stopping) in (Verdict.CONFIDENT, Verdict.MAXIMUM)
    if not ended:
        yield TaskReopened(
            task=state.tasks.id_of(task),
            reason=reason,
            confidence=standing.confidence,
            counted=standing.counted,
        )
    elif [result.label for result in results] != published:
        yield ResultCorrected(
            task=state.tasks.id_of(task),
            revision=state.tasks.revision[task] + 1,
            results=results,
            confidence=standing.confidence,
            reason=reason,
            counted=standing.counted,
        )
