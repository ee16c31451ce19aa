"""Which workers' totals the organisations do not know yet, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.machine import crossing
from crowdroute.router.machine.stream import organisation_stream, project_stream, tenant_of
from crowdroute.router.machine.streams import Streams
from crowdroute.router.model.ids import Id

DELAY_US = 60_000_000
"""How old a worker's total in the organisation may be: a minute, so that a busy worker costs one event, not
hundreds."""

AT_ONCE = 256
"""Totals told per call of `Shard.due`."""

OUTGOING = 64 * crossing.TOTALS_TOGETHER
"""Most totals that leave for other shards per look, about a second's work; whoever copies the logs waits for
the look to end."""

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
        for key in _old_enough(self._here, now_us, AT_ONCE):
            del self._here[key]
            yield key[0], self._balance(key)

    def outgoing(self, now_us: int) -> Iterator[tuple[str, NoteBalances]]:
        """Yield what organisations in other shards are to be told, each command with its stream; `told` once
        it is durable there.

        A command is made when it is asked for, of the totals as they are then, so that who carries one after
        the other holds nobody up; what changes meanwhile is told another time.
        """
        together: dict[str, list[NoteBalance]] = {}
        for key in _old_enough(self._apart, now_us, OUTGOING):
            stream = organisation_stream(tenant_of(key[0]))
            some = together.setdefault(stream, [])
            some.append(self._balance(key))
            if len(some) == crossing.TOTALS_TOGETHER:
                yield stream, NoteBalances(tuple(together.pop(stream)))
        for stream, some in together.items():
            yield stream, NoteBalances(tuple(some))

    def told(self, stream: str, balances: Sequence[NoteBalance], now_us: int) -> None:
        """Learn that an organisation in another shard knows totals; a newer one is told a minute later."""
        for balance in balances:
            key = project_stream(tenant_of(stream), balance.project), balance.worker
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


def _old_enough(untold: dict[Named, int], now_us: int, most: int) -> list[Named]:
    due = takewhile(lambda waiting: waiting[1] + DELAY_US <= now_us, islice(untold.items(), most))
    return [key for key, _ in due]
