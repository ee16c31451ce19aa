"""Refits of a project's state, done in this process, and wrong ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from msgspec.structs import replace

from crowdroute.router.commands.project import InstallModel
from crowdroute.router.errors import JobFailed
from crowdroute.router.jobs.fitting import describe
from crowdroute.router.jobs.running import (
    Begun,
    Job,
    JobProgress,
    JobResult,
    decode_told,
    encode_job,
    run,
)
from crowdroute.router.machine.project.refitting import discounted_workers
from crowdroute.router.model.fitted import digest_of
from crowdroute.router.state.evidence import evidence_of
from crowdroute.router.state.project import Project


def done(job: Job) -> tuple[list[JobProgress], JobResult]:
    """Do a job in this process; give what it tells meanwhile, and what comes of it."""
    *told, result = [decode_told(raw) for raw in run(encode_job(job))]
    assert isinstance(result, JobResult)
    return [one for one in told if not isinstance(one, JobResult)], result


class InlineJob:
    """A job that is over as soon as it is handed over."""

    def __init__(self, job: Job) -> None:
        self._told, self._result = done(job)

    async def result(self) -> JobResult:
        """Give what came of it."""
        return self._result

    async def progress(self) -> AsyncIterator[JobProgress]:
        """Yield the newest of what it told."""
        while self._told:
            newest = self._told[-1]
            self._told.clear()
            yield newest

    def cancel(self) -> None:
        """Change nothing: it is over."""


class InlineJobs:
    """The port `Jobs` in this process."""

    def submit(self, job: Job) -> InlineJob:
        """Do a job at once."""
        return InlineJob(job)


class HeldJob:
    """A job that runs until it is told to end, or cancelled."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._over = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def result(self) -> JobResult:
        """Wait until it ends."""
        await self._over.wait()
        if self.cancelled.is_set():
            raise JobFailed("the job was cancelled")
        return done(self._job)[1]

    async def progress(self) -> AsyncIterator[JobProgress]:
        """Tell that it was begun, and nothing more."""
        yield Begun()
        await self._over.wait()

    def end(self) -> None:
        """Have it come to its result."""
        self._over.set()

    def cancel(self) -> None:
        """End it without one."""
        if not self._over.is_set():
            self.cancelled.set()
            self._over.set()


class HeldJobs:
    """The port `Jobs` whose jobs are held until a test lets them end."""

    def __init__(self) -> None:
        self.begun: list[HeldJob] = []

    def submit(self, job: Job) -> HeldJob:
        """Begin."""
        self.begun.append(HeldJob(job))
        return self.begun[-1]


FAILED = JobFailed("the job failed: so that a test may see it")


class FailedJob(InlineJob):
    """A job that came to nothing."""

    def __init__(self, job: Job, error: Exception) -> None:
        super().__init__(job)
        self._error = error

    async def result(self) -> JobResult:
        """Say so."""
        raise self._error


class FailingJobs:
    """The port `Jobs` in this process; its first jobs fail."""

    def __init__(self, failing: int, error: Exception = FAILED) -> None:
        self.left = failing
        """Jobs that will fail yet."""
        self._error = error

    def submit(self, job: Job) -> InlineJob:
        """Do a job at once, or fail."""
        if not self.left:
            return InlineJob(job)
        self.left -= 1
        return FailedJob(job, self._error)


def job_of(state: Project) -> Job:
    """Describe a refit of a project as it stands."""
    return describe((model, evidence_of(state, field)) for field, model in enumerate(state.models.fields))


def refit_of(state: Project, through: int = 7) -> InstallModel:
    """Fit a project's models; give the command that installs what was found."""
    job = job_of(state)
    _, found = done(job)
    labels = sum(len(field.labels) // 4 for field in job.fields)
    version = state.models.installed.version + 1
    return InstallModel(
        version, through, discounted_workers(state), labels, digest_of(found.fields), found.fields
    )


def _with_first_field(sound: InstallModel, **parts: object) -> InstallModel:
    fields = (replace(sound.fields[0], **parts), *sound.fields[1:])
    return replace(sound, fields=fields, digest=digest_of(fields))


WRONG: dict[str, Callable[[InstallModel], InstallModel]] = {
    "not the next": lambda sound: replace(sound, version=sound.version + 1),
    "version 0": lambda sound: replace(sound, version=0),
    "older than the one before": lambda sound: replace(sound, fitted_through=-1),
    "a worker discounted since": lambda sound: replace(sound, discounted=sound.discounted - 1),
    "another digest": lambda sound: replace(sound, digest=b"?" * 16),
    "no fields": lambda sound: replace(sound, fields=(), digest=digest_of(())),
    "numbers missing": lambda sound: _with_first_field(sound, matrices=sound.fields[0].matrices + 1),
    "another label set": lambda sound: _with_first_field(
        sound, classes=sound.fields[0].classes + 1, matrices=0, confusion=b"", class_counts=(1.0,) * 9
    ),
    "a count that is not positive": lambda sound: _with_first_field(
        sound, class_counts=(0.0, *sound.fields[0].class_counts[1:])
    ),
}
"""What is wrong, and how a sound one is made so."""


def wrong_refits(sound: InstallModel) -> list[InstallModel]:
    """Give refits that must be refused, each for a reason of its own."""
    return [make(sound) for make in WRONG.values()]
