"""A folder of objects whose store fails once when it is told to."""

from __future__ import annotations

from enum import Enum

from crowdroute.router.errors import StorageError
from crowdroute.router.ports import ObjectFolder


class Whim(Enum):
    """What becomes of the next write; whoever writes hears of an error in any case."""

    LOST = "nothing is written"
    UNHEARD = "the object is there"
    HALF = "half of it is there, unless a whole one was"


class UnsteadyFolder:
    """`ObjectFolder` over another."""

    def __init__(self, folder: ObjectFolder) -> None:
        self._folder = folder
        self.place = folder.place
        self.whim: Whim | None = None

    def names(self) -> list[str]:
        return self._folder.names()

    def read(self, name: str) -> bytes:
        return self._folder.read(name)

    def write(self, name: str, body: bytes) -> None:
        whim, self.whim = self.whim, None
        if whim is Whim.HALF and name not in self._folder.names():
            self._folder.write(name, body[: len(body) // 2])
        elif whim is None or whim is Whim.UNHEARD:
            self._folder.write(name, body)
        if whim is not None:
            raise StorageError(f"{self.place} did not take {name} ({whim.value})")

    def remove(self, name: str) -> None:
        self._folder.remove(name)

    def whole(self) -> dict[str, bytes]:
        """Give every object by its name."""
        return {name: self._folder.read(name) for name in self._folder.names()}
