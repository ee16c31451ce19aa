"""A folder of objects in memory that all processes of a model see."""

from __future__ import annotations


class FakeFolder:
    """`ports.ObjectFolder` without any store."""

    place = "fake://archive"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def names(self) -> list[str]:
        return sorted(self.objects)

    def read(self, name: str) -> bytes:
        return self.objects[name]

    def write(self, name: str, body: bytes) -> None:
        self.objects[name] = body

    def remove(self, name: str) -> None:
        self.objects.pop(name, None)
