"""A project of pictures with people who may work in it, as several benchmarks begin."""

from __future__ import annotations

from collections.abc import Sequence

from crowdroute.router.commands.organisation import CreateOrganisation, IssueToken, UpsertWorker
from crowdroute.router.commands.project import CreateProject
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import Field, Label, LeaseTerms, Overlap, Prices, ProjectRules
from crowdroute.router.rpc.authentication import new_secret
from crowdroute.router.rpc.scopes import SESSION_SCOPES
from crowdroute.router.runtime.engine import Engine

TENANT = "bench"
LABELS = ("cat", "dog", "bird", "none")


async def begin_labelling(engine: Engine, workers: int) -> tuple[Id, Sequence[str]]:
    """Create the organisation and a project without tasks; give its id and the workers' bearer tokens."""
    organisation = organisation_stream(TENANT)
    await engine.submit(engine.request(organisation, CreateOrganisation(TENANT)))
    project = engine.new_id()
    rules = ProjectRules(
        1,
        (Field("label", tuple(Label(name) for name in LABELS)),),
        guideline="Say which animal it is.",
        overlap=Overlap(2, 5),
        prices=Prices(20_000),
        lease=LeaseTerms(per_worker=100),
    )
    create = CreateProject(project, "bench", rules)
    await engine.submit(engine.request(project_stream(TENANT, project), create))
    bearers = []
    for _ in range(workers):
        worker, token = engine.new_id(), engine.new_id()
        secret = new_secret(token)
        bearers.append(secret.bearer)
        await engine.submit(engine.request(organisation, UpsertWorker(worker, NO_ID, NO_ID)))
        issue = IssueToken(token, secret.digest, "bench", SESSION_SCOPES, worker=worker)
        await engine.submit(engine.request(organisation, issue))
    return project, bearers
