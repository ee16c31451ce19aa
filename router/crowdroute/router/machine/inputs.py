"""High-water marks of inputs: how far each partition is taken in by the shard that owns the input."""

from __future__ import annotations

import msgspec

from crowdroute.router.commands.request import InputStep
from crowdroute.router.errors import WrongState
from crowdroute.router.events import InputOffset

_marks = msgspec.msgpack.Decoder(list[InputOffset])


class InputMarks:
    """Per topic and partition, the first offset that is not taken in."""

    def __init__(self) -> None:
        """Begin with nothing taken in."""
        self._next: dict[tuple[str, int], int] = {}

    def __bool__(self) -> bool:
        """Say whether anything was taken in."""
        return bool(self._next)

    def position(self, topic: str, partition: int) -> int:
        """Give the first offset that is not taken in; 0 before anything was."""
        return self._next.get((topic, partition), 0)

    def check(self, step: InputStep) -> None:
        """Verify that a step begins where the last one ended.

        Raises:
            WrongState: it would leave a hole, or takes in again what was taken in; `details["position"]` is
                where to go on.
        """
        position = self.position(step.topic, step.partition)
        if step.previous != position or step.next_offset <= position:
            raise WrongState(
                f"{step.topic}/{step.partition} is taken in up to offset {position}, and this step goes from"
                f" {step.previous} to {step.next_offset}: read again from offset {position}",
                {"position": str(position)},
            )

    def reach(self, reached: InputOffset) -> None:
        """Fold how far a partition was taken in."""
        self._next[reached.topic, reached.partition] = reached.next_offset

    def pack(self) -> bytes:
        """Give all marks as bytes."""
        marks = sorted(self._next.items())
        return msgspec.msgpack.encode([InputOffset(*place, offset) for place, offset in marks])

    def unpack(self, raw: bytes | memoryview) -> None:
        """Take over marks given by `pack`.

        Raises:
            msgspec.DecodeError: they are none.
        """
        for mark in _marks.decode(raw):
            self.reach(mark)
