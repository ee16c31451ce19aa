"""Keeps the rows of a directory as a shard's state has them.

Only what is durable is told: rows are read, then everything decided so far is awaited, then they are written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from time import monotonic

import structlog

from crowdroute.router.errors import ConfigurationError, RouterError
from crowdroute.router.events import Entry
from crowdroute.router.ports import Directory, Kept, KeyspaceOwner
from crowdroute.router.runtime.directory.tables import Table
from crowdroute.router.runtime.engine import Engine

BEAT_SECONDS = 1.0
"""How often the directory is told that we live, and asked whether it still has what we wrote."""

GATHER_SECONDS = 0.25
"""How long changes gather before they are written together: a worker's ten answers are one row."""

PART = 500
"""Rows written out between two looks at the network: a few milliseconds."""

MOST_PENDING = 20_000
"""Changed rows remembered while nobody answers; with more, rebuilding all is cheaper."""

_log = structlog.get_logger("crowdroute.directory")


class _Kept:
    """One table and how it stands in the directory."""

    __slots__ = ("last", "pending", "table", "under_way")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.pending: set[str] = set()
        self.under_way: set[str] = set()
        self.last: Kept = Kept.LOST


class Keeper:
    """Follows an engine's log for as long as `run` runs."""

    def __init__(self, engine: Engine, directory: Directory, tables: Sequence[Table]) -> None:
        """Write nothing yet.

        Args:
            engine: started.
            directory: where rows are kept.
            tables: which rows.
        """
        self._engine = engine
        self._directory = directory
        self._kept = [_Kept(table) for table in tables]
        self._owner = owner_of(engine)
        self._changed = asyncio.Event()
        self.rebuilds = 0
        """How often all rows of a keyspace were written anew."""

    @property
    def pending(self) -> int:
        """Changed rows that are not written yet."""
        return sum(len(kept.pending | kept.under_way) for kept in self._kept)

    @property
    def current(self) -> bool:
        """Whether every keyspace is ours and was, at the last look, as the state has it."""
        return all(kept.last is Kept.DONE for kept in self._kept)

    def require_ours(self) -> None:
        """See that no other cluster lives in the same namespace.

        Raises:
            ConfigurationError: one does.
        """
        for kept in self._kept:
            if kept.last is Kept.FOREIGN:
                raise ConfigurationError(
                    f"another cluster, with another log, keeps {kept.table.keyspace!r} in this namespace of "
                    "Redis: give each cluster a redis.namespace of its own"
                )

    async def run(self) -> None:
        """Write what changes until it is cancelled or the engine stops."""
        unsubscribe = self._engine.subscribe(self._on_durable)
        try:
            while True:
                await self.step()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await self._changed.wait()
                await asyncio.sleep(GATHER_SECONDS)
                self._changed.clear()
        except RouterError:
            return  # the engine stopped, and says why itself
        finally:
            unsubscribe()

    async def step(self) -> None:
        """Bring every keyspace up to date, as far as the directory answers.

        Raises:
            RouterError: the engine cannot make anything durable any more.
        """
        for kept in self._kept:
            before = kept.last
            if before in (Kept.DONE, Kept.UNREACHABLE):
                kept.last = await self._write(kept)
            if kept.last not in (Kept.DONE, Kept.UNREACHABLE):
                kept.last = await self._rebuild(kept)
            if kept.last is not before and kept.last in (Kept.FOREIGN, Kept.SUPERSEDED):
                _log.error("directory kept by another", keyspace=kept.table.keyspace, why=kept.last.value)

    def _on_durable(self, entries: Sequence[Entry]) -> None:
        for kept in self._kept:
            for key in kept.table.touched(entries):
                kept.pending.add(key)
                self._changed.set()
            if len(kept.pending) > MOST_PENDING:
                kept.pending.clear()
                kept.last = Kept.LOST

    async def _write(self, kept: _Kept) -> Kept:
        kept.under_way, kept.pending = kept.pending, set()
        changes = {key: kept.table.row(key) for key in kept.under_way}
        if changes:
            await self._engine.observe()
        outcome = await self._directory.put(kept.table.keyspace, self._owner, changes)
        self._ended(kept, outcome)
        return outcome

    async def _rebuild(self, kept: _Kept) -> Kept:
        began = monotonic()
        kept.under_way, kept.pending = kept.pending, set()
        outcome = await self._directory.rebuild(kept.table.keyspace, self._owner, self._rows(kept.table))
        self._ended(kept, outcome)
        if outcome is not Kept.DONE:
            return outcome
        self.rebuilds += 1
        _log.info("directory rebuilt", keyspace=kept.table.keyspace, seconds=round(monotonic() - began, 3))
        return outcome

    @staticmethod
    def _ended(kept: _Kept, outcome: Kept) -> None:
        """Let go of what was under way, or have it wait again."""
        if outcome is not Kept.DONE:
            kept.pending |= kept.under_way
        kept.under_way = set()

    async def _rows(self, table: Table) -> AsyncIterator[Mapping[str, bytes]]:
        keys = table.keys()
        for begin in range(0, len(keys), PART):
            rows = {key: table.row(key) for key in keys[begin : begin + PART]}
            await self._engine.observe()
            yield {key: row for key, row in rows.items() if row is not None}
            await asyncio.sleep(0)


def owner_of(engine: Engine) -> KeyspaceOwner:
    """Say whose rows an engine's are: its log by a keyed digest, which tells nothing else."""
    return KeyspaceOwner(engine.digest(b"crowdroute directory").hex(), engine.log.epoch)
