"""Workers at their front-ends: they ask, answer, dawdle, change their minds, and get things wrong."""

from __future__ import annotations

from tests.simulation.knowledge import Held, Knowledge, KnownProject, Worker

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.project import ProjectCommand
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id

Move = tuple[str, ProjectCommand, Held | None]
"""The stream, what to ask of it, and the lease that it is about."""


def move(known: Knowledge, worker: Worker) -> Move:
    """Give what a worker does next."""
    draw = known.random.random()
    if worker.held and draw < 0.6:
        return _answer(known, worker, known.random.choice(worker.held))
    if worker.held and draw < 0.7:
        return _use(known, worker, known.random.choice(worker.held))
    if worker.answered and draw < 0.74:
        return _reconsider(known, worker, known.random.choice(worker.answered[-4:]))
    if draw < 0.76:
        return _meddle(known, worker)
    project = known.project()
    count = known.random.choice((1, 1, 1, 2, 4))
    return project.stream, wishes.RequestNext(worker.id, count, locale="en"), None


def _project_of(known: Knowledge, held: Held) -> KnownProject:
    return next(project for project in known.projects if project.stream == held.stream)


def _answer(known: Knowledge, worker: Worker, held: Held) -> Move:
    rules = _project_of(known, held).rules
    accuracy = worker.accuracy if held.stage == 0 else 0.97
    held.answer = held.answer or known.given_answer(rules, held.item, accuracy)
    comment = known.identity() if known.chance(0.05) else b""
    wish = wishes.SubmitAnswer(
        worker.id,
        held.assignment,
        held.fence,
        held.answer,
        active_ms=known.random.randrange(60_000),
        comment=comment,
    )
    return held.stream, wish, held


def _use(known: Knowledge, worker: Worker, held: Held) -> Move:
    about = (worker.id, held.assignment, held.fence)
    draw = known.random.random()
    wish: ProjectCommand
    if draw < 0.35:
        wish = wishes.ExtendLease(*about)
    elif draw < 0.6:
        wish = wishes.ReleaseLease(*about)
    elif draw < 0.75:
        wish = wishes.SkipAssignment(
            *about, reason="unclear", problem=known.chance(0.3), comment=known.identity()
        )
    elif draw < 0.85:
        wish = wishes.ReportProblem(*about, reason="blurred")
    else:
        wish = wishes.SaveDraft(*about, digest=known.identity())
    return held.stream, wish, held


def _reconsider(known: Knowledge, worker: Worker, held: Held) -> Move:
    rules = _project_of(known, held).rules
    about = (worker.id, held.assignment, held.fence)
    draw = known.random.random()
    wish: ProjectCommand
    if draw < 0.4:
        wish = wishes.AmendAnswer(*about, answer=known.given_answer(rules, held.item, worker.accuracy))
    elif draw < 0.5:
        wish = wishes.WithdrawAnswer(*about, reason="mistake")
    elif draw < 0.8:
        wish = wishes.SubmitAnswer(*about, answer=held.answer)
    else:
        wish = wishes.SubmitAnswer(*about, answer=known.given_answer(rules, held.item, 0.0))
    return held.stream, wish, None


def _meddle(known: Knowledge, worker: Worker) -> Move:
    """Try what must be refused: another's lease, a wrong fence, a label or an id that does not exist."""
    other = known.random.choice(known.workers)
    if not other.held:
        return known.project().stream, wishes.ReleaseLease(worker.id, known.identity(), 1), None
    held = known.random.choice(other.held)
    draw = known.random.random()
    answer = known.given_answer(_project_of(known, held).rules, held.item, 0.5)
    owner: Id = worker.id if draw < 0.4 else other.id
    fence = held.fence + (1 if 0.4 <= draw < 0.7 else 0)
    if draw >= 0.7:
        answer = (Choice(0, 99),)
    return held.stream, wishes.SubmitAnswer(owner, held.assignment, fence, answer), None
