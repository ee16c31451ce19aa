"""A job as a task of the event loop, wherever its work is done."""

from __future__ import annotations

import asyncio

from crowdroute.router.errors import JobFailed
from crowdroute.router.jobs.running import JobResult


class JobTask:
    """The port `RunningJob` over `_run`, which does the work while there is room."""

    def __init__(self, job: bytes, room: asyncio.Semaphore) -> None:
        """Begin, or wait for room."""
        self._room = room
        self._task = asyncio.create_task(self._run_with_room(job))

    async def result(self) -> JobResult:
        """Wait for what comes of it; see `RunningJob.result`."""
        await asyncio.wait([self._task])
        if self._task.cancelled():
            raise JobFailed("the job was cancelled")
        return self._task.result()

    def cancel(self) -> None:
        """End it; see `RunningJob.cancel`."""
        self._task.cancel()

    async def _run_with_room(self, job: bytes) -> JobResult:
        async with self._room:
            return await self._run(job)

    async def _run(self, job: bytes) -> JobResult:
        """Do the work; ended by cancelling, it leaves nothing running."""
        raise NotImplementedError
