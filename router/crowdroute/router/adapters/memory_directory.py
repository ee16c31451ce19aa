"""The directory of a process that has nobody to share it with."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence

from crowdroute.router.ports import Kept, KeyspaceOwner, Notice

EVERYTHING = Notice("", ())
SEEN_US = 900 * 1_000_000
"""Who was seen longer ago is forgotten."""

MOST_BUCKETS = 100_000
"""Buckets remembered; then full ones, which are no different from none, are forgotten."""

MOST_UNREAD = 10_000
"""Notices kept for a reader who does not come; then one says that anything may have changed."""


class MemoryDirectory:
    """Rows, presence and buckets in dictionaries; several owners in one process see the same ones."""

    has_others = False
    answers = True

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing.

        Args:
            clock: seconds, by which buckets fill.
        """
        self._clock = clock
        self._owners: dict[str, KeyspaceOwner] = {}
        self._rows: dict[str, dict[str, bytes]] = {}
        self._seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._readers: list[asyncio.Queue[Notice]] = []

    async def put(self, keyspace: str, owner: KeyspaceOwner, changes: Mapping[str, bytes | None]) -> Kept:
        """Change rows; see `Directory.put`."""
        refused = self._refused(keyspace, owner)
        if refused is not None:
            return refused
        rows = self._rows.get(keyspace)
        if rows is None or self._owners[keyspace] != owner:
            return Kept.LOST
        for key, row in changes.items():
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        if changes:
            self._tell(Notice(keyspace, tuple(changes)))
        return Kept.DONE

    async def rebuild(
        self, keyspace: str, owner: KeyspaceOwner, rows: AsyncIterable[Mapping[str, bytes]]
    ) -> Kept:
        """Put rows in the place of all there are; see `Directory.rebuild`."""
        refused = self._refused(keyspace, owner)
        if refused is not None:
            return refused
        self._owners[keyspace] = owner
        self._rows.pop(keyspace, None)
        built: dict[str, bytes] = {}
        async for part in rows:
            built.update(part)
        if self._owners.get(keyspace) != owner:
            return Kept.LOST
        self._rows[keyspace] = built
        self._tell(Notice(keyspace, ()))
        return Kept.DONE

    async def get(self, keyspace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Give those of the rows that are known."""
        rows = self._rows.get(keyspace, {})
        return {key: rows[key] for key in keys if key in rows}

    async def see(self, group: str, seen: Mapping[str, int]) -> None:
        """Note when somebody was seen."""
        known = self._seen[group]
        for name, moment in seen.items():
            known[name] = max(moment, known.get(name, 0))
        oldest = max(seen.values(), default=0) - SEEN_US
        for name in [name for name, moment in known.items() if moment < oldest]:
            del known[name]

    async def seen(self, group: str, since_us: int) -> dict[str, int]:
        """Give who was seen since."""
        return {name: moment for name, moment in self._seen[group].items() if moment >= since_us}

    async def settle(
        self, group: str, spent: Mapping[str, int], per_second: float, burst: float
    ) -> dict[str, float]:
        """Take from shared buckets; see `Directory.settle`."""
        now = self._clock()
        left = {}
        if len(self._buckets) >= MOST_BUCKETS:
            self._buckets = {
                key: (level, at)
                for key, (level, at) in self._buckets.items()
                if level + (now - at) * per_second < burst
            }
        for name, calls in spent.items():
            level, at = self._buckets.get((group, name), (burst, now))
            level = max(min(burst, level + max(0.0, now - at) * per_second) - calls, -burst)
            self._buckets[group, name] = (level, now)
            left[name] = level
        return left

    async def notices(self) -> AsyncIterator[Notice]:
        """Yield what changes, for as long as it is read."""
        queue: asyncio.Queue[Notice] = asyncio.Queue(MOST_UNREAD)
        self._readers.append(queue)
        try:
            yield EVERYTHING
            while True:
                yield await queue.get()
        finally:
            self._readers.remove(queue)

    async def close(self) -> None:
        """Nothing is held."""

    def _refused(self, keyspace: str, owner: KeyspaceOwner) -> Kept | None:
        present = self._owners.get(keyspace)
        if present is None or present == owner:
            return None
        if present.log != owner.log:
            return Kept.FOREIGN
        return Kept.SUPERSEDED if present.epoch > owner.epoch else None

    def _tell(self, notice: Notice) -> None:
        for queue in self._readers:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                notice = EVERYTHING
            queue.put_nowait(notice)
