"""Starts the processes that durability tests kill, freeze and starve."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = [REPOSITORY, *(REPOSITORY / root for root in ("router", "aggregation", "workers", "proto"))]
PYTHONPATH = os.pathsep.join(map(str, ROOTS))


class Engine:
    """An engine process over a directory: reasons go in as lines, answers come out as lines."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.engine_process", str(directory), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            text=True,
        )

    def answer(self) -> str:
        """Wait for the next line; empty when the process has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, *reasons: str) -> None:
        """Hand over reasons to note."""
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{reason}\n" for reason in reasons))
        self.process.stdin.flush()

    def rest(self) -> list[str]:
        """Give every line until the process has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read().splitlines()

    def finish(self) -> tuple[list[str], int]:
        """End the input; give the remaining answers and the exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.rest(), self.process.wait()

    def end(self) -> None:
        """Leave nothing behind, whatever state the process is in."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None and not stream.closed:
                with contextlib.suppress(BrokenPipeError):  # over what was buffered for the dead process
                    stream.close()


def acknowledged(answers: list[str]) -> list[str]:
    """Give the reasons that the engine said are noted."""
    return [answer.removeprefix("noted ") for answer in answers if answer.startswith("noted ")]
