"""`crowdroute workers add` and `set`: what is known of a worker, as far as an operator says."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdroute.api.v1 import types_pb2, workers_pb2
from crowdroute.client import Client
from crowdroute.router.cli.output import console, print_json, to_dict
from crowdroute.router.cli.target import DEFAULT_ADDRESS, Address, AsJson, TokenFile, connect

STAGES = {
    "crowd": types_pb2.STAGE_CROWD,
    "senior": types_pb2.STAGE_SENIOR,
    "expert": types_pb2.STAGE_EXPERT,
}

Stages = Annotated[
    str | None, typer.Option("--stages", help="Where they may work: crowd, senior, expert, with commas.")
]
Skills = Annotated[
    str | None,
    typer.Option("--skills", help='All their skills with levels of 0 to 1: law=0.8,birds=1. "": none.'),
]
Languages = Annotated[
    str | None, typer.Option("--languages", help='All their languages (BCP 47): de,pt-BR. "": none.')
]
Capacity = Annotated[
    int | None, typer.Option("--capacity", min=0, help="Leases they may hold at once; 0: as the rules say.")
]
VendorId = Annotated[str | None, typer.Option("--vendor", help='Id of the vendor they come from. "": none.')]
PoolId = Annotated[str | None, typer.Option("--pool", help='Id of the pool they belong to. "": none.')]


def add(
    external_id: Annotated[str, typer.Argument(help="Your own name for them, for example an address.")],
    stages: Stages = None,
    skills: Skills = None,
    languages: Languages = None,
    capacity: Capacity = None,
    vendor: VendorId = None,
    pool: PoolId = None,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a worker known before their first session; one who is known already stays, and is changed.

    Example: crowdroute workers add sue@example.org --stages senior
    """
    request = _told(stages, skills, languages, capacity, vendor, pool)
    request.external_id = external_id
    with connect(address, token_file) as client:
        worker: workers_pb2.Worker = client.operations.UpsertWorker(request)
    _show(worker, as_json)


def set_worker(
    worker: Annotated[str, typer.Argument(help="Id or external id of the worker.")],
    stages: Stages = None,
    skills: Skills = None,
    languages: Languages = None,
    capacity: Capacity = None,
    vendor: VendorId = None,
    pool: PoolId = None,
    address: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Change what is known of a worker; what is left out stays as it is.

    Example: crowdroute workers set ann@example.org --stages crowd,senior --languages de,en
    """
    request = _told(stages, skills, languages, capacity, vendor, pool)
    if not request.update_mask.paths:
        raise typer.BadParameter(
            "nothing to set: give --stages, --skills, --languages, --capacity, --vendor or --pool"
        )
    with connect(address, token_file) as client:
        request.worker_id = find_worker(client, worker).id
        changed: workers_pb2.Worker = client.operations.UpsertWorker(request)
    _show(changed, as_json)


def find_worker(client: Client, worker: str) -> workers_pb2.Worker:
    """Give a worker by id or external id."""
    key = {"worker_id": worker} if worker.startswith("wrk_") else {"external_id": worker}
    found: workers_pb2.Worker = client.operations.GetWorker(workers_pb2.GetWorkerRequest(**key))
    return found


def stage_names(worker: workers_pb2.Worker) -> str:
    """Give the stages a worker may work at, as the options take them."""
    return ",".join(name for name, stage in STAGES.items() if stage in worker.stages)


def _told(
    stages: str | None,
    skills: str | None,
    languages: str | None,
    capacity: int | None,
    vendor: str | None,
    pool: str | None,
) -> workers_pb2.UpsertWorkerRequest:
    given = {
        "stages": None if stages is None else [_stage(word) for word in _words(stages)],
        "skills": None if skills is None else [_skill(word) for word in _words(skills)],
        "languages": None if languages is None else _words(languages),
        "capacity": capacity,
        "vendor_id": vendor,
        "pool_id": pool,
    }
    told = {name: value for name, value in given.items() if value is not None}
    if stages is not None and not given["stages"]:
        raise typer.BadParameter(f"--stages: name at least one of {', '.join(STAGES)}")
    request = workers_pb2.UpsertWorkerRequest(**told)  # type: ignore[arg-type]  # fields by name, of many types
    request.update_mask.paths.extend(sorted(told))
    return request


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _stage(word: str) -> types_pb2.Stage:
    if word not in STAGES:
        raise typer.BadParameter(f"--stages: there is no stage {word!r}; the stages are {', '.join(STAGES)}")
    return STAGES[word]


def _skill(word: str) -> workers_pb2.Skill:
    name, _, level = word.partition("=")
    try:
        return workers_pb2.Skill(name=name.strip(), level=float(level))
    except ValueError:
        raise typer.BadParameter(
            f"--skills: {word!r} is no skill with a level of 0 to 1; write for example law=0.8"
        ) from None


def _show(worker: workers_pb2.Worker, as_json: bool) -> None:
    if as_json:
        print_json(to_dict(worker))
        return
    skills = ", ".join(f"{skill.name}={skill.level:g}" for skill in worker.skills)
    console().print(
        f"{worker.external_id or worker.id} ({worker.id}): stages {stage_names(worker)};"
        f" skills {skills or 'none'}; languages {', '.join(worker.languages) or 'none'};"
        f" capacity {worker.capacity or 'as the rules say'}"
    )
