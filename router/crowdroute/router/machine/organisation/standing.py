"""Decisions on what a worker is trusted with, and pauses that end by themselves.

The table of what may follow what is the workers library's.
"""

from __future__ import annotations

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import ChangeWorkerStatus
from crowdroute.router.commands.replies import Done
from crowdroute.router.errors import InvalidCommand, WrongState
from crowdroute.router.events.organisation import WorkerStatusChanged
from crowdroute.router.machine.organisation.people import require_worker
from crowdroute.router.machine.stream import Decision, Steps
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.state.organisation import OrganisationState, WorkerRow
from crowdroute.workers import status as table
from crowdroute.workers.errors import TransitionRefused
from crowdroute.workers.status import Actor, Standing, StatusReason

MOST_ENDED = 256
"""Pauses ended in one step: at under 100 bytes each, far from filling a batch of 512 KiB."""


def change_worker_status(
    state: OrganisationState, command: ChangeWorkerStatus, request: Request, now_us: int
) -> Decision:
    """Change a worker's status for one of the reasons of the table; the engine itself acts as the policy."""
    row = require_worker(state, command.worker)
    if command.until_us and command.until_us <= now_us:
        raise InvalidCommand("until_us lies in the past: give a later moment, or 0", {"field": "until_us"})
    actor = Actor.MANAGER if request.principal else Actor.POLICY
    after = _after(row, _reason(command.reason), actor, command.until_us)
    if after.status != command.status:
        raise InvalidCommand(
            f"{command.reason} leads from {row.facts.status.name} to {after.status.name}, not to "
            f"{command.status.name}: ask for what the reason leads to",
            {"field": "status", "state": row.facts.status.name},
        )
    yield WorkerStatusChanged(
        command.worker, command.status, row.facts.version + 1, command.reason, command.until_us
    )
    return Done()


def end_pauses(state: OrganisationState, now_us: int) -> Steps:
    """Yield the return of workers whose pause is over, as many as one step may hold."""
    for _ in range(MOST_ENDED):
        row = state.ended_pause(now_us)
        if row is None:
            return
        after = _after(row, StatusReason.PAUSE_ENDED, Actor.POLICY, 0)
        yield WorkerStatusChanged(
            row.facts.worker,
            WorkerStatus(after.status),
            row.facts.version + 1,
            StatusReason.PAUSE_ENDED.value,
        )


def standing_of(row: WorkerRow) -> Standing:
    """Give a worker's standing in the words of the workers library.

    Raises:
        TransitionRefused: no sequence of transitions leads to what the row says.
    """
    return Standing(
        table.WorkerStatus(row.rank),
        row.facts.status is WorkerStatus.PAUSED,
        row.until_us or None,
    )


def _reason(text: str) -> StatusReason:
    try:
        return StatusReason(text)
    except ValueError:
        raise InvalidCommand(
            f"{text[:64]!r} is no reason for a change of status; the reasons are: {', '.join(StatusReason)}",
            {"field": "reason"},
        ) from None


def _after(row: WorkerRow, reason: StatusReason, actor: Actor, until_us: int) -> Standing:
    try:
        return table.change_status(standing_of(row), reason, actor, until_us=until_us or None)
    except TransitionRefused as error:
        raise WrongState(error.message, error.details | {"state": row.facts.status.name}) from error
