"""Jobs in processes of this machine, one each, begun from nothing: no file of the engine is open there."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from crowdroute.router.adapters.job_process import DONE, FAILURE, HEAD, LENGTH
from crowdroute.router.adapters.job_tasks import JobTask
from crowdroute.router.errors import JobFailed
from crowdroute.router.jobs.running import Job, encode_job

PROGRAM = "crowdroute.router.adapters.job_process"


class _ProcessJob(JobTask):
    pid = 0
    """Of the process while it runs; 0 before."""

    async def _run(self, job: bytes) -> AsyncGenerator[bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", PROGRAM, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        self.pid = process.pid
        try:
            async with aclosing(self._talk(process, job)) as talk:
                async for told in talk:
                    yield told
        except (asyncio.IncompleteReadError, ConnectionError):
            code = await process.wait()
            raise JobFailed(f"the process that did the job ended with {code}; try again") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _talk(self, process: asyncio.subprocess.Process, job: bytes) -> AsyncGenerator[bytes]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LENGTH.pack(len(job)) + job)
        await process.stdin.drain()
        while True:
            kind, length = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
            payload = await process.stdout.readexactly(length)
            if kind == DONE:
                return
            if kind == FAILURE:
                raise JobFailed(f"the job failed: {payload.decode()}")
            yield payload


class ProcessJobs:
    """The port `Jobs` over local processes; a job's process ends with it, and with this one however it
    ends."""

    def __init__(self, at_once: int = 1) -> None:
        """Run at most `at_once` jobs at a time."""
        self._room = asyncio.Semaphore(at_once)

    def submit(self, job: Job) -> _ProcessJob:
        """Begin a job, or let it wait for room."""
        return _ProcessJob(encode_job(job), self._room)
