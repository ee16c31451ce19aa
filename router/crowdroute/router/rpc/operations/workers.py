"""Workers: make known, find, change their standing, see how good they are, discount, forget."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from numpy.typing import NDArray

from crowdroute.api.v1 import workers_pb2 as wire
from crowdroute.router.commands.organisation import ChangeWorkerStatus, ErasePerson
from crowdroute.router.commands.project import DiscountWorker
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.machine.project.reviewing import record_of
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.contents import worker_names_of
from crowdroute.router.rpc.convert.ids import id_of, optional_id_of
from crowdroute.router.rpc.convert.money import money_message
from crowdroute.router.rpc.convert.states import optional_state_of, state_of
from crowdroute.router.rpc.convert.times import moment_of, timestamp
from crowdroute.router.rpc.convert.workers import totals_message, worker_message
from crowdroute.router.rpc.operations.counting import count_answers
from crowdroute.router.rpc.operations.office import Office, organisation_of
from crowdroute.router.rpc.pages import fill, page_of
from crowdroute.router.rpc.reach import Reach, reach_of
from crowdroute.router.rpc.upserts import find_reachable, read_upsert
from crowdroute.router.runtime.directory.work import work_of
from crowdroute.router.state.organisation import OrganisationState, WorkerRow
from crowdroute.router.state.project import Project
from crowdroute.workers.reliability import accuracy_interval
from crowdroute.workers.status import StatusReason


class Workers(Office):
    """The calls that concern workers."""

    async def upsert_worker(self, call: Call, message: wire.UpsertWorkerRequest) -> wire.Worker:
        """Make a worker known, or change what is known."""
        organisation, reach = self.reachable(call)
        upsert = read_upsert(self.home(call), call.principal.tenant, organisation, reach, message)
        reply = await self.act(call, organisation_of(call), upsert.command, message, upsert.contents)
        return await self._worker(call, organisation.workers[expect(Created, reply).id])

    async def get_worker(self, call: Call, message: wire.GetWorkerRequest) -> wire.Worker:
        """Give one worker."""
        organisation, reach = self.reachable(call)
        match message.WhichOneof("key"):
            case "worker_id":
                worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
                return await self._whole_worker(call, find_reachable(organisation, reach, worker))
            case "external_id":
                row = self.worker_named(call, organisation, reach, message.external_id)
                return await self._whole_worker(call, row)
        raise InvalidCommand("give worker_id or external_id", {"field": "key"})

    def worker_named(
        self, call: Call, organisation: OrganisationState, reach: Reach, external_id: str
    ) -> WorkerRow:
        """Find a worker by the caller's own name.

        Raises:
            NotFound: there is none within reach.
        """
        external = self.home(call).external(call.principal.tenant, Kind.WORKER, external_id)
        row = organisation.find_worker(external) if external_id else None
        if row is None or not reach.covers(row.facts):
            raise NotFound(
                f"no worker has the external id {external_id[:200]!r}: list the workers, or make them known",
                {"field": "external_id"},
            )
        return row

    async def list_workers(self, call: Call, message: wire.ListWorkersRequest) -> wire.ListWorkersResponse:
        """Give a page of workers, in the order of their ids."""
        organisation, reach = self.reachable(call)
        page = page_of(message, Id)
        vendor = optional_id_of(Kind.VENDOR, message.vendor_id, "vendor_id")
        pool = optional_id_of(Kind.POOL, message.pool_id, "pool_id")
        if reach.vendor not in (NO_ID, vendor) and vendor != NO_ID:
            raise NotFound(f"no vendor {message.vendor_id}", {"field": "vendor_id"})
        if reach.pool not in (NO_ID, pool) and pool != NO_ID:
            raise NotFound(f"no pool {message.pool_id}", {"field": "pool_id"})
        _require_suppliers(organisation, vendor, pool)
        status = optional_state_of(WorkerStatus, message.status, "status")
        rows = workers_after(
            organisation,
            page.after or NO_ID,
            page.rows + 1,
            vendor=reach.vendor if vendor == NO_ID else vendor,
            pool=reach.pool if pool == NO_ID else pool,
            status=status,
        )
        await self.observe()
        names = await worker_names_of(self.home(call), [row.facts.worker for row in rows])
        workers, token = await fill(page, rows, lambda row: self._message(call, row, names), worker_of)
        return wire.ListWorkersResponse(workers=workers, next_page_token=token)

    async def set_worker_status(self, call: Call, message: wire.SetWorkerStatusRequest) -> wire.Worker:
        """Promote, pause, resume or ban a worker; the reason is one of the table's codes."""
        organisation = self.tenant(call)
        worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
        if not message.status and message.reason == StatusReason.PAUSE_ENDED:
            # Back to what the worker was before, which who ends a pause need not know.
            status = WorkerStatus(find_reachable(organisation, Reach(NO_ID, NO_ID), worker).rank)
        else:
            status = state_of(WorkerStatus, message.status, "status")
        command = ChangeWorkerStatus(
            worker,
            status,
            message.reason,
            moment_of(message.until, "until") if message.HasField("until") else 0,
        )
        await self.act(call, organisation_of(call), command, message)
        return await self._worker(call, organisation.workers[worker])

    async def list_worker_records(
        self, call: Call, message: wire.ListWorkerRecordsRequest
    ) -> wire.ListWorkerRecordsResponse:
        """Give a page of a project's workers, in the order in which the project met them."""
        state = self.place(call, message.project_id).state
        page = page_of(message, int)
        answers = await count_answers(state)
        response = wire.ListWorkerRecordsResponse()
        if message.worker_id:
            worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
            response.records.append(_record(state, state.worker(worker), answers))
        else:
            begin = 0 if page.after is None else page.after + 1
            known = (row for row in range(begin, len(answers)) if state.workers.version[row])
            rows = list(islice(known, page.rows + 1))
            records, token = await fill(page, rows, lambda row: _record(state, row, answers), int)
            response = wire.ListWorkerRecordsResponse(records=records, next_page_token=token)
        await self.observe()
        return response

    async def discount_worker(
        self, call: Call, message: wire.DiscountWorkerRequest
    ) -> wire.DiscountWorkerResponse:
        """Let none of a worker's answers in a project count."""
        place = self.place(call, message.project_id)
        worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
        await self.act(call, place.stream, DiscountWorker(worker, message.reason), message)
        return wire.DiscountWorkerResponse()

    async def erase_person(self, call: Call, message: wire.ErasePersonRequest) -> wire.ErasePersonResponse:
        """Delete a person's names and contacts and what they wrote."""
        organisation = self.tenant(call)
        match message.WhichOneof("key"):
            case "person_id":
                person = id_of(Kind.PERSON, message.person_id, "person_id")
            case "worker_id":
                worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
                row = find_reachable(organisation, Reach(NO_ID, NO_ID), worker)
                if row.erased:  # a repetition: nothing leads to the person any more
                    await self.observe()
                    return wire.ErasePersonResponse()
                person = row.facts.person
            case _:
                raise InvalidCommand("give person_id or worker_id", {"field": "key"})
        await self.act(call, organisation_of(call), ErasePerson(person, message.reason), message)
        return wire.ErasePersonResponse()

    async def _worker(self, call: Call, row: WorkerRow) -> wire.Worker:
        """Write a worker as a change left it, the same for every repetition."""
        await self.observe()
        worker = row.facts.worker
        names = await worker_names_of(self.home(call), (worker,))
        return worker_message(row, names.get(worker, ""))

    async def _whole_worker(self, call: Call, row: WorkerRow) -> wire.Worker:
        """Write a worker as it stands, with what it did in all projects for who may see them."""
        tenant, worker = call.principal.tenant, row.facts.worker
        totals = None
        if reach_of(call.principal).whole:
            work, whole = await work_of(self._group, self._gate.directory, tenant, worker)
            totals = totals_message(work, whole) if work.projects or not whole else None
        await self.observe()
        message = self._message(call, row, await worker_names_of(self.home(call), (worker,)))
        if totals is not None:
            message.totals.CopyFrom(totals)
        return message

    def _message(self, call: Call, row: WorkerRow, names: Mapping[Id, str]) -> wire.Worker:
        worker, seen_us = row.facts.worker, 0
        if reach_of(call.principal).whole:
            seen_us = self._gate.presence.last_us(call.principal.tenant, worker)
        return worker_message(row, names.get(worker, ""), seen_us)


def workers_after(
    organisation: OrganisationState,
    after: Id,
    wanted: int,
    *,
    vendor: Id,
    pool: Id,
    status: WorkerStatus | None,
) -> list[WorkerRow]:
    """Give up to `wanted` workers whose ids come after `after`, in the order of ids."""
    found: list[WorkerRow] = []
    while len(found) < wanted and (some := organisation.list_workers(after, wanted, vendor, pool)):
        found += [row for row in some if status is None or row.facts.status == status]
        after = some[-1].facts.worker
    return found[:wanted]


def worker_of(row: WorkerRow) -> Id:
    """Give a worker's place in the list."""
    return row.facts.worker


def _require_suppliers(organisation: OrganisationState, vendor: Id, pool: Id) -> None:
    if vendor != NO_ID and vendor not in organisation.vendors:
        raise NotFound(f"no vendor {to_text(Kind.VENDOR, vendor)}", {"field": "vendor_id"})
    if pool != NO_ID and pool not in organisation.pools:
        raise NotFound(f"no pool {to_text(Kind.POOL, pool)}", {"field": "pool_id"})


def _record(state: Project, row: int, answers: NDArray[Any]) -> wire.WorkerRecord:
    workers = state.workers
    interval = accuracy_interval(*record_of(state, row))
    return wire.WorkerRecord(
        worker_id=to_text(Kind.WORKER, workers.id_of(row)),
        granted=workers.granted[row],
        answered=int(answers[row]),
        live=workers.live[row],
        checked=interval.count,
        correct=interval.correct,
        accuracy=interval.mean,
        accuracy_lower=interval.lower,
        accuracy_upper=interval.upper,
        earned=money_message(workers.earned_micros[row], state.rules.prices.currency),
        seen_at=timestamp(workers.seen_us[row]),
        discounted=bool(workers.discounted[row]),
    )
