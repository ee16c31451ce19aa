"""How the archive of a shard's log stands, as its owner saw it last; read by whoever measures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ArchiveStanding:
    """Written by the thread that archives, one field at a time."""

    archived: int = 0
    """Offset of the first record that is in no closed range."""
    first: int = 0
    """Offset of the first record that the topic still has."""
    end: int = 0
    """Offset after the topic's last record."""
    written_bytes: int = 0
    """Of the segments that this process wrote, compressed."""
    failures: int = 0
    """Looks that ended with an error."""
    succeeded_at: float | None = None
    """Wall time of the last look that ended without, in seconds since 1970; None before there was one."""

    @property
    def lag(self) -> int:
        """Records that are not archived yet; at rest as many as the open range has."""
        return self.end - self.archived
