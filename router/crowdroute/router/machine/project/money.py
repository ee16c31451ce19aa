"""Ledger entries: what an answer earns, posted with the answer itself; bonuses, once per worker, rule and
period."""

from __future__ import annotations

import struct
from hashlib import blake2b

from crowdroute.router.events.project import BonusDecided, EntryPosted
from crowdroute.router.machine.stream import Steps
from crowdroute.router.model.ids import ID_BYTES, Id
from crowdroute.router.model.rules import BonusPlan
from crowdroute.router.model.states import Account, EntryKind, Mode, Payment
from crowdroute.router.quality.reward import decide
from crowdroute.router.state.project import Project

_length = struct.Struct(">I").pack

_empty = blake2b(digest_size=ID_BYTES, person=b"ledger")
"""Copied for each id, which takes half as long as to set one up."""

# Looking up an enum's member is slow, and every paid answer asks for these.
_UNPAID, _PIECE = Payment.NONE, EntryKind.PIECE
_LABELLING_COST, _WORKER_PAYABLE = Account.LABELLING_COST, Account.WORKER_PAYABLE


def _framed(cause: bytes) -> bytes:
    return _length(len(cause)) + cause


def entry_id(*causes: bytes) -> Id:
    """Derive an entry's id from what it is for, so that the same thing can never be posted under two ids."""
    digest = _empty.copy()
    digest.update(b"".join(map(_framed, causes)))
    return digest.digest()


_piece = _empty.copy()
_piece.update(_framed(b"piece") + _length(ID_BYTES))
"""Begun for an answer's entry, which is wanted for every answer."""


def piece_id(assignment: Id) -> Id:
    """Give what `entry_id` gives for the pay of an assignment's answer."""
    digest = _piece.copy()
    digest.update(assignment)
    return digest.digest()


def piece_entry(state: Project, assignment: int, identity: Id, worker: Id) -> EntryPosted | None:
    """Give the entry for what an accepted answer earns, at the price of its grant; None when it earns
    nothing.

    `identity` is the assignment's id, `worker` that of its worker.
    """
    table = state.assignments
    micros = table.price_micros[assignment]
    if not micros or table.payment[assignment] != _UNPAID:
        return None
    return EntryPosted(
        entry=piece_id(identity),
        kind=_PIECE,
        worker=worker,
        debit=_LABELLING_COST,
        credit=_WORKER_PAYABLE,
        micros=micros,
        currency=state.rules_at(table.rules_version[assignment]).prices.currency,
        assignment=identity,
    )


def take_back(state: Project, assignment: int) -> Steps:
    """Post the opposite of what an answer earned, because its worker withdrew it."""
    table = state.assignments
    if table.payment[assignment] == Payment.DUE:
        identity = table.id_of(assignment)
        yield EntryPosted(
            entry=entry_id(b"withdrawn", identity),
            kind=EntryKind.CORRECTION,
            worker=state.workers.id_of(table.worker[assignment]),
            debit=Account.LABELLING_COST,
            credit=Account.WORKER_PAYABLE,
            micros=-table.price_micros[assignment],
            currency=state.rules_at(table.rules_version[assignment]).prices.currency,
            assignment=identity,
        )


def reward(state: Project, worker: int, plan: BonusPlan, period: int) -> Steps:
    """Decide a worker's bonus for a period that has ended, and post it when the rule is enforced."""
    correct, checked = state.active[plan.id, period][worker]
    currency = state.rules.prices.currency
    decision = decide(plan, currency, correct, checked)
    identity = state.workers.id_of(worker)
    yield BonusDecided(
        worker=identity,
        rule=plan.id,
        period=period,
        mode=plan.mode,
        micros=decision.amount.micros,
        lower_bound=decision.interval.lower,
        correct=correct,
        checked=checked,
        least_checked=plan.least_checked,
    )
    if decision.amount.micros and plan.mode == Mode.ENFORCE:
        yield EntryPosted(
            entry=entry_id(b"bonus", state.project, identity, plan.id.encode(), str(period).encode()),
            kind=EntryKind.BONUS,
            worker=identity,
            debit=Account.BONUS_COST,
            credit=Account.WORKER_PAYABLE,
            micros=decision.amount.micros,
            currency=currency,
            rule=plan.id,
            period=period,
        )
