"""Organisations that live in another shard, as far as they are durable there.

A shard that has projects of an organisation which lives elsewhere needs to know its workers, tokens and
suppliers. It folds the organisation's durable entries into a copy, in their order, and nothing else: what is
not durable there yet is not known here, so that no fact can cross that a crash takes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from crowdroute.router.errors import NotReady
from crowdroute.router.events import Entry
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.organisation_rows import PIECE_ROWS, HeldRows, put_rows

STALE_SECONDS = 5.0
"""How old at most what a copy tells may be: so long a token that was revoked, or a worker who was banned, may
still be let in where the link to its shard is cut. Longer than a restart of that shard takes."""


class OrganisationCopy:
    """One organisation that lives elsewhere."""

    def __init__(self, stream: str, shard: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing.

        Args:
            stream: name of the organisation's stream.
            shard: where it lives.
            clock: seconds.
        """
        self.stream = stream
        self.shard = shard
        self.machine = OrganisationMachine()
        """The same object for ever; its state is replaced when the copy begins anew."""
        self.sequence = 0
        """The last batch of that shard's log that the copy has heard of."""
        self.local = False
        """Whether the other shard is in this process, so that the copy is never behind what is durable."""
        self.begun = 0
        """How often a whole state was taken over: what followed an earlier one may have missed something."""
        self._clock = clock
        self._heard: float | None = None

    def begin(self, state: OrganisationState, sequence: int) -> None:
        """Take over the organisation's state as of a batch of its shard's log; what followed is told next."""
        self.machine.state = state
        self.begun += 1
        self.sequence = max(self.sequence, sequence)

    def fold(self, entry: Entry, sequence: int) -> None:
        """Take over one durable entry of the organisation's stream, of a batch of its shard's log."""
        for event in entry.events:
            self.machine.apply(event, entry.at_us)
        self.sequence = max(self.sequence, sequence)

    def heard(self, sequence: int) -> None:
        """Learn that everything up to a batch has been told, and that nothing newer was durable just now."""
        self.sequence = max(self.sequence, sequence)
        self._heard = self._clock()

    def require_fresh(self) -> None:
        """Refuse to go by what is too old.

        Raises:
            NotReady: the other shard was not heard of for a while, or not yet.
        """
        if self.local:
            return
        if self._heard is None or self._clock() - self._heard > STALE_SECONDS:
            raise NotReady(
                f"this shard has not heard from shard {self.shard}, where the organisation lives, for"
                f" {STALE_SECONDS:g} seconds: call again",
                {"shard": str(self.shard)},
            )


async def copied(state: OrganisationState) -> OrganisationState:
    """Give another state with the same rows, as they are now; others have their turn between the pieces."""
    copy = OrganisationState()
    for piece in HeldRows(state).pieces():
        put_rows(copy, piece.table, piece.rows)
        await asyncio.sleep(0)
    return copy


async def let_go(state: OrganisationState) -> None:
    """Give back the memory of a state that was replaced; others have their turn meanwhile.

    Whoever still looks at the state finds it whole: rows are kept by other references while it goes.
    """
    kept: list[list[object]] = []
    for table in (state.workers, state.tokens, state.balances, state.persons):
        kept.append(list(table.values()))
        await asyncio.sleep(0)
    del table, state
    for rows in kept:
        while rows:
            del rows[-PIECE_ROWS:]
            await asyncio.sleep(0)
