"""A job as a task of the event loop, wherever its work is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from crowdroute.router.errors import JobFailed
from crowdroute.router.jobs.running import JobProgress, JobResult, decode_told


class JobTask:
    """The port `RunningJob` over `_run`, which does the work while there is room.

    What the job tells is read as fast as it comes, and only the newest is kept: whoever looks at it slowly,
    or never, holds nothing up.
    """

    def __init__(self, job: bytes, room: asyncio.Semaphore) -> None:
        """Begin, or wait for room."""
        self._room = room
        self._newest: JobProgress | None = None
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._run_with_room(job))
        self._task.add_done_callback(lambda _: self._more.set())

    async def result(self) -> JobResult:
        """Wait for what comes of it; see `RunningJob.result`."""
        await asyncio.wait([self._task])
        if self._task.cancelled():
            raise JobFailed("the job was cancelled")
        return self._task.result()

    async def progress(self) -> AsyncIterator[JobProgress]:
        """Yield how far it has come; see `RunningJob.progress`."""
        while True:
            await self._more.wait()
            newest, self._newest = self._newest, None
            if newest is not None:
                yield newest
            elif self._task.done():
                return
            else:
                self._more.clear()

    def cancel(self) -> None:
        """End it; see `RunningJob.cancel`."""
        self._task.cancel()

    async def _run_with_room(self, job: bytes) -> JobResult:
        result: JobResult | None = None
        async with self._room, aclosing(self._run(job)) as saying:
            # To its end: what does the job is to end by itself.
            async for raw in saying:
                told = decode_told(raw)
                if isinstance(told, JobResult):
                    result = told
                else:
                    self._newest = told
                    self._more.set()
        if result is None:
            raise JobFailed("the job ended without a result; try again")
        return result

    def _run(self, job: bytes) -> AsyncGenerator[bytes]:
        """Do the work and yield what it tells, its result last; closed or cancelled, it leaves nothing
        running."""
        raise NotImplementedError
