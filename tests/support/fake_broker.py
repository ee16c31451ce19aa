"""One partition as a broker keeps it, and the network before it: what a broker may do, and what it must not.

What it may do: take a record late, twice, or never, and lose the answer; delete records from the beginning.
What it promises not to do, and can be made to do: cut the end of the log off (an unclean election), and be
created again under the same name.
"""

from __future__ import annotations

from collections.abc import Sequence


class OffsetOutOfRange(Exception):
    """The offset is deleted."""


class Request:
    """One record on its way; a producer that gets no answer sends it again, so it may land more than once."""

    def __init__(self, sender: int, record: bytes) -> None:
        self.sender = sender
        self.record = record
        self.offsets: list[int] = []
        """Where it landed."""


class FakeBroker:
    """A partition's records by offset, those deleted included (the archive holds them)."""

    def __init__(self) -> None:
        self.topic_id = bytes(16)
        self.log_start = 0
        self.history: list[bytes] = []
        """Every record of the topic as it stands now, by offset."""
        self.requests: list[Request] = []
        """Everything that was sent and may still land."""
        self.elections = 0
        """How often connections were cut because the partition changed its leader."""

    @property
    def log_end(self) -> int:
        """The offset that the next record gets."""
        return len(self.history)

    def send(self, sender: int, record: bytes) -> Request:
        """Put a record on its way."""
        request = Request(sender, record)
        self.requests.append(request)
        return request

    def land(self, request: Request) -> int:
        """Append a record that is on its way, once more if it landed before."""
        self.history.append(request.record)
        request.offsets.append(self.log_end - 1)
        return self.log_end - 1

    def lose(self, request: Request) -> None:
        """Drop whatever is on its way of a record."""
        self.requests.remove(request)

    def fetch(self, first: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Give up to `limit` records from `first` on; none beyond the end.

        Raises:
            OffsetOutOfRange: the first of them is deleted.
        """
        if first < self.log_start:
            raise OffsetOutOfRange(f"the log begins at {self.log_start}, not at {first}")
        return list(enumerate(self.history[first : first + limit], first))

    def delete_before(self, offset: int) -> None:
        """Delete the beginning of the log."""
        self.log_start = max(self.log_start, min(offset, self.log_end))

    def elect(self) -> None:
        """Change the leader as brokers promise: nothing is lost but the connections."""
        self.elections += 1

    def cut(self, end: int) -> list[bytes]:
        """Change the leader to one that lacks the end of the log, and give what is lost."""
        lost = self.history[end:]
        del self.history[end:]
        self.log_start = min(self.log_start, end)
        self._forget_connections()
        return lost

    def create_again(self, topic_id: bytes) -> None:
        """Delete the topic and create it under the same name."""
        self.topic_id = topic_id
        self.log_start = 0
        self.history.clear()
        self._forget_connections()

    def _forget_connections(self) -> None:
        self.requests.clear()
        self.elections += 1
