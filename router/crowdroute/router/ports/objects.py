"""Objects that nodes share."""

from __future__ import annotations

from typing import Protocol


class ObjectFolder(Protocol):
    """Objects that are written whole and never changed, in a folder that all nodes may see."""

    place: str
    """Where it is, for messages; holds no credentials."""

    def names(self) -> list[str]:
        """Give the names of all objects, sorted.

        Raises:
            StorageError: the store does not answer, as for every call.
        """

    def read(self, name: str) -> bytes:
        """Give an object."""

    def write(self, name: str, body: bytes) -> None:
        """Return once an object is durable; the same one may be written again, by anybody."""

    def remove(self, name: str) -> None:
        """Let go of an object, if it is there."""
