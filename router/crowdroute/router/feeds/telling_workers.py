"""What is told of an organisation's workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crowdroute.router.events.organisation import WorkerStatusChanged
from crowdroute.router.feeds.outgoing import Moment, Outgoing, lower_name, record, time_text
from crowdroute.router.feeds.told import FactsRecord, SkillRecord, WorkerRecord
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.rpc.convert.ids import text_of


def upserted(moment: Moment, state: None, names: Mapping[Id, str]) -> Iterator[Outgoing]:
    """Tell what is known of a worker."""
    facts: WorkerFacts = moment.event.facts
    told = FactsRecord(
        kind=lower_name(facts.kind),
        vendor_id=text_of(Kind.VENDOR, facts.vendor),
        pool_id=text_of(Kind.POOL, facts.pool),
        stages=[lower_name(stage) for stage in facts.stages],
        skills=[SkillRecord(name=one.name, level=one.level, evidence=one.evidence) for one in facts.skills],
        languages=list(facts.languages),
        capacity=facts.capacity,
    )
    yield _worker(moment, facts.worker, "upserted", facts.version, facts.status, facts=told)


def standing(moment: Moment, state: None, names: Mapping[Id, str]) -> Iterator[Outgoing]:
    """Tell that a worker's status changed."""
    event: WorkerStatusChanged = moment.event
    until = time_text(event.until_us) if event.until_us else ""
    yield _worker(
        moment, event.worker, "status", event.version, event.status, reason=event.reason, until=until
    )


def person_erased(moment: Moment, state: None, names: Mapping[Id, str]) -> Iterator[Outgoing]:
    """Tell of each identity of an erased person that it is nobody's now."""
    for number, worker in enumerate(moment.event.workers):
        each = moment._replace(id=f"{moment.id}-{number:04d}")
        yield _worker(each, worker, "erased", 0, None, reason=moment.event.reason)


def _worker(
    moment: Moment,
    worker: Id,
    change: Any,
    version: int,
    status: WorkerStatus | None,
    *,
    reason: str = "",
    until: str = "",
    facts: FactsRecord | None = None,
) -> Outgoing:
    told = WorkerRecord(
        id=moment.id,
        at=time_text(moment.at_us),
        change=change,
        worker_id=to_text(Kind.WORKER, worker),
        version=version,
        status="" if status is None else status.name.lower(),
        reason=reason,
        until=until,
        facts=facts,
    )
    return record("workers", worker, told)
