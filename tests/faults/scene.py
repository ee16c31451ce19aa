"""A directory with a project in it, and whoever may work there."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from crowdroute.router.commands.organisation import CreateOrganisation, IssueToken, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model import content
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.rules import Field, GoldPlan, Label, LeaseTerms, Overlap, Prices, ProjectRules
from crowdroute.router.model.states import Purpose
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.authentication import new_secret
from crowdroute.router.rpc.convert.content import encode_item
from crowdroute.router.rpc.scopes import SESSION_SCOPES, Scope
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.opening import opened_group
from crowdroute.router.runtime.settings import KafkaLogSettings, Settings

TENANT = "default"
LABELS = ("yes", "no", "unsure")
IMPORT_ROWS = 1000
GOLD_EVERY = 20
"""Every so manieth task has a known answer."""


RULES = ProjectRules(
    1,
    (Field("label", tuple(Label(name) for name in LABELS)),),
    guideline="Say whether it is.",
    overlap=Overlap(2, 4),
    gold=GoldPlan(share=0.05, first=2),
    prices=Prices(20_000),
    lease=LeaseTerms(per_worker=20),
)


class Annotator(NamedTuple):
    """A worker and the token of their session."""

    worker: Id
    bearer: str


class Scene(NamedTuple):
    """What the clients of one project need to know."""

    shard: int
    """Where it lives."""
    stream: str
    project: str
    name: str
    annotators: list[Annotator]
    operator: str
    """Bearer that may read how the project does, add items to it and erase them."""
    tasks: int
    """How many there are."""
    results: int
    """How many tasks will have a result: all but gold."""


async def prepare(
    directory: Path, annotators: int, tasks: int, kafka: KafkaLogSettings | None = None
) -> Scene:
    """Write the beginning of a history: one project, its tasks, and people with sessions."""
    (scene,) = await prepare_shards(directory, 1, annotators, tasks, kafka)
    return scene


async def prepare_shards(
    directory: Path, shards: int, annotators: int, tasks: int, kafka: KafkaLogSettings | None = None
) -> list[Scene]:
    """Write the beginning of as many histories, with a project in each; the people are shared out."""
    settings = Settings(directory=directory, kafka=kafka, shards=shards, snapshots=False)
    async with opened_group(settings) as group:
        engine = group.engines[0]
        organisation = organisation_stream(TENANT)
        await engine.submit(engine.request(organisation, CreateOrganisation(TENANT)))
        scopes = (Scope.PROJECTS_READ.value, Scope.ITEMS_WRITE.value, Scope.TASKS_READ.value)
        operator = await _token(engine, organisation, scopes)
        scenes = []
        for shard in range(shards):  # a new project lives in the shard that has fewest
            project, name = engine.new_id(), f"under fire {shard}"
            stream = project_stream(TENANT, project)
            await group.submit(group.request(stream, CreateProject(project, name, RULES)))
            await _import(group.engines[shard], stream, tasks)
            people = [await _annotator(engine, organisation) for _ in range(annotators // shards)]
            results = tasks - len(range(0, tasks, GOLD_EVERY))
            scenes.append(
                Scene(shard, stream, to_text(Kind.PROJECT, project), name, people, operator, tasks, results)
            )
        return scenes


async def _annotator(engine: Engine, organisation: str) -> Annotator:
    worker = engine.new_id()
    await engine.submit(engine.request(organisation, UpsertWorker(worker, NO_ID, NO_ID)))
    return Annotator(worker, await _token(engine, organisation, SESSION_SCOPES, worker))


async def _token(engine: Engine, organisation: str, scopes: tuple[str, ...], worker: Id = NO_ID) -> str:
    token = engine.new_id()
    secret = new_secret(token)
    issue = IssueToken(token, secret.digest, "a test", scopes, worker=worker)
    await engine.submit(engine.request(organisation, issue))
    return secret.bearer


async def _import(engine: Engine, stream: str, tasks: int) -> None:
    for first in range(0, tasks, IMPORT_ROWS):
        rows, contents = [], []
        for number in range(first, min(first + IMPORT_ROWS, tasks)):
            body = encode_item(ItemContent("", (Part("text", "text/plain", f"{number}: is it?"),)))
            known = number % GOLD_EVERY == 0
            rows.append(
                NewTask(
                    engine.new_id(),
                    engine.new_id(),
                    digest=engine.digest(body),
                    purpose=Purpose.GOLD if known else Purpose.PRODUCTION,
                    gold=(Choice(0, number % len(LABELS)),) if known else (),
                )
            )
            contents.append(ContentChange(content.item(rows[-1].item), body))
        await engine.submit(engine.request(stream, AddTasks(tuple(rows))), contents)
