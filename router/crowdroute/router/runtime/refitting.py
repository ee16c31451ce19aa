"""A refit from the outside: copy what counts, have it fitted elsewhere, and say what is to be installed."""

from __future__ import annotations

from crowdroute.router.commands.project import InstallModel
from crowdroute.router.errors import WrongState
from crowdroute.router.jobs.fitting import describe
from crowdroute.router.machine.project.refitting import discounted_workers
from crowdroute.router.model.fitted import digest_of
from crowdroute.router.ports import Jobs
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.state.evidence import evidence_of


async def refitted(engine: Engine, stream: str, jobs: Jobs) -> InstallModel:
    """Fit a project's models to all that counts now, and give the command that installs what was found.

    Cancelled, it cancels the job.

    Raises:
        WrongState: there is nothing to learn from, or answers of a discounted worker are still being taken
            out.
        JobFailed: the job came to nothing.
    """
    await engine.observe()
    # Nothing is awaited from here until the job is handed over: all of it is of one moment.
    state = engine.shard.project_state(stream)
    if state.repairs:
        raise WrongState(
            "answers of a discounted worker are still being taken out; refit in a moment", {"state": "REPAIR"}
        )
    evidence = [evidence_of(state, field) for field in range(len(state.models.fields))]
    annotations = sum(len(known.labels) for known in evidence)
    if not annotations:
        raise WrongState("no answer counts yet, so there is nothing to learn from", {"state": "EMPTY"})
    version, discounted = state.models.installed.version + 1, discounted_workers(state)
    sequence = engine.log.head()[0]
    running = jobs.submit(describe(zip(state.models.fields, evidence, strict=True)))
    try:
        found = await running.result()
    finally:
        running.cancel()
    return InstallModel(version, sequence, discounted, annotations, digest_of(found.fields), found.fields)
