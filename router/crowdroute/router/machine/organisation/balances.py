"""Decisions on what projects say they owe."""

from __future__ import annotations

from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.commands.replies import Done, Noted
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.events.organisation import BalanceNoted
from crowdroute.router.machine.crossing import TOTALS_TOGETHER
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
    _require_sound(command)
    _require_known(state, command)
    if _is_newer(state, command):
        yield _noted(command)
    return Done()


def note_balances(state: OrganisationState, command: NoteBalances) -> Decision:
    """Take over each of several running totals as `note_balance` would.

    One that cannot be right refuses them all, before the first; an unknown project or worker only what is
    told of it, since a project may work before the organisation has registered it.
    """
    if not 1 <= len(command.balances) <= TOTALS_TOGETHER:
        raise InvalidCommand(
            f"{len(command.balances)} totals at once: give 1 to {TOTALS_TOGETHER}", {"field": "balances"}
        )
    for balance in command.balances:
        _require_sound(balance)
    unknown = []
    for place, balance in enumerate(command.balances):
        if balance.project not in state.projects or balance.worker not in state.workers:
            unknown.append(place)
        elif _is_newer(state, balance):
            yield _noted(balance)
    return Noted(tuple(unknown))


def _require_sound(balance: NoteBalance) -> None:
    require_id("project", balance.project)
    require_id("worker", balance.worker)
    if balance.version < 1:
        raise InvalidCommand(f"version is {balance.version}: give 1 or more", {"field": "version"})
    try:
        Money(balance.micros, balance.currency)
    except InvalidMoney as error:
        raise InvalidCommand(error.message, {"field": "micros"}) from error


def _require_known(state: OrganisationState, balance: NoteBalance) -> None:
    if balance.project not in state.projects:
        raise NotFound(f"no project {to_text(Kind.PROJECT, balance.project)}", {"field": "project"})
    if balance.worker not in state.workers:
        raise NotFound(f"no worker {to_text(Kind.WORKER, balance.worker)}", {"field": "worker"})


def _is_newer(state: OrganisationState, balance: NoteBalance) -> bool:
    known = (row.version for row in state.list_balances(balance.worker) if row.project == balance.project)
    return balance.version > max(known, default=0)


def _noted(balance: NoteBalance) -> BalanceNoted:
    return BalanceNoted(balance.project, balance.worker, balance.version, balance.micros, balance.currency)
