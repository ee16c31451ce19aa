"""Jobs as tasks of Ray, each in a process of its own on whichever node has a processor free."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from crowdroute.router.adapters.job_process import NICENESS
from crowdroute.router.adapters.job_tasks import JobTask
from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.errors import JobFailed
from crowdroute.router.jobs.running import Job, encode_job, run

TRIES_AGAIN = 3
"""Times that Ray begins a job again whose process or node died; a job is a pure function, so it may, and
what it tells goes on where it ended."""


def do_job(job: bytes) -> Iterator[bytes]:
    """Do a job in the process of a task, and yield what it tells, its result last."""
    # For good: so the process ends with its task (`max_calls`), and no actor is slowed by taking it over.
    os.nice(NICENESS)
    yield from run(job)


class _RayJob(JobTask):
    async def _run(self, job: bytes) -> AsyncGenerator[bytes]:
        ray = load_ray()
        # In a thread: a large job is written to the node's store of objects, which may have to make room.
        beginning = asyncio.create_task(asyncio.to_thread(_begin, ray, job))
        try:
            async for told in await asyncio.shield(beginning):
                yield await told
        except ray.exceptions.RayTaskError as error:
            raise JobFailed(f"the job failed: {type(error.cause).__name__}: {error.cause}") from None
        except ray.exceptions.RayError as error:
            raise JobFailed(f"Ray lost the job: {error}; try again") from None
        finally:
            beginning.add_done_callback(_end)


def _begin(ray: Any, job: bytes) -> Any:
    how = {"num_cpus": 1, "max_calls": 1, "max_retries": TRIES_AGAIN, "num_returns": "streaming"}
    return ray.remote(**how)(do_job).remote(job)


def _end(beginning: asyncio.Task[Any]) -> None:
    """End a task of Ray, also one that had not quite begun when its job was cancelled."""
    if not beginning.cancelled() and beginning.exception() is None:
        load_ray().cancel(beginning.result(), force=True)


class RayJobs:
    """The port `Jobs` over the Ray that this process belongs to; a job ends with this process, wherever it
    runs."""

    def __init__(self, at_once: int = 1) -> None:
        """Run at most `at_once` jobs at a time."""
        self._room = asyncio.Semaphore(at_once)

    def submit(self, job: Job) -> _RayJob:
        """Begin a job, or let it wait for room."""
        return _RayJob(encode_job(job), self._room)
