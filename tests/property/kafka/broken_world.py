"""The same world over a broker that loses what it acknowledged: that must be found out and refused."""

from __future__ import annotations

from tests.property.kafka.world import World

from crowdroute.router.errors import LogCorrupt, StorageError


class BrokenWorld(World):
    """What the broker lost is no longer required; all that comes after it is."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False

    def cut(self, records: int) -> None:
        """Let a replica lead that lacks the last records; requests that nobody answered come in there."""
        end = max(self.broker.log_end - records, 0)
        self.broker.cut(end)
        self._lose_beyond(end)

    def create_again(self) -> None:
        """Delete the topic and create it under the same name."""
        self.broker.create_again(bytes([self.broker.topic_id[0] + 1]) * 16)
        self._lose_beyond(0)

    def _lose_beyond(self, end: int) -> None:
        self.broken = True
        self.note("cuts")
        for process in self.processes:
            process.misled = process.misled or process.reader.next_offset > end
        said = self.meaning()
        self.acknowledged = [batch for batch in self.acknowledged if said.holds(*batch)]
        self.floor = min(self.floor, len(said.batches))
        for process in self.processes:
            for query in process.queries:
                query.floor = min(query.floor, self.floor)

    def may_be_corrupt(self, error: StorageError) -> bool:
        return self.broken and isinstance(error, LogCorrupt)
