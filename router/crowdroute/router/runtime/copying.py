"""A history copied from one log to another, whatever keeps either, and compared with what it was copied from.

The chain hash covers sequence, input offsets and events, neither epoch nor place, so a copied history keeps
its hashes and a copy can be gone on with: what the target has is compared with the source, and what follows
is appended. Contents are compared by key and body. They travel with the batches of the copy, in the order of
their keys, and all of them stand in the target with the last batch at the latest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from crowdroute.router.adapters.codec import CHAIN_START
from crowdroute.router.errors import ConfigurationError, LogCorrupt
from crowdroute.router.ports import ContentChange, EventLog, StoredBatch

CONTENTS_AT_ONCE = 64
"""Contents read in one look: 256 MiB if every one is as large as the shard loop lets a batch's be."""

CONTENT_BYTES_PER_BATCH = 4 << 20
"""Contents that one batch of a copy brings along; the last brings whatever is left."""


class CopiedLog(EventLog, Protocol):
    """A log whose contents can be walked through."""

    content_key: bytes

    def select(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Give those of the contents that exist."""

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Give up to `limit` contents whose keys come after `key`, in the order of their keys."""


@dataclass(frozen=True)
class Copied:
    """What a copy took."""

    batches: int
    """Batches appended to the target."""
    contents: int
    """Contents written to it, or deleted there."""
    sequence: int
    """Of the last batch of both."""
    chain: bytes
    """Chain hash of that batch."""


async def copy_history(
    source: CopiedLog, target: CopiedLog, progress: Callable[[int, int], None] = lambda _done, _head: None
) -> Copied:
    """Append to a target what it lacks of a source; nobody else may write to either meanwhile.

    Args:
        source: opened by this process.
        target: opened by this process, with the source's content key; empty, or an earlier copy.
        progress: is told the sequence copied so far and that of the source's head.

    Raises:
        ConfigurationError: the target is not the beginning of the source.
        LogCorrupt: the source is damaged, or the target has its batches but not its contents.
        AppendFailed, Fenced: the target did not take a batch; copying again goes on from where it is.
    """
    sequence = common_sequence(source, target)
    head, chain = source.head()
    differences = _differences(source, target)
    if sequence == head:
        for change in differences:
            raise LogCorrupt(
                f"the target has every batch of the source but not its contents ({change.key} differs):"
                " copy to a new place",
                {"sequence": str(sequence), "differs": "contents"},
            )
    first, contents = sequence, 0
    for stored in source.read(sequence):
        room = None if stored.sequence == head else CONTENT_BYTES_PER_BATCH
        changes = await asyncio.to_thread(_some, differences, room)
        await target.append(stored._replace(epoch=target.epoch), changes)
        contents += len(changes)
        progress(stored.sequence, head)
    return Copied(head - first, contents, head, chain)


def compare(source: CopiedLog, target: CopiedLog) -> None:
    """See that two logs hold the same history and the same contents; both are read whole.

    Raises:
        LogCorrupt: they do not, with the first sequence or the key that differs.
    """
    of_target = target.read()
    sequence = 0
    for stored in source.read():
        sequence = stored.sequence
        found: StoredBatch | None = next(of_target, None)
        if found is None or found.chain != stored.chain:
            raise _differs(f"batch {sequence} of the copy is not that of the source", sequence, "chain")
    if next(of_target, None) is not None:
        raise _differs(f"the copy goes on after batch {sequence}, where the source ends", sequence, "end")
    if contents_digest(source) != contents_digest(target):
        raise _differs("the contents of the copy are not those of the source", sequence, "contents")


def contents_digest(log: CopiedLog) -> bytes:
    """Give a hash (BLAKE2b-256) over every content with its key, in the order of the keys."""
    digest = blake2b(digest_size=32)
    for key, body in _contents(log):
        for part in (key.encode(), body):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.digest()


def common_sequence(source: CopiedLog, target: CopiedLog) -> int:
    """Give the sequence of the target's head, which must be a batch of the source.

    Raises:
        ConfigurationError: it is not, or the two were begun with different content keys.
    """
    if source.content_key != target.content_key:
        raise ConfigurationError(
            "the target was begun by itself, with a key of its own for digests: copy to a new place"
        )
    sequence, chain = target.head()
    head, _ = source.head()
    if sequence > head:
        raise ConfigurationError(
            f"the target goes on to batch {sequence}, the source ends with batch {head}: copy the other way,"
            " or to a new place",
            {"sequence": str(head)},
        )
    expected = next(source.read(sequence - 1)).chain if sequence else CHAIN_START
    if chain != expected:
        raise ConfigurationError(
            f"the target holds another history: its batch {sequence} is not that of the source; copy to a new"
            " place",
            {"sequence": str(sequence)},
        )
    return sequence


def _contents(log: CopiedLog) -> Iterator[tuple[str, bytes]]:
    key = ""
    while page := log.contents_after(key, CONTENTS_AT_ONCE):
        yield from page
        key = page[-1][0]


def _differences(source: CopiedLog, target: CopiedLog) -> Iterator[ContentChange]:
    """Yield the changes that make the target's contents those of the source."""
    key = ""
    while page := source.contents_after(key, CONTENTS_AT_ONCE):
        there = target.select([name for name, _ in page])
        yield from (ContentChange(name, body) for name, body in page if there.get(name) != body)
        key = page[-1][0]
    key = ""
    while page := target.contents_after(key, CONTENTS_AT_ONCE):
        kept = source.select([name for name, _ in page])
        yield from (ContentChange(name, None) for name, _ in page if name not in kept)
        key = page[-1][0]


def _some(changes: Iterator[ContentChange], room: int | None) -> list[ContentChange]:
    """Take changes until they fill so many bytes; all of them for None."""
    some: list[ContentChange] = []
    size = 0
    while room is None or size < room:
        change = next(changes, None)
        if change is None:
            break
        some.append(change)
        size += len(change.body or b"") + len(change.key)
    return some


def _differs(what: str, sequence: int, differs: str) -> LogCorrupt:
    return LogCorrupt(
        f"{what}: stay with the source, and copy to a new place",
        {"sequence": str(sequence), "differs": differs},
    )
