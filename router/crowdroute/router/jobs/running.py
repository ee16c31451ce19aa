"""Jobs as bytes: what crosses to the process that does them, and back."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from crowdroute.router.jobs.fitting import FieldSwept, FitModels, FittedModels, fit_models


class Begun(msgspec.Struct, frozen=True, tag="Begun"):
    """A process has the job, and reads it."""


Job = FitModels
"""Everything that can be asked."""

JobProgress = Begun | FieldSwept
"""What is told while a job is done."""

JobResult = FittedModels
"""What comes of it."""

_JOB = msgspec.msgpack.Decoder(Job)
_TOLD: msgspec.msgpack.Decoder[JobProgress | JobResult] = msgspec.msgpack.Decoder(
    Begun | FieldSwept | JobResult
)


def encode_job(job: Job) -> bytes:
    """Give a job as bytes."""
    return msgspec.msgpack.encode(job)


def decode_told(raw: bytes) -> JobProgress | JobResult:
    """Read one of what `run` yields."""
    return _TOLD.decode(raw)


def run(raw: bytes) -> Iterator[bytes]:
    """Do a job, whatever it is; yields how far it has come, and last its result.

    Done again it yields the same again: what follows from a process that died halfway goes on with another.
    """
    yield msgspec.msgpack.encode(Begun())
    for told in fit_models(_JOB.decode(raw)):
        yield msgspec.msgpack.encode(told)
