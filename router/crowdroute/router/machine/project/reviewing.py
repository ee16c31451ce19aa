"""Decide which annotations a senior checks, and what a check says."""

from __future__ import annotations

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Done
from crowdroute.router.errors import WrongState
from crowdroute.router.events import project as facts
from crowdroute.router.machine.project.guards import given_reason
from crowdroute.router.machine.stream import Decision, Steps
from crowdroute.router.model.ids import Id, Kind, to_text, uniform
from crowdroute.router.model.states import Mode, Purpose, Review, Stage, TaskState
from crowdroute.router.quality.review import needs_review
from crowdroute.router.state.project import Project
from crowdroute.workers.reliability import accuracy_interval

REVIEW_DRAW = 2


def record_of(state: Project, worker: int) -> tuple[int, int]:
    """Give how many of a worker's checked answers were right, and how many were checked (gold and
    reviews)."""
    workers = state.workers
    return (
        workers.gold_correct[worker] + workers.review_correct[worker],
        workers.gold_checked[worker] + workers.review_checked[worker],
    )


def consider_review(state: Project, row: int, entropy: Id) -> Steps:
    """Send a counted crowd answer to the senior stage when its worker's record or chance says so."""
    task = state.assignments.task[row]
    plan = state.rules.review
    if state.tasks.purpose[task] != Purpose.PRODUCTION:
        return
    correct, checked = record_of(state, state.assignments.worker[row])
    draw = uniform(entropy, REVIEW_DRAW)
    why = needs_review(plan, correct, checked, draw)
    if why is None:
        return
    yield facts.ReviewRequested(
        assignment=state.assignments.id_of(row),
        mode=plan.mode,
        reason=why.reason,
        lower_bound=why.lower_bound,
        correct=correct,
        checked=checked,
        threshold=plan.threshold,
        share=plan.share,
        draw=draw,
    )
    if plan.mode != Mode.ENFORCE:
        return
    check = _check_of(state, task)
    if check is None:
        yield from _plan_senior(state, task)
    else:
        yield _verdict(state, row, check)


def _check_of(state: Project, task: int) -> int | None:
    """Give the newest senior answer that counts: it settles what comes later too, since nobody is asked about
    a task twice and seniors are few."""
    if not state.tasks.counted_senior[task]:
        return None
    stage = state.assignments.stage
    return next(row for row in state.counted_annotations(task) if stage[row] == Stage.SENIOR)


def _plan_senior(state: Project, task: int) -> Steps:
    tasks = state.tasks
    if tasks.free(task, Stage.SENIOR) <= 0 and not tasks.live_senior[task]:
        yield facts.SlotsPlanned(tasks.id_of(task), Stage.SENIOR, 1, "REVIEW")


def conclude_reviews(state: Project, by: int) -> Steps:
    """Settle every annotation under review on the task that a senior or expert has just answered."""
    table = state.assignments
    under_review = [
        row
        for row in state.assignments_of_task(table.task[by])
        if table.review[row] == Review.REQUESTED and state.counts(row)
    ]
    for row in under_review:
        yield _verdict(state, row, by)


def _verdict(state: Project, row: int, by: int) -> facts.ReviewConcluded:
    table = state.assignments
    verdict = Review.PASSED if state.answer_codes(row) == state.answer_codes(by) else Review.FAILED
    return facts.ReviewConcluded(table.id_of(row), verdict, table.id_of(by), bool(table.fair_review[row]))


def request(state: Project, wish: wishes.RequestReview, now_us: int) -> Decision:
    """Send one annotation to the senior stage because an operator wants it."""
    row = state.assignment(wish.assignment)
    given_reason(wish.reason)
    text = to_text(Kind.ASSIGNMENT, wish.assignment)
    table = state.assignments
    task = table.task[row]
    reviewable = (
        state.counts(row)
        and table.stage[row] == Stage.CROWD
        and table.review[row] != Review.REQUESTED
        and state.tasks.purpose[task] == Purpose.PRODUCTION
    )
    if not reviewable:
        raise WrongState(
            f"{text} has no counted crowd answer that is not under review already", {"assignment": text}
        )
    if state.tasks.state[task] != TaskState.OPEN or state.tasks.stage[task] == Stage.EXPERT:
        raise WrongState(f"the task of {text} is decided; re-open it first", {"assignment": text})
    correct, checked = record_of(state, table.worker[row])
    yield facts.ReviewRequested(
        assignment=wish.assignment,
        mode=Mode.ENFORCE,
        reason="operator",
        lower_bound=accuracy_interval(correct, checked).lower,
        correct=correct,
        checked=checked,
        threshold=state.rules.review.threshold,
        share=state.rules.review.share,
        draw=0.0,
    )
    yield from _plan_senior(state, task)
    return Done()
