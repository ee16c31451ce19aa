"""A history copied from one log to another, whatever keeps either, and compared with what it was copied from.

The chain hash covers sequence, input offsets and events, neither epoch nor place, so a copied history keeps
its hashes and a copy can be gone on with: what the target has is compared with the source, and what follows
is appended. Contents are compared by key and body. They travel with the batches of the copy, in the order of
their keys, and all of them stand in the target with the last batch at the latest.

A copy goes on in rounds while the source is written to. Each round notes how far the list of changed contents
goes, and afterwards this holds: every content that did not change after that is the same in both. So the next
round looks at those alone that changed, and the last one, while nobody writes, at so few that it is short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from crowdroute.router.adapters.codec import CHAIN_START
from crowdroute.router.errors import ConfigurationError, LogCorrupt
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.carrying import differences, take_some
from crowdroute.router.runtime.comparing import ReadLog, compare_batches, require_same

BATCHES_AT_ONCE = 64
"""Batches appended in one go: a file takes them in one transaction, 32 MiB if every one is as large as the
shard loop lets it be."""

CONTENT_BYTES_AT_ONCE = 4 << 20
"""Contents that go along with them; the last batch of a copy brings whatever is left."""


class SourceLog(ReadLog, Protocol):
    """A log that tells which contents changed."""

    def mark(self) -> int | None:
        """Give the number of the last change of a content; None when nobody counts."""

    def touched(self, mark: int) -> set[str] | None:
        """Give the keys of the contents that changed after a mark, until now; None when that is not known."""


class BesideLog(SourceLog, Protocol):
    """A log that is read while others write to it, as far as it went at the last `bring`; blocks."""

    def bring(self) -> None:
        """Look how far it goes now."""

    def close(self) -> None:
        """Let go of it."""


class TargetLog(ReadLog, Protocol):
    """A log that this process owns."""

    epoch: int

    async def append_some(self, batches: Sequence[StoredBatch], contents: Sequence[ContentChange]) -> None:
        """Make batches and contents durable."""


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


class ShardCopy:
    """The copy of one shard's log, round after round, and what of it was read back and compared."""

    def __init__(self, target: TargetLog, again: BesideLog) -> None:
        """Begin with a target of which nothing is known.

        Args:
            target: empty, or an earlier copy.
            again: reads the target from where it now is.
        """
        self.target = target
        self._again = again
        self._compared = 0
        """Sequence through which batches are compared."""
        self._mark: int | None = None
        """Every content that did not change in the source after this mark is the same in the target."""
        self._owed: set[str] = set()
        """Contents that differ all the same: there was no batch that they could go along with."""
        self.batches = self.contents = 0

    async def go_on(
        self,
        source: SourceLog,
        progress: Callable[[int, int], None] = lambda _done, _head: None,
        *,
        is_last: bool = False,
    ) -> Copied:
        """Copy what came since the last round, read it back and compare it.

        Args:
            source: whose head stands still meanwhile; its contents may change, as it then says of them.
            progress: is told the sequence copied so far and that of the source's head.
            is_last: nobody writes to the source any more, and nothing may differ afterwards.

        Returns:
            What all rounds together took.

        Raises:
            ConfigurationError: the target is not the beginning of the source.
            LogCorrupt: the source is damaged, or the copy is not the same.
            StorageError: one of them does not answer; copying again goes on from where it is.
        """
        (head, chain), mark = source.head(), source.mark()
        keys = await asyncio.to_thread(self._changed, source)
        has_new = head > self.target.head()[0]
        if has_new:
            copied = await copy_history(source, self.target, progress, keys)
            self.batches += copied.batches
            self.contents += copied.contents
        differing = await asyncio.to_thread(self._compare, source, keys)
        if has_new or is_last:
            differing = await asyncio.to_thread(_unexplained, source, mark, differing, is_last)
            require_same(head, sorted(differing))
        self._mark, self._owed = mark, differing
        return Copied(self.batches, self.contents, head, chain)

    def _changed(self, source: SourceLog) -> set[str] | None:
        """Give the keys of the contents that may differ; None: any may."""
        touched = None if self._mark is None else source.touched(self._mark)
        return None if touched is None else touched | self._owed

    def _compare(self, source: SourceLog, keys: set[str] | None) -> set[str]:
        """See that the batches that were not compared yet are the same; gives the contents that differ."""
        self._again.bring()
        compare_batches(source, self._again, self._compared)
        self._compared = source.head()[0]
        return {change.key for change in differences(source, self._again, keys)}


def _unexplained(source: SourceLog, mark: int | None, differing: set[str], is_last: bool) -> set[str]:
    """Give those of the contents that differ of which the source does not say that they changed meanwhile."""
    if not differing:
        return differing
    touched = None if mark is None else source.touched(mark)
    if touched is None:
        # It cannot tell, nor can it for the next round, which therefore looks at all of them.
        return differing if is_last else set()
    return differing - touched


async def copy_history(
    source: ReadLog,
    target: TargetLog,
    progress: Callable[[int, int], None] = lambda _done, _head: None,
    keys: set[str] | None = None,
) -> Copied:
    """Append to a target what it lacks of a source, up to the source's head.

    Args:
        source: whose head stands still meanwhile.
        target: opened by this process, with the source's content key; empty, or an earlier copy.
        progress: is told the sequence copied so far and that of the source's head.
        keys: of the contents that may differ; None: any may.

    Raises:
        ConfigurationError: the target is not the beginning of the source.
        LogCorrupt: the source is damaged, or the target has its batches but not its contents.
        AppendFailed, Fenced: the target did not take a batch; copying again goes on from where it is.
    """
    first = sequence = common_sequence(source, target)
    head, chain = source.head()
    changes = differences(source, target, keys)
    if sequence == head:
        for change in changes:
            raise LogCorrupt(
                f"the target has every batch of the source but not its contents ({change.key} differs):"
                " copy to a new place",
                {"sequence": str(sequence), "differs": "contents"},
            )
    contents = 0
    batches = source.read(sequence)
    while page := await asyncio.to_thread(_page, batches, target.epoch):
        sequence = page[-1].sequence
        room = None if sequence == head else CONTENT_BYTES_AT_ONCE
        some = await asyncio.to_thread(take_some, changes, room)
        await target.append_some(page, some)
        contents += len(some)
        progress(sequence, head)
    return Copied(head - first, contents, head, chain)


def common_sequence(source: ReadLog, target: ReadLog) -> int:
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


def _page(batches: Iterator[StoredBatch], epoch: int) -> list[StoredBatch]:
    return [stored._replace(epoch=epoch) for stored in islice(batches, BATCHES_AT_ONCE)]
