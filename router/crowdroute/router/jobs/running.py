"""Jobs as bytes: what crosses to the process that does them, and back."""

from __future__ import annotations

import msgspec

from crowdroute.router.jobs.fitting import FitModels, FittedModels, fit_models

Job = FitModels
"""Everything that can be asked."""

JobResult = FittedModels
"""What comes of it."""

_JOB = msgspec.msgpack.Decoder(Job)
_RESULT = msgspec.msgpack.Decoder(JobResult)


def encode_job(job: Job) -> bytes:
    """Give a job as bytes."""
    return msgspec.msgpack.encode(job)


def decode_result(raw: bytes) -> JobResult:
    """Read what `run` gave."""
    return _RESULT.decode(raw)


def run(raw: bytes) -> bytes:
    """Do a job, whatever it is."""
    return msgspec.msgpack.encode(fit_models(_JOB.decode(raw)))
