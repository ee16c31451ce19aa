"""Small histories for logs of any kind."""

from __future__ import annotations

from crowdroute.router.adapters.codec import chain
from crowdroute.router.ports import ContentChange, EventLog, StoredBatch


async def append(log: EventLog, body: bytes, *contents: ContentChange) -> None:
    """Append one batch with such a body."""
    sequence, previous = log.head()
    await log.append(StoredBatch(sequence + 1, log.epoch, chain(previous, body), body), contents)


async def some_history(log: EventLog, batches: int = 5) -> None:
    """Append some batches with a content each."""
    for n in range(batches):
        await append(log, b"%d" % n, ContentChange(f"item/{n}", b"text %d" % n))
