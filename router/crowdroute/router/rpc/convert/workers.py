"""Workers, and the vendors and pools that they come from."""

from __future__ import annotations

from crowdroute.api.v1 import workers_pb2
from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.facts import SkillFact, WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.states import Stage, WorkerKind
from crowdroute.router.rpc.convert.ids import text_of
from crowdroute.router.rpc.convert.locales import checked_locale
from crowdroute.router.rpc.convert.states import number_of, state_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.runtime.directory.work import WorkSummary
from crowdroute.router.state.organisation import PoolRow, VendorRow, WorkerRow


def totals_message(work: WorkSummary, whole: bool) -> workers_pb2.WorkerTotals:
    """Write what a worker did in all projects."""
    return workers_pb2.WorkerTotals(**work._asdict(), incomplete=not whole)


def worker_message(row: WorkerRow, external_id: str, seen_us: int = 0) -> workers_pb2.Worker:
    """Write what is known of a worker, and when it called last if that is asked for."""
    facts = row.facts
    person = NO_ID if facts.kind == WorkerKind.MODEL or row.erased else facts.person
    return workers_pb2.Worker(
        id=to_text(Kind.WORKER, facts.worker),
        external_id=external_id,
        person_id=text_of(Kind.PERSON, person),
        kind=number_of(facts.kind),
        status=number_of(facts.status),
        vendor_id=text_of(Kind.VENDOR, facts.vendor),
        pool_id=text_of(Kind.POOL, facts.pool),
        stages=[number_of(stage) for stage in facts.stages],
        skills=[
            workers_pb2.Skill(name=skill.name, level=skill.level, evidence=skill.evidence)
            for skill in facts.skills
        ],
        languages=facts.languages,
        capacity=facts.capacity,
        version=facts.version,
        paused_until=timestamp(row.until_us),
        seen_at=timestamp(seen_us),
    )


MASKED = frozenset({"vendor_id", "pool_id", "stages", "skills", "languages", "capacity"})
"""What can be told of a worker, one by one."""


def told_of(message: workers_pb2.UpsertWorkerRequest) -> frozenset[str]:
    """Give which of `MASKED` a message tells.

    Raises:
        InvalidCommand: its mask names something else.
    """
    if not message.HasField("update_mask"):
        return frozenset(name for name in MASKED if getattr(message, name))
    told = frozenset(message.update_mask.paths)
    if not told <= MASKED:
        raise InvalidCommand(
            f"update_mask names {', '.join(sorted(told - MASKED))[:200]}; it may name:"
            f" {', '.join(sorted(MASKED))}",
            {"field": "update_mask"},
        )
    return told


def upsert_of(
    message: workers_pb2.UpsertWorkerRequest,
    known: WorkerFacts,
    *,
    external: Id,
    vendor: Id,
    pool: Id,
) -> UpsertWorker:
    """Read what is to be known of a worker; the ids were looked up already.

    Args:
        message: what is told.
        known: what holds of what is not told.
        external: the caller's own name for the worker, as it stands in the log.
        vendor: the vendor, told or not.
        pool: the pool, told or not.

    Raises:
        InvalidCommand: a stage, language or field of the mask is none.
    """
    told = told_of(message)
    stages, skills, languages = known.stages, known.skills, known.languages
    if "stages" in told:
        stages = tuple(state_of(Stage, number, "stages") for number in message.stages) or (Stage.CROWD,)
    if "skills" in told:
        skills = tuple(SkillFact(skill.name, skill.level, skill.evidence) for skill in message.skills)
    if "languages" in told:
        languages = tuple(checked_locale(tag, "languages").lower() for tag in message.languages if tag)
    return UpsertWorker(
        worker=known.worker,
        person=known.person,
        external=external,
        kind=known.kind,
        vendor=vendor,
        pool=pool,
        stages=stages,
        skills=skills,
        languages=languages,
        capacity=message.capacity if "capacity" in told else known.capacity,
    )


def vendor_message(row: VendorRow) -> workers_pb2.Vendor:
    """Write a vendor."""
    return workers_pb2.Vendor(id=to_text(Kind.VENDOR, row.vendor), name=row.name)


def pool_message(row: PoolRow) -> workers_pb2.Pool:
    """Write a pool."""
    return workers_pb2.Pool(
        id=to_text(Kind.POOL, row.pool), name=row.name, vendor_id=text_of(Kind.VENDOR, row.vendor)
    )
