"""A refit from the outside: copy what counts, have it fitted elsewhere, and say what is to be installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from crowdroute.router.commands.project import InstallModel
from crowdroute.router.errors import WrongState
from crowdroute.router.jobs.fitting import describe
from crowdroute.router.jobs.running import JobProgress
from crowdroute.router.machine.project.refitting import discounted_workers, require_room
from crowdroute.router.model.fitted import digest_of
from crowdroute.router.ports import Jobs, RunningJob
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.state.evidence import evidence_of


class Refitting(NamedTuple):
    """A refit under way; whoever began it takes what it found, or cancels it."""

    version: int
    fitted_through: int
    discounted: int
    annotations: int
    job: RunningJob

    def progress(self) -> AsyncIterator[JobProgress]:
        """Yield how far it has come; see `RunningJob.progress`."""
        return self.job.progress()

    async def found(self) -> InstallModel:
        """Give the command that installs what is found.

        Raises:
            JobFailed: the job came to nothing.
        """
        fields = (await self.job.result()).fields
        return InstallModel(
            self.version, self.fitted_through, self.discounted, self.annotations, digest_of(fields), fields
        )

    def cancel(self) -> None:
        """End it; one that is over stays as it is."""
        self.job.cancel()


async def begin_refit(engine: Engine, stream: str, jobs: Jobs) -> Refitting:
    """Begin to fit a project's models to all that counts now.

    Raises:
        WrongState: there is nothing to learn from, or answers of a discounted worker are still being taken
            out.
        InvalidCommand: what is found could not be installed: it would be too many numbers.
    """
    await engine.observe()
    # Nothing is awaited from here on: all of it is of one moment.
    state = engine.shard.project_state(stream)
    if state.repairs:
        raise WrongState(
            "answers of a discounted worker are still being taken out; refit in a moment", {"state": "REPAIR"}
        )
    models = state.models.fields
    require_room(sum(model.n_matrices * model.n_classes**2 for model in models))
    evidence = [evidence_of(state, field) for field in range(len(models))]
    annotations = sum(len(known.labels) for known in evidence)
    if not annotations:
        raise WrongState("no answer counts yet, so there is nothing to learn from", {"state": "EMPTY"})
    return Refitting(
        version=state.models.installed.version + 1,
        fitted_through=engine.log.head()[0],
        discounted=discounted_workers(state),
        annotations=annotations,
        job=jobs.submit(describe(zip(models, evidence, strict=True))),
    )
