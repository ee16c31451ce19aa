"""The process that does one job: `python -m crowdroute.router.adapters.job_process`, over its pipes.

In: a length of 8 bytes and the job; then the pipe stays open, and its end is the parent's. Out, any number
of times: a kind byte, a length of 8 bytes and a payload: `T` what the job tells, its result last; then `D`,
it is done, or `E` what went wrong. Where nobody reads, the job waits.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
from typing import BinaryIO

from crowdroute.router.jobs.running import run

HEAD = struct.Struct(">cQ")
LENGTH = struct.Struct(">Q")
TOLD, DONE, FAILURE = b"T", b"D", b"E"

NICENESS = 10
"""A job gives way to the engine that it runs beside."""


def main() -> None:
    """Read the job, do it, say how far it is and what comes of it."""
    os.nice(NICENESS)
    told, answers = sys.stdin.buffer, sys.stdout.buffer
    job = told.read(LENGTH.unpack(told.read(LENGTH.size))[0])
    threading.Thread(target=_end_with_the_parent, args=(told,), daemon=True).start()
    try:
        for some in run(job):
            _write(answers, TOLD, some)
        _write(answers, DONE, b"")
    # Whatever it is, the parent must learn of it.
    except Exception as error:
        _write(answers, FAILURE, f"{type(error).__name__}: {error}".encode())


def _write(answers: BinaryIO, kind: bytes, payload: bytes) -> None:
    answers.write(HEAD.pack(kind, len(payload)) + payload)
    answers.flush()


def _end_with_the_parent(told: BinaryIO) -> None:
    told.read(1)
    os._exit(1)


if __name__ == "__main__":
    main()
