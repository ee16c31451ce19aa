"""Two logs compared: every batch by its chain hash, every content by its body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from crowdroute.router.errors import LogCorrupt
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.carrying import Contents, differences


class ReadLog(Contents, Protocol):
    """A log with its contents, as far as its head."""

    @property
    def content_key(self) -> bytes:
        """Give the key of its digests."""

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch."""

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch above `after`, checked."""


def compare(source: ReadLog, target: ReadLog) -> None:
    """See that two logs hold the same history and the same contents; both are read whole.

    Raises:
        LogCorrupt: they do not, with the first sequence or the key that differs.
    """
    compare_batches(source, target)
    require_same(source.head()[0], (change.key for change in differences(source, target)))


def compare_batches(source: ReadLog, target: ReadLog, after: int = 0) -> None:
    """See that two logs hold the same batches above one that both have, and end with the same.

    Raises:
        LogCorrupt: they do not, with the first sequence that differs.
    """
    of_target = target.read(after)
    sequence = after
    for stored in source.read(after):
        sequence = stored.sequence
        found: StoredBatch | None = next(of_target, None)
        if found is None or found.chain != stored.chain:
            raise _differs(f"batch {sequence} of the copy is not that of the source", sequence, "chain")
    if next(of_target, None) is not None:
        raise _differs(f"the copy goes on after batch {sequence}, where the source ends", sequence, "end")
    if source.head() != target.head():
        raise _differs(f"batch {sequence} of the copy is not that of the source", sequence, "chain")


def require_same(sequence: int, differing: Iterable[str]) -> None:
    """See that no content differs.

    Raises:
        LogCorrupt: one does.
    """
    for key in differing:
        raise _differs(f"content {key} of the copy is not that of the source", sequence, "contents")


def _differs(what: str, sequence: int, differs: str) -> LogCorrupt:
    return LogCorrupt(
        f"{what}: stay with the source, and copy to a new place",
        {"sequence": str(sequence), "differs": differs},
    )
