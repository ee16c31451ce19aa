"""The log, the contents beside it, and snapshots of what it folds to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

Sections = Mapping[str, bytes | memoryview]
"""A snapshot's parts by name."""


class StoredBatch(NamedTuple):
    """One batch as the log holds it."""

    sequence: int
    epoch: int
    """The ownership under which it was appended; not covered by the chain."""
    chain: bytes
    """Hash over the previous batch's chain hash and this body (32 bytes)."""
    body: bytes
    """The encoded `Batch`."""


class ContentChange(NamedTuple):
    """One write (or, without a body, one deletion) in the content store."""

    key: str
    body: bytes | None


class EventLog(Protocol):
    """The truth: batches in order, appended by one owner at a time."""

    epoch: int
    """Number of the ownership that this process holds."""

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Return once the batch and the content it names are durable.

        Raises:
            AppendFailed: it was not made durable, or that is unknown. The process must stop.
            Fenced: another owner holds the log.
        """

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch with a sequence above `after`, checked for sequence, checksum and chain.

        Raises:
            LogCorrupt: with the sequence at which the log stops being what was written.
        """

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch (0 and 32 zero bytes for an empty log)."""

    def vouches(self, asked_us: int) -> bool:
        """Say whether the last batch is certain to have been the newest of anybody when a query came in.

        If not, another batch must become durable before the query is answered.

        Args:
            asked_us: when the query came in, by `adapters.system.lease_clock_us`.
        """

    def close(self) -> None:
        """Give the ownership back."""


class ContentStore(Protocol):
    """Payloads, comments, drafts and names, addressed by key; written only through `EventLog.append`."""

    def get(self, key: str) -> bytes | None:
        """Give the content, or None when it was erased or never existed."""

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist."""


class Snapshots(Protocol):
    """Saved folds of a log; losing all of them costs time only."""

    skipped: list[str]
    """Why the last reading passed over some, one line each."""

    def newest(self) -> tuple[int, bytes, Sections] | None:
        """Give sequence, chain hash and sections of the newest usable snapshot."""

    def usable(self) -> Iterator[tuple[int, bytes, Sections]]:
        """Yield every usable snapshot, newest first; one that is damaged or unknown is skipped."""

    def write(self, sequence: int, chain: bytes, sections: Sections) -> None:
        """Keep a fold of the log through `sequence`; older snapshots may go."""
