"""From the log to a core that can decide: newest usable snapshot, then every batch after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.errors import LogCorrupt, SnapshotUnusable
from crowdroute.router.ports import Core, EventLog, Snapshots

PROGRESS_BATCHES = 256
"""Batches folded between two calls of the progress callback: a few per second at the least."""

AnyCore = TypeVar("AnyCore", bound=Core)


@dataclass(frozen=True)
class Recovered(Generic[AnyCore]):
    """A core at the head of its log, and what it took to get there."""

    core: AnyCore
    last_us: int | None
    """Logged time of the last entry or later sign of life; None for an empty log."""
    snapshot: int
    """Sequence of the snapshot that was used; 0 when the whole log was folded."""
    skipped: tuple[str, ...]
    """Why newer snapshots were not used."""
    batches: int
    events: int
    seconds: float

    @property
    def batches_per_second(self) -> float:
        """Give how fast batches were folded, the loading of the snapshot included."""
        return self.batches / self.seconds

    @property
    def events_per_second(self) -> float:
        """Give how fast events were folded, the loading of the snapshot included."""
        return self.events / self.seconds


def recover(
    log: EventLog,
    snapshots: Snapshots,
    core_factory: Callable[[], AnyCore],
    progress: Callable[[int, int], None] = lambda _done, _head: None,
) -> Recovered[AnyCore]:
    """Fold a log from its newest usable snapshot and make the core ready to decide.

    Args:
        log: opened by this process.
        snapshots: of this log.
        core_factory: gives an empty core.
        progress: is told the sequence folded so far, and that of the log's head.

    Raises:
        LogCorrupt: the log is damaged, or lost what a snapshot proves it had.
        UnknownEvent: a newer release wrote the log.
    """
    started = time.perf_counter()
    head, _ = log.head()
    core, sequence, skipped = _unpack_newest(log, snapshots, core_factory, head)
    snapshot, last_us, events = sequence, _last_time(log, sequence), 0
    progress(sequence, head)
    for stored in log.read(sequence):
        batch = decode_batch(stored.body, stored.sequence)
        core.apply(batch)
        sequence = stored.sequence
        last_us = batch.alive_us or last_us
        for entry in batch.entries:
            last_us = entry.at_us
            events += len(entry.events)
        if sequence % PROGRESS_BATCHES == 0:
            progress(sequence, head)
    core.settle()
    progress(sequence, head)
    return Recovered(
        core, last_us, snapshot, skipped, sequence - snapshot, events, time.perf_counter() - started
    )


def _unpack_newest(
    log: EventLog, snapshots: Snapshots, core_factory: Callable[[], AnyCore], head: int
) -> tuple[AnyCore, int, tuple[str, ...]]:
    """Give a core filled from the newest snapshot it takes, or an empty one at sequence 0."""
    refused: list[str] = []
    for sequence, chain, sections in snapshots.usable():
        _check_holds(log, head, sequence, chain)
        core = core_factory()
        try:
            core.unpack(sections)
        except SnapshotUnusable as error:
            refused.append(f"the snapshot of batch {sequence} was refused: {error.message}")
        else:
            return core, sequence, (*snapshots.skipped, *refused)
    return core_factory(), 0, (*snapshots.skipped, *refused)


def _check_holds(log: EventLog, head: int, sequence: int, chain: bytes) -> None:
    """Verify that the log holds the history that a snapshot was folded from.

    Raises:
        LogCorrupt: it does not.
    """
    if sequence > head:
        raise LogCorrupt(
            f"the log lost batches {head + 1}..{sequence} that a snapshot holds: restore it from a backup"
            " that has them, or accept the loss by removing the snapshots",
            {"sequence": str(head + 1), "differs": "end"},
        )
    stored = next(log.read(sequence - 1))
    if stored.chain != chain:
        raise LogCorrupt(
            f"batch {sequence} of the log is not the one that a snapshot was folded from, so one of them is"
            " of another history: restore the log from a backup, or remove the snapshots",
            {"sequence": str(sequence), "differs": "chain"},
        )


def _last_time(log: EventLog, sequence: int) -> int | None:
    """Give the logged time of the last entry or sign of life up to a batch, None when there is none."""
    while sequence > 0:
        batch = decode_batch(next(log.read(sequence - 1)).body, sequence)
        if batch.entries:
            return batch.entries[-1].at_us
        if batch.alive_us:
            return batch.alive_us
        sequence -= 1
    return None
