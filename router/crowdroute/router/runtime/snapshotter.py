"""The process that folds a log a second time, to write snapshots without ever stopping its owner.

    python -m crowdroute.router.runtime.snapshotter --core module:attribute --directory DIRECTORY

It is fed the durable batches on its standard input and never opens the log itself (a second connection to a
live SQLite file is what `adapters.sqlite_files` forbids). It begins at the newest snapshot, tells where that
is, and expects the next batch. It ends when its input does; all that is lost by that is the time to fold
again.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from crowdroute.router.adapters.codec import CHAIN_START, check_link, decode_batch
from crowdroute.router.adapters.shared_snapshots import snapshots_at
from crowdroute.router.errors import ConfigurationError, SnapshotUnusable
from crowdroute.router.ports import Core, Snapshots, StoredBatch
from crowdroute.router.runtime.frames import AT, SAVED, read_frame

EVERY_BATCHES = 50_000
"""Batches between snapshots: what a start folds besides a snapshot takes seconds."""

EVERY_BYTES = 64 << 20
"""Encoded batches between snapshots, for the same reason when batches are large."""

NICENESS = 5
"""The snapshotter gives way to its owner where both want the same core."""


class Snapshotter:
    """A core that follows a log, and saves itself from time to time."""

    def __init__(
        self,
        core_factory: Callable[[], Core],
        snapshots: Snapshots,
        every_batches: int = EVERY_BATCHES,
        every_bytes: int = EVERY_BYTES,
    ) -> None:
        """Begin at the newest snapshot that the core takes."""
        self._snapshots = snapshots
        self._every_batches = every_batches
        self._every_bytes = every_bytes
        self._core, self.sequence, self._chain = _newest(core_factory, snapshots)
        self.saved = self.sequence
        """Sequence of the last snapshot."""
        self._bytes = 0

    def take(self, stored: StoredBatch) -> bool:
        """Fold the next batch; tells whether a snapshot was written after it.

        Raises:
            LogCorrupt: it is not the next batch.
        """
        check_link(self._chain, self.sequence + 1, stored)
        self._core.apply(decode_batch(stored.body, stored.sequence))
        self.sequence, self._chain = stored.sequence, stored.chain
        self._bytes += len(stored.body)
        if self.sequence - self.saved >= self._every_batches or self._bytes >= self._every_bytes:
            self.save()
            return True
        return False

    def save(self) -> None:
        """Write a snapshot of everything folded so far, unless there is one."""
        if self.sequence > self.saved:
            self._snapshots.write(self.sequence, self._chain, self._core.pack())
        self.saved, self._bytes = self.sequence, 0


def _newest(core_factory: Callable[[], Core], snapshots: Snapshots) -> tuple[Core, int, bytes]:
    for sequence, chain, sections in snapshots.usable():
        core = core_factory()
        try:
            core.unpack(sections)
        except SnapshotUnusable:
            continue
        return core, sequence, chain
    return core_factory(), 0, CHAIN_START


def serve(snapshotter: Snapshotter, frames: BinaryIO, answers: TextIO) -> None:
    """Follow the frames until they end."""
    print(AT, snapshotter.sequence, file=answers, flush=True)
    while True:
        try:
            stored = read_frame(frames)
        except EOFError:
            return
        if stored is None:
            snapshotter.save()
        elif not snapshotter.take(stored):
            continue
        print(SAVED, snapshotter.saved, file=answers, flush=True)


def load(name: str) -> Callable[[], Core]:
    """Find the core factory that is named `module:attribute`.

    Raises:
        ConfigurationError: there is none of that name.
    """
    module, _, attribute = name.partition(":")
    try:
        return cast("Callable[[], Core]", getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"no core factory {name!r}: {error}") from error


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(prog="snapshotter", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--core", required=True, help="module:attribute that gives an empty core")
    parser.add_argument("--directory", required=True, type=Path, help="where the snapshots are")
    parser.add_argument("--shared", help="URL of a folder that snapshots are put into as well")
    parser.add_argument("--every-batches", type=int, default=EVERY_BATCHES)
    parser.add_argument("--every-bytes", type=int, default=EVERY_BYTES)
    options = parser.parse_args()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the owner, who ends the input when it is done
    os.nice(NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    files, snapshots = snapshots_at(options.directory, options.shared)
    files.clear_partial()
    snapshotter = Snapshotter(load(options.core), snapshots, options.every_batches, options.every_bytes)
    try:
        serve(snapshotter, sys.stdin.buffer, answers)
    except BrokenPipeError:
        os.close(answers.fileno())  # the owner was killed: nobody is left to tell


if __name__ == "__main__":
    main()
