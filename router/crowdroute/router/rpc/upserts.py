"""Making workers known, as far as the caller's credential reaches; both services do it in this one way."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from crowdroute.api.v1 import workers_pb2
from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.errors import AlreadyExists, InvalidCommand, NotFound, PermissionRefused
from crowdroute.router.model import content
from crowdroute.router.model.content import WorkerContent
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.states import WorkerKind
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.contents import encode_worker
from crowdroute.router.rpc.convert.ids import id_of, optional_id_of
from crowdroute.router.rpc.convert.states import optional_state_of
from crowdroute.router.rpc.convert.workers import told_of, upsert_of
from crowdroute.router.rpc.reach import Reach
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.state.organisation import OrganisationState, WorkerRow

LONGEST_EXTERNAL_ID = 200


class Upsert(NamedTuple):
    """A command, and the content to be made durable with it."""

    command: UpsertWorker
    contents: tuple[ContentChange, ...]


def read_upsert(
    engine: Engine,
    tenant: str,
    organisation: OrganisationState,
    reach: Reach,
    message: workers_pb2.UpsertWorkerRequest,
) -> Upsert:
    """Read which worker is to be known, and as what; decide it in the same step.

    What the message does not tell stays as it is. A caller that is bound to a vendor or pool need not name
    it, and can name no other.

    Raises:
        InvalidCommand: it cannot be right.
        NotFound: it names a worker, person, vendor or pool that does not exist within reach.
        AlreadyExists: the external id belongs to a worker out of reach.
        PermissionRefused: a caller that is bound says at which stages a worker may work.
    """
    external_id = message.external_id
    if not external_id and not message.worker_id:
        raise InvalidCommand(
            "give an external_id, or the worker_id of a worker that is known", {"field": "external_id"}
        )
    if len(external_id) > LONGEST_EXTERNAL_ID:
        raise InvalidCommand(
            f"external_id has {len(external_id)} characters; at most {LONGEST_EXTERNAL_ID}",
            {"field": "external_id"},
        )
    external = engine.external(tenant, Kind.WORKER, external_id)
    row = _known(organisation, reach, message, external)
    person = optional_id_of(Kind.PERSON, message.person_id, "person_id")
    if person != NO_ID and not any(
        reach.covers(organisation.workers[worker].facts) for worker in organisation.persons.get(person, ())
    ):
        raise NotFound(f"no person {to_text(Kind.PERSON, person)}: leave it out", {"field": "person_id"})
    known = WorkerFacts(engine.new_id(), NO_ID, 0) if row is None else row.facts
    kind = optional_state_of(WorkerKind, message.kind, "kind")
    vendor, pool = _suppliers(organisation, reach, message, known)
    command = upsert_of(
        message,
        msgspec.structs.replace(known, person=person, kind=known.kind if kind is None else kind),
        external=external,
        vendor=vendor,
        pool=pool,
    )
    if not reach.whole and set(command.stages) != set(known.stages):
        raise PermissionRefused(
            "this token is bound to a vendor or pool, and only the organisation says at which stages a worker"
            " may work: leave stages out",
            {"field": "stages"},
        )
    worker = command.worker
    contents: tuple[ContentChange, ...] = ()
    if external_id:
        contents = (ContentChange(content.worker(worker), encode_worker(WorkerContent(external_id))),)
    return Upsert(command, contents)


def _suppliers(
    organisation: OrganisationState,
    reach: Reach,
    message: workers_pb2.UpsertWorkerRequest,
    known: WorkerFacts,
) -> tuple[Id, Id]:
    """Give the vendor and pool that a worker is to belong to."""
    told = told_of(message)
    vendor, pool = known.vendor, known.pool
    if "vendor_id" in told or not reach.whole:
        given = optional_id_of(Kind.VENDOR, message.vendor_id, "vendor_id")
        vendor = _bound(reach.vendor, given, Kind.VENDOR)
    if "pool_id" in told or reach.pool != NO_ID:
        pool = _bound(reach.pool, optional_id_of(Kind.POOL, message.pool_id, "pool_id"), Kind.POOL)
        row = organisation.pools.get(pool)
        if not reach.whole and pool != NO_ID and (row is None or row.vendor != vendor):
            raise _missing(Kind.POOL, pool)
    elif vendor != known.vendor:
        pool = NO_ID  # a pool is its vendor's
    return vendor, pool


def find_reachable(organisation: OrganisationState, reach: Reach, worker: Id) -> WorkerRow:
    """Give a worker within reach.

    Raises:
        NotFound: there is none, or it is out of reach.
    """
    row = organisation.workers.get(worker)
    if row is None or not reach.covers(row.facts):
        raise NotFound(f"no worker {to_text(Kind.WORKER, worker)}: add them first", {"field": "worker_id"})
    return row


def _known(
    organisation: OrganisationState, reach: Reach, message: workers_pb2.UpsertWorkerRequest, external: Id
) -> WorkerRow | None:
    row = organisation.find_worker(external) if external != NO_ID else None
    if row is not None and not reach.covers(row.facts):
        raise AlreadyExists(
            f"the external id {message.external_id[:64]!r} is taken: give another", {"field": "external_id"}
        )
    if message.worker_id:
        worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
        return find_reachable(organisation, reach, worker)
    return row


def _bound(bound: Id, given: Id, kind: Kind) -> Id:
    """Give what holds of a credential's own vendor or pool and the one that is named."""
    if bound == NO_ID or given in (NO_ID, bound):
        return given if bound == NO_ID else bound
    raise _missing(kind, given)


def _missing(kind: Kind, identity: Id) -> NotFound:
    name = kind.name.lower()
    return NotFound(f"no {name} {to_text(kind, identity)}: add it first", {"field": name})
