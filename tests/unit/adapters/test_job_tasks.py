"""A job is followed as closely as anybody looks, and holds nothing up when nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from crowdroute.router.adapters.job_tasks import JobTask
from crowdroute.router.jobs.fitting import FieldSwept, FittedModels

SWEEPS = 1000


class Talkative(JobTask):
    """A job that tells a thousand things at once."""

    async def _run(self, job: bytes) -> AsyncGenerator[bytes]:
        for sweep in range(SWEEPS):
            yield msgspec.msgpack.encode(FieldSwept(0, sweep, 0.0))
        yield msgspec.msgpack.encode(FittedModels(()))


def talkative() -> Talkative:
    return Talkative(b"", asyncio.Semaphore(1))


async def test_who_looks_late_is_told_the_newest_alone() -> None:
    job = talkative()
    await job.result()

    assert [told async for told in job.progress()] == [FieldSwept(0, SWEEPS - 1, 0.0)]


async def test_who_looks_meanwhile_is_told_what_came_since_the_last_look() -> None:
    job, seen = talkative(), []

    async for told in job.progress():
        assert isinstance(told, FieldSwept)
        seen.append(told.sweep)
        await asyncio.sleep(0)

    assert seen == sorted(set(seen))
    assert seen[-1] == SWEEPS - 1
