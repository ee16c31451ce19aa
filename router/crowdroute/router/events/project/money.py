"""What is owed to workers."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import (
    Account,
    EntryKind,
    Mode,
)


class EntryPosted(Fact, tag=32):
    """Money moved between two accounts; never changed, only corrected by another entry."""

    entry: Id
    """Unique: derived from what the entry is for, so the same thing cannot be posted twice."""
    kind: EntryKind
    worker: Id
    debit: Account
    credit: Account
    micros: int
    """Amount in micro-units; negative in a correction."""
    currency: str
    assignment: Id = NO_ID
    rule: str = ""
    period: int = 0


class BonusDecided(Fact, tag=33):
    """A bonus rule was evaluated for one worker and period, with the numbers it went by."""

    worker: Id
    rule: str
    period: int
    """Number of the period since the epoch."""
    mode: Mode
    micros: int
    lower_bound: float
    correct: int
    checked: int
    least_checked: int
