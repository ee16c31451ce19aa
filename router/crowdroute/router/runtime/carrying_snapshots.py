"""A snapshot that goes along with a copied log, so that the first start there need not fold all of it."""

from __future__ import annotations

from contextlib import suppress

from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.runtime.comparing import ReadLog


def carry_snapshot(source: SnapshotFiles, target: SnapshotFiles, log: ReadLog) -> int:
    """Give a target the newest snapshot of a source that its log has the batches of; blocks.

    A snapshot is of a batch and its chain hash, not of a place. Without one a start takes longer, so nothing
    that goes wrong here is an error.

    Args:
        source: snapshots of the engine, which goes on writing and removing them.
        target: where they are looked for at the first start.
        log: the copy of the engine's log.

    Returns:
        The sequence of the newest one there is now in the target, 0 for none.
    """
    head, _ = log.head()
    there = max(target.sequences(), default=0)
    for sequence in reversed(source.sequences()):
        if sequence <= there:
            break
        with suppress(SnapshotUnusable, OSError):
            if sequence <= head:
                _, chain, sections = source.read(sequence)
                if next(iter(log.read(sequence - 1))).chain == chain:
                    target.write(sequence, chain, sections)
                    return sequence
    return there
