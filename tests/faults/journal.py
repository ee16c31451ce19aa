"""What clients were told, on disk before they go on: written and synced by a process of its own.

    python -m tests.faults.journal FILE

Reads lines, and makes them durable as they come.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
from tests.support.processes import PYTHONPATH

GRANT, ANSWER, KILL, START = "grant", "answer", "kill", "start"


class Line(NamedTuple):
    """One thing that happened, in the order of the file."""

    kind: str
    assignment: str = ""
    worker: str = ""
    """Hexadecimal."""
    fence: str = ""
    receipt: int = 0
    label: str = ""


class Journal:
    """The clients' side of the process that writes."""

    def __init__(self, path: Path) -> None:
        """Start the process."""
        self.path = path
        self.answers = 0
        self.lines = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.journal", str(path)],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
        )

    def note(self, line: Line) -> None:
        """Hand a line over; it leaves this process at once."""
        assert self._process.stdin is not None
        self.lines += 1
        self.answers += line.kind == ANSWER
        self._process.stdin.write(msgspec.json.encode(line) + b"\n")
        self._process.stdin.flush()

    def close(self) -> list[Line]:
        """Wait until everything is on disk, and read it from there."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait() == 0
        return [msgspec.json.decode(line, type=Line) for line in self.path.read_bytes().splitlines()]


def main() -> None:
    with Path(sys.argv[1]).open("wb", buffering=0) as file:
        while some := os.read(0, 1 << 16):
            file.write(some)
            os.fsync(file.fileno())


if __name__ == "__main__":
    main()
