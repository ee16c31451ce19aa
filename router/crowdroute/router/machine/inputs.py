"""High-water marks of inputs: how far each partition is taken in by the shard that owns the input."""

from __future__ import annotations

import msgspec

from crowdroute.router.commands.request import InputStep
from crowdroute.router.errors import WrongState
from crowdroute.router.events import InputOffset

_marks = msgspec.msgpack.Decoder(list[InputOffset])


class InputMarks:
    """Per topic and partition, the first offset that is not taken in.

    While a project's records wait, those of others may be taken in ahead of them: their lane has a mark of
    its own then, until the partition's mark has caught up with it.
    """

    def __init__(self) -> None:
        """Begin with nothing taken in."""
        self._next: dict[tuple[str, int, str], int] = {}

    def __bool__(self) -> bool:
        """Say whether anything was taken in."""
        return bool(self._next)

    def position(self, topic: str, partition: int, lane: str = "") -> int:
        """Give the first offset that is not taken in, of a lane or of all; 0 before anything was."""
        whole = self._next.get((topic, partition, ""), 0)
        return max(whole, self._next.get((topic, partition, lane), 0)) if lane else whole

    def check(self, step: InputStep) -> None:
        """Verify that a step begins where the last one of its lane ended.

        Raises:
            WrongState: it would leave a hole, or takes in again what was taken in; `details["position"]` is
                where to go on.
        """
        position = self.position(step.topic, step.partition, step.lane)
        if step.previous != position or step.next_offset <= position:
            raise WrongState(
                f"{step.topic}/{step.partition} is taken in up to offset {position}, and this step goes from"
                f" {step.previous} to {step.next_offset}: read again from offset {position}",
                {"position": str(position)},
            )

    def reach(self, reached: InputOffset) -> None:
        """Fold how far a partition, or a lane of it, was taken in."""
        topic, partition, offset, lane = reached.topic, reached.partition, reached.next_offset, reached.lane
        if lane and offset <= self.position(topic, partition):
            return  # later in the same batch all records were taken in up to there
        self._next[topic, partition, lane] = offset
        if not lane:
            for place in [place for place in self._next if place[:2] == (topic, partition) and place[2]]:
                if self._next[place] <= offset:
                    del self._next[place]

    def pack(self) -> bytes:
        """Give all marks as bytes."""
        marks = sorted(self._next.items())
        return msgspec.msgpack.encode(
            [InputOffset(topic, partition, offset, lane) for (topic, partition, lane), offset in marks]
        )

    def unpack(self, raw: bytes | memoryview) -> None:
        """Take over marks given by `pack`.

        Raises:
            msgspec.DecodeError: they are none.
        """
        for mark in _marks.decode(raw):
            self.reach(mark)
