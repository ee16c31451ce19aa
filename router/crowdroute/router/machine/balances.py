"""Which workers' totals the organisations do not know yet, and since when."""

from __future__ import annotations

from collections.abc import Iterator

from crowdroute.router.commands.organisation import NoteBalance
from crowdroute.router.machine import crossing
from crowdroute.router.machine.streams import Streams
from crowdroute.router.model.ids import Id

DELAY_US = 60_000_000
"""How old a worker's total in the organisation may be: a minute, so that a busy worker costs one event, not
hundreds."""

AT_ONCE = 256
"""Totals told per call of `Shard.due`."""

Named = tuple[str, Id]
"""A project's stream and a worker."""


class UntoldBalances:
    """Totals that changed, by project's stream and worker, the longest waiting first."""

    def __init__(self, streams: Streams) -> None:
        """Wait for nothing yet."""
        self._streams = streams
        self._here: dict[Named, int] = {}
        # The same where the organisation lives in another shard.
        self._apart: dict[Named, int] = {}

    def note(self, name: str, worker: Id, apart: bool, at_us: int) -> None:
        """Remember that a total changed, unless it waits already."""
        (self._apart if apart else self._here).setdefault((name, worker), at_us)

    def next_due_us(self) -> int | None:
        """Give the moment at which `due` has something to give, or None."""
        return next(iter(self._here.values())) + DELAY_US if self._here else None

    def due(self, now_us: int) -> Iterator[tuple[str, NoteBalance]]:
        """Take out the totals that organisations of this shard are to be told: each with its project's stream
        and under the number of its entries as version."""
        for key in _old_enough(self._here, now_us):
            del self._here[key]
            yield key[0], self._balance(key)

    def outgoing(self, now_us: int) -> list[tuple[str, NoteBalance]]:
        """Give the totals that organisations in other shards are to be told; `told` once it is durable
        there."""
        return [(key[0], self._balance(key)) for key in _old_enough(self._apart, now_us)]

    def told(self, name: str, balance: NoteBalance, now_us: int) -> None:
        """Learn that the organisation of a project in another shard knows a total; a newer one is told a
        minute later."""
        key = name, balance.worker
        self._apart.pop(key, None)
        if self._balance(key).version > balance.version:
            self._apart[key] = now_us

    def forget_known(self) -> None:
        """Forget the totals that their organisation knows."""
        for untold in (self._here, self._apart):
            for key in list(untold):
                organisation = self._streams.organisation_of(key[0])
                if organisation is not None and crossing.is_known(self._balance(key), organisation.state):
                    del untold[key]

    def pack(self) -> list[tuple[Named, int]]:
        """Give what waits, and since when."""
        return [*self._here.items(), *self._apart.items()]

    def unpack(self, waiting: list[tuple[Named, int]]) -> None:
        """Take over what `pack` gave, once the streams are there."""
        for (name, worker), since_us in waiting:
            self.note(name, worker, self._streams[name].apart, since_us)

    def _balance(self, key: Named) -> NoteBalance:
        return crossing.balance_of(self._streams.project_at(key[0]).state, key[1])


def _old_enough(untold: dict[Named, int], now_us: int) -> Iterator[Named]:
    for key, since_us in list(untold.items())[:AT_ONCE]:
        if since_us + DELAY_US > now_us:
            break
        yield key
