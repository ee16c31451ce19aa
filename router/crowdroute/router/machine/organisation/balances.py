"""Decisions on what projects say they owe."""

from __future__ import annotations

from crowdroute.router.commands.organisation import NoteBalance
from crowdroute.router.commands.replies import Done
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.events.organisation import BalanceNoted
from crowdroute.router.machine.organisation.fields import require_id
from crowdroute.router.machine.stream import Decision
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.workers.errors import InvalidMoney
from crowdroute.workers.ledger import Money


def note_balance(state: OrganisationState, command: NoteBalance) -> Decision:
    """Take over a running total; one that is not newer than the known one changes nothing.

    One count of versions serves all currencies of a project and worker; each currency has a total of its
    own. An erased worker is still owed what they earned.
    """
    require_id("project", command.project)
    require_id("worker", command.worker)
    if command.version < 1:
        raise InvalidCommand(f"version is {command.version}: give 1 or more", {"field": "version"})
    try:
        Money(command.micros, command.currency)
    except InvalidMoney as error:
        raise InvalidCommand(error.message, {"field": "micros"}) from error
    if command.project not in state.projects:
        raise NotFound(f"no project {to_text(Kind.PROJECT, command.project)}", {"field": "project"})
    if command.worker not in state.workers:
        raise NotFound(f"no worker {to_text(Kind.WORKER, command.worker)}", {"field": "worker"})
    known = [row.version for row in state.list_balances(command.worker) if row.project == command.project]
    if command.version > max(known, default=0):
        yield BalanceNoted(command.project, command.worker, command.version, command.micros, command.currency)
    return Done()
