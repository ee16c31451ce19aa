"""Workers, and the vendors and pools that they come from."""

from __future__ import annotations

from crowdroute.api.v1 import workers_pb2
from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.model.facts import SkillFact
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.states import Stage, WorkerKind
from crowdroute.router.rpc.convert.ids import text_of
from crowdroute.router.rpc.convert.locales import checked_locale
from crowdroute.router.rpc.convert.states import number_of, state_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.state.organisation import PoolRow, VendorRow, WorkerRow


def worker_message(row: WorkerRow, external_id: str) -> workers_pb2.Worker:
    """Write what is known of a worker."""
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
    )


def upsert_of(
    message: workers_pb2.UpsertWorkerRequest,
    *,
    worker: Id,
    person: Id,
    external: Id,
    kind: WorkerKind,
    vendor: Id,
    pool: Id,
) -> UpsertWorker:
    """Read what is to be known of a worker; the ids were looked up already.

    Raises:
        InvalidCommand: a stage or language is none.
    """
    return UpsertWorker(
        worker=worker,
        person=person,
        external=external,
        kind=kind,
        vendor=vendor,
        pool=pool,
        stages=tuple(state_of(Stage, number, "stages") for number in message.stages) or (Stage.CROWD,),
        skills=tuple(SkillFact(skill.name, skill.level, skill.evidence) for skill in message.skills),
        languages=tuple(checked_locale(tag, "languages").lower() for tag in message.languages if tag),
        capacity=message.capacity,
    )


def vendor_message(row: VendorRow) -> workers_pb2.Vendor:
    """Write a vendor."""
    return workers_pb2.Vendor(id=to_text(Kind.VENDOR, row.vendor), name=row.name)


def pool_message(row: PoolRow) -> workers_pb2.Pool:
    """Write a pool."""
    return workers_pb2.Pool(
        id=to_text(Kind.POOL, row.pool), name=row.name, vendor_id=text_of(Kind.VENDOR, row.vendor)
    )
