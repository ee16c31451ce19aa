"""Batch work outside the engine's process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from crowdroute.router.jobs.running import Job, JobProgress, JobResult


class RunningJob(Protocol):
    """A job that was handed over."""

    async def result(self) -> JobResult:
        """Wait for what comes of it; asked again, the same.

        Raises:
            JobFailed: it failed, was cancelled, or what ran it died.
        """

    def progress(self) -> AsyncIterator[JobProgress]:
        """Yield how far it has come until it is over, to one reader; to a slow one, the newest only."""

    def cancel(self) -> None:
        """End it, whether it runs or waits; one that is over stays as it is."""


class Jobs(Protocol):
    """What does batch work outside the engine's process."""

    def submit(self, job: Job) -> RunningJob:
        """Hand a job over; at most so many run at once as the adapter is told, the others wait."""
