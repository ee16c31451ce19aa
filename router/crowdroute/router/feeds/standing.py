"""How far the feeds of a process are, for whoever measures it; nothing here decides anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class InputStanding:
    """Of one partition that tasks come from."""

    taken: int = 0
    """Records that became tasks, or were known, since the process began."""
    refused: int = 0
    """Records that became dead letters since then."""
    position: int = 0
    """First offset that is not taken in."""
    end: int = 0
    """Offset after the partition's last record, when it was last looked at."""
    waiting: frozenset[str] = frozenset()
    """Names of the full projects whose records wait in the topic."""

    @property
    def lag(self) -> int:
        """How many offsets wait in the topic."""
        return max(0, self.end - self.position)


@dataclass
class OutboxStanding:
    """Of one shard's outbox."""

    put: Counter[str] = field(default_factory=Counter)
    """Records by topic since the process began; those that came again are counted again."""
    sequence: int = 0
    """Batch up to which everything is put out."""
    newest: int = 0
    """The log's last batch."""
    at_us: int = 0
    """Logged time up to which everything is put out."""

    def reach(self, sequence: int, newest: int) -> None:
        """Note how far it is, and how far the log is."""
        self.sequence, self.newest = sequence, newest

    @property
    def lag(self) -> int:
        """How many batches of the log wait."""
        return max(0, self.newest - self.sequence)


@dataclass
class FeedStanding:
    """Of all feeds of a process."""

    inputs: dict[tuple[str, int], InputStanding] = field(default_factory=dict)
    """By topic and partition."""
    outboxes: dict[int, OutboxStanding] = field(default_factory=dict)
    """By shard."""
