"""Apply a project's events to its state; nothing here decides, refuses or looks at a clock.

Each handler gives the row of the task whose standing changed (for the routing index), or one of the two marks
below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crowdroute.router.errors import InvariantBroken
from crowdroute.router.events import project as facts
from crowdroute.router.events.base import Fact
from crowdroute.router.lifecycle import assignment_after, late_refused, task_after
from crowdroute.router.machine.project import fold_answers, fold_tasks
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import Mode, ProjectState, Purpose, Receipt
from crowdroute.router.state.evidence import evidence_of
from crowdroute.router.state.models import Installed
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project, person_behind
from crowdroute.router.state.refits import RefitSchedule
from crowdroute.router.state.tables import NONE

EVERYTHING = -2
"""Mark: any task's standing may have changed."""


_GOLD = Purpose.GOLD
"""Looking it up in its class is slow, and every grant asks."""


def worker_row(state: Project, worker: Id) -> int:
    """Give the worker's row, a new one when the worker was never named before."""
    row = state.workers.find(worker)
    if row < 0:
        row = state.workers.add_id(worker)
        state.workers.first_assignment[row] = NONE
        state.workers.person[row] = NONE
        state.facts.append(None)
    return row


def _created(state: Project, event: facts.ProjectCreated, at_us: int) -> int:
    state.project = event.project
    state.name = event.name
    return NONE


def _begin_schedule(state: Project, at_us: int) -> None:
    """Count time and answers towards the next refit from here on, if the rules have a schedule."""
    state.refits = RefitSchedule(at_us) if state.rules.refit.every_us else RefitSchedule()


def _rules_applied(state: Project, event: facts.RulesApplied, at_us: int) -> int:
    rules = event.rules
    if rules.version != len(state.history) + 1:
        raise InvariantBroken(f"rules version {rules.version} follows version {len(state.history)}")
    scheduled = state.rules.refit.every_us > 0
    state.rules = rules
    if scheduled != (rules.refit.every_us > 0):
        _begin_schedule(state, at_us)
    state.sound_answers.clear()
    state.history.append(rules)
    state.models.follow_schema(rules.fields)
    fold_tasks.follow_schema(state)
    fold_tasks.raise_overlap(state, rules.overlap.maximum)
    state.reexamine_from = 0
    return EVERYTHING


def _paused(state: Project, event: facts.ProjectPaused, at_us: int) -> int:
    state.state = ProjectState.PAUSED
    return NONE


def _resumed(state: Project, event: facts.ProjectResumed, at_us: int) -> int:
    state.state = ProjectState.ACTIVE
    return NONE


def _worker_fact(state: Project, event: facts.WorkerFactApplied, at_us: int) -> int:
    given = event.facts
    row = worker_row(state, given.worker)
    table = state.workers
    table.version[row] = given.version
    table.person[row] = state.persons.code(person_behind(given))
    table.status[row] = given.status
    table.kind[row] = given.kind
    table.capacity[row] = given.capacity
    table.stages[row] = sum(1 << stage for stage in set(given.stages))
    state.facts[row] = given
    return NONE


def _granted(state: Project, event: facts.LeaseGranted, at_us: int) -> int:
    tasks, table, workers = state.tasks, state.assignments, state.workers
    task, worker = tasks.find(event.task), workers.find(event.worker)
    row = table.grant(
        event.assignment,
        task,
        worker,
        tasks.first_assignment[task],
        workers.first_assignment[worker],
        at_us,
        state.reasons.code(event.policy),
        event,
    )
    tasks.first_assignment[task] = row
    workers.first_assignment[worker] = row
    workers.live[worker] += 1
    workers.granted[worker] += 1
    workers.seen_us[worker] = at_us
    purpose = tasks.purpose[task]
    if purpose == _GOLD:
        workers.gold_granted[worker] += 1
    if purpose not in WITH_KNOWN_ANSWER:
        tasks.live[event.stage][task] += 1
    state.answers.reserve(row + 1, len(state.rules.fields))
    state.deadlines.arm(row, event.deadline_us)
    return task


def _extended(state: Project, event: facts.LeaseExtended, at_us: int) -> int:
    table = state.assignments
    row = table.find(event.assignment)
    assignment_after(table.state[row], facts.LeaseExtended)
    table.deadline_us[row] = event.deadline_us
    table.extensions[row] += 1
    state.workers.seen_us[table.worker[row]] = at_us
    state.deadlines.arm(row, event.deadline_us)
    return NONE


def lease_over(state: Project, row: int) -> int:
    """Return the slot of a lease that ended, and give the task's row."""
    table, tasks = state.assignments, state.tasks
    task = table.task[row]
    state.workers.live[table.worker[row]] -= 1
    if tasks.purpose[task] not in WITH_KNOWN_ANSWER:
        tasks.live[table.stage[row]][task] -= 1
    return task


def _unanswered(state: Project, event: Any, at_us: int) -> int:
    table = state.assignments
    row = table.find(event.assignment)
    table.state[row] = assignment_after(table.state[row], type(event))
    task = lease_over(state, row)
    if type(event) is not facts.LeaseRevoked:
        state.tasks.attempts[task] += 1
    return task


def _skipped(state: Project, event: facts.AssignmentSkipped, at_us: int) -> int:
    row = state.assignments.find(event.assignment)
    state.assignments.has_comment[row] |= bool(event.comment)
    return _unanswered(state, event, at_us)


def _submitted(state: Project, event: facts.AnswerSubmitted, at_us: int) -> int:
    table = state.assignments
    row = table.find(event.assignment)
    live = state.lease_deadline(row) >= 0
    if event.late and event.receipt == Receipt.REFUSED:
        table.state[row] = late_refused(table.state[row])
    else:
        table.state[row] = assignment_after(table.state[row], facts.AnswerSubmitted)
    if live:
        lease_over(state, row)
    return fold_answers.submitted(state, row, event, at_us)


def _draft(state: Project, event: facts.DraftSaved, at_us: int) -> int:
    row = state.assignments.find(event.assignment)
    assignment_after(state.assignments.state[row], facts.DraftSaved)
    state.assignments.has_draft[row] = 1
    return NONE


def _problem(state: Project, event: facts.ProblemReported, at_us: int) -> int:
    row = state.assignments.find(event.assignment)
    assignment_after(state.assignments.state[row], facts.ProblemReported)
    state.assignments.has_comment[row] |= bool(event.comment)
    return NONE


def _planned(state: Project, event: facts.SlotsPlanned, at_us: int) -> int:
    task = state.tasks.find(event.task)
    if event.added < 0:
        raise InvariantBroken(f"planned slots never fall, but {event.added} were added")
    state.tasks.planned[event.stage][task] += event.added
    return task


def _escalated(state: Project, event: facts.TaskEscalated, at_us: int) -> int:
    task = state.tasks.find(event.task)
    task_after(state.tasks.state[task], facts.TaskEscalated)
    state.tasks.stage[task] = event.stage
    state.tasks.attempts[task] = 0
    state.tasks.planned[event.stage][task] += 1
    return task


def _worker_discounted(state: Project, event: facts.WorkerDiscounted, at_us: int) -> int:
    row = worker_row(state, event.worker)
    state.workers.discounted[row] = 1
    for key in [key for key, waiting in state.active.items() if row in waiting]:
        _no_longer_waiting(state, key, row)
    state.repairs.extend(sorted(one for one in state.assignments_of_worker(row) if state.counts(one)))
    return NONE


def _item_erased(state: Project, event: facts.ItemErased, at_us: int) -> int:
    row = state.items.find(event.item)
    state.items.erased[row] = 1
    return NONE


def _severed(state: Project, event: facts.PersonSevered, at_us: int) -> int:
    state.severed.add(state.persons.code(event.person))
    return NONE


def _posted(state: Project, event: facts.EntryPosted, at_us: int) -> int:
    row = state.workers.find(event.worker)
    state.workers.earned_micros[row] += event.micros
    state.workers.entries[row] += 1
    if event.assignment != NO_ID:
        fold_answers.paid(state, state.assignments.find(event.assignment), event)
    return NONE


def _bonus(state: Project, event: facts.BonusDecided, at_us: int) -> int:
    worker = state.workers.find(event.worker)
    due = event.micros if event.mode == Mode.ENFORCE else 0
    state.bonuses[worker, event.rule, event.period] = due
    if worker in state.active.get((event.rule, event.period), ()):
        _no_longer_waiting(state, (event.rule, event.period), worker)
    return NONE


def _no_longer_waiting(state: Project, key: tuple[str, int], worker: int) -> None:
    """Take a worker out of those whose bonus for a period is to be decided."""
    del state.active[key][worker]
    if not state.active[key]:
        del state.active[key]


def _outage(state: Project, event: facts.OutageNoted, at_us: int) -> int:
    table = state.assignments
    for row in range(table.count):
        deadline = state.lease_deadline(row)
        if deadline >= 0:
            table.deadline_us[row] = deadline + event.length_us
            state.deadlines.arm(row, deadline + event.length_us)
    return NONE


def _refit_fell_due(state: Project, event: facts.RefitFellDue, at_us: int) -> int:
    if state.refits.due or event.version != state.models.installed.version + 1:
        raise InvariantBroken(
            f"refit {event.version} fell due after refit {state.models.installed.version} was in force"
            f" and while refit {state.refits.due} was due"
        )
    state.refits.due = event.version
    return NONE


def _model_installed(state: Project, event: facts.ModelInstalled, at_us: int) -> int:
    installed = Installed(event.version, event.fitted_through, event.annotations, event.digest)
    evidence = [evidence_of(state, field) for field in range(len(event.fields))]
    state.models.install(installed, event.fields, evidence)
    _begin_schedule(state, at_us)
    state.reexamine_from = 0
    return EVERYTHING


HANDLERS: dict[type[Fact], Callable[[Project, Any, int], int]] = {
    facts.ProjectCreated: _created,
    facts.RulesApplied: _rules_applied,
    facts.ProjectPaused: _paused,
    facts.ProjectResumed: _resumed,
    facts.WorkerFactApplied: _worker_fact,
    facts.ItemAdded: fold_tasks.item_added,
    facts.TaskOpened: lambda state, event, at_us: fold_tasks.opened(state, event, at_us, worker_row),
    facts.SlotsPlanned: _planned,
    facts.LeaseGranted: _granted,
    facts.LeaseExtended: _extended,
    facts.LeaseExpired: _unanswered,
    facts.LeaseReleased: _unanswered,
    facts.AssignmentSkipped: _skipped,
    facts.LeaseRevoked: _unanswered,
    facts.AnswerSubmitted: _submitted,
    facts.AnswerAmended: fold_answers.amended,
    facts.AnswerWithdrawn: fold_answers.withdrawn,
    facts.AnswerDiscounted: fold_answers.discounted,
    facts.DraftSaved: _draft,
    facts.ReviewRequested: fold_answers.review_requested,
    facts.ReviewConcluded: fold_answers.review_concluded,
    facts.TaskEscalated: _escalated,
    facts.TaskFinalised: fold_tasks.finalised,
    facts.ResultCorrected: fold_tasks.corrected,
    facts.TaskReopened: fold_tasks.reopened,
    facts.TaskParked: fold_tasks.parked,
    facts.TaskCancelled: fold_tasks.cancelled,
    facts.WorkerDiscounted: _worker_discounted,
    facts.ItemErased: _item_erased,
    facts.PersonSevered: _severed,
    facts.EntryPosted: _posted,
    facts.BonusDecided: _bonus,
    facts.OutageNoted: _outage,
    facts.ProblemReported: _problem,
    facts.ModelInstalled: _model_installed,
    facts.RefitFellDue: _refit_fell_due,
}
