"""Ledger entries, read from the log: it alone holds each of them with its moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.errors import WrongState
from crowdroute.router.events import Batch
from crowdroute.router.events.project import EntryPosted
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.engine import Engine

READ_BYTES = 128 * 1024
"""Bytes of the log read at once: some hundred small batches, while which the log's connection is held."""

MOST_READ = 256
"""Times the log is read for one page."""


@runtime_checkable
class ReadableLog(Protocol):
    """A log that can be read while it is appended to."""

    async def read_some(self, after: int, limit_bytes: int) -> list[StoredBatch]:
        """Give the batches above `after` that fit into `limit_bytes`, but one at least if there is one."""


class Spot(NamedTuple):
    """A place in the log."""

    batch: int
    """All batches up to this one were read whole."""
    entry: int
    """Entries of the next batch that were read whole."""
    event: int
    """Events of the next entry that were read."""


def readable(engine: Engine) -> ReadableLog:
    """Give the engine's log as one that can be read.

    Raises:
        WrongState: it cannot.
    """
    if not isinstance(engine.log, ReadableLog):
        raise WrongState("this log cannot be read while the engine serves", {"state": "SERVING"})
    return engine.log


async def read_entries(
    engine: Engine, stream: str, worker: Id, begin: Spot, wanted: int
) -> tuple[list[tuple[int, EntryPosted]], Spot | None]:
    """Give up to `wanted` ledger entries of a stream with their moments, and where to read on.

    Args:
        engine: whose log is read, and waited for by the caller.
        stream: of the project.
        worker: only this one's entries; NO_ID: everybody's.
        begin: where to begin.
        wanted: most entries.

    Returns:
        The entries, and the place after the last; None in its stead at the end of the log.
    """
    log = readable(engine)
    found: list[tuple[int, EntryPosted]] = []
    for _ in range(MOST_READ):
        stored = await log.read_some(begin.batch, READ_BYTES)
        if not stored:
            return found, None
        for batch in await asyncio.to_thread(decoded, stored):
            for spot, at_us, event in _posted(batch, stream, begin):
                if worker in (NO_ID, event.worker):
                    if len(found) == wanted:
                        return found, begin
                    found.append((at_us, event))
                begin = spot
            begin = Spot(batch.sequence, 0, 0)
    return found, begin


def decoded(stored: Sequence[StoredBatch]) -> list[Batch]:
    """Read batches.

    Raises:
        LogCorrupt: one is not what was written.
    """
    return [decode_batch(one.body, one.sequence) for one in stored]


def _posted(batch: Batch, stream: str, begin: Spot) -> Iterator[tuple[Spot, int, EntryPosted]]:
    """Yield a batch's ledger entries from a place on, each with its moment and the place after it."""
    for number in range(begin.entry, len(batch.entries)):
        entry = batch.entries[number]
        if entry.stream != stream:
            continue
        first = begin.event if number == begin.entry else 0
        for place, event in enumerate(entry.events[first:], first):
            if isinstance(event, EntryPosted):
                yield Spot(batch.sequence - 1, number, place + 1), entry.at_us, event
