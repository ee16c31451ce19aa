"""What processes tell each other beside the log."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol


class KeyspaceOwner(NamedTuple):
    """Whose the rows of a keyspace are."""

    log: str
    """Identity of the log that they follow from."""
    epoch: int
    """The ownership of that log under which they are written; a later one takes the keyspace over."""


class Kept(StrEnum):
    """How a write to the directory ended."""

    DONE = "done"
    LOST = "lost"
    """What is there is not what this owner wrote, or nothing is: rebuild it."""
    SUPERSEDED = "superseded"
    """A later owner of the same log keeps the keyspace."""
    FOREIGN = "foreign"
    """A living owner of another log keeps the keyspace."""
    UNREACHABLE = "unreachable"
    """There was no answer in time; whether it was done is unknown, and to do it again is harmless."""


class Notice(NamedTuple):
    """Rows that are not what they were."""

    keyspace: str
    """Empty: any keyspace may have changed, because notices may have been missed."""
    keys: tuple[str, ...]
    """Empty: any row of the keyspace."""


class Directory(Protocol):
    """What processes tell each other beside the log: derived, and allowed to be gone at any moment.

    No call raises or waits longer than its adapter's timeout; nothing that must be right may depend on it.
    A keyspace is a table of rows with one owner, who follows a log. A row that is read was written by the
    present owner, and is absent otherwise.
    """

    has_others: bool
    """Whether other processes may read it."""

    @property
    def answers(self) -> bool:
        """Whether the last call was answered; while it is not, calls are mostly not made."""

    async def put(self, keyspace: str, owner: KeyspaceOwner, changes: Mapping[str, bytes | None]) -> Kept:
        """Change rows (None deletes one) of a keyspace that this owner rebuilt; without changes, say that the
        owner lives, which is due every second."""

    async def rebuild(
        self, keyspace: str, owner: KeyspaceOwner, rows: AsyncIterable[Mapping[str, bytes]]
    ) -> Kept:
        """Put these rows, given in parts, in the place of all there are; until they are all there, none is
        read."""

    async def get(self, keyspace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Give those of the rows that are known."""

    async def see(self, group: str, seen: Mapping[str, int]) -> None:
        """Note when somebody was seen, in microseconds; the latest moment stands."""

    async def seen(self, group: str, since_us: int) -> dict[str, int]:
        """Give who was seen at that moment or later, by whichever process, and when last."""

    async def settle(
        self, group: str, spent: Mapping[str, int], per_second: float, burst: float
    ) -> dict[str, float]:
        """Take what was spent from buckets that all processes share; give what is left in each, which may be
        below zero. Empty when nobody answers."""

    def notices(self) -> AsyncIterator[Notice]:
        """Yield what changes, for as long as it is read."""

    async def close(self) -> None:
        """Let go of everything."""
