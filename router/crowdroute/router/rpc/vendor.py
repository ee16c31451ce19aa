"""`VendorService`: what vendors call, for their own workers alone."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from functools import partial

import numpy as np

from crowdroute.api.v1 import vendor_pb2 as wire
from crowdroute.api.v1 import workers_pb2
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import InvalidCommand, PermissionRefused, Refusal
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.facts import Requirement
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.states import ProjectState, Stage, TaskState, WorkerStatus
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.calls import Call, checked_key
from crowdroute.router.rpc.contents import worker_names_of
from crowdroute.router.rpc.convert.money import money_message
from crowdroute.router.rpc.convert.states import optional_state_of
from crowdroute.router.rpc.convert.workers import worker_message
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.operations.counting import free_slots
from crowdroute.router.rpc.operations.ledger import balances_after, place_of
from crowdroute.router.rpc.operations.office import request_digest
from crowdroute.router.rpc.operations.workers import worker_of, workers_after
from crowdroute.router.rpc.pages import Page, fill, page_of, spaced
from crowdroute.router.rpc.reach import Reach, reach_of
from crowdroute.router.rpc.rough import RoughCounts
from crowdroute.router.rpc.scopes import Scope
from crowdroute.router.rpc.status import problem_message
from crowdroute.router.rpc.upserts import read_upsert
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.project import Project

MOST_ROWS = 1000
"""Workers in one call."""


class VendorServicer:
    """Carries out the calls. What is out of the token's reach answers as what does not exist."""

    def __init__(self, group: ShardGroup, gate: Gate) -> None:
        """Serve a group."""
        self._group = group
        self._gate = gate
        self._wanted_about = RoughCounts()

    async def list_open_projects(
        self, call: Call, message: wire.ListOpenProjectsRequest
    ) -> wire.ListOpenProjectsResponse:
        """Give a page of the projects that the vendor's workers may be given work in, in the order of names.

        Of what is wanted, only vendor and pool are looked at: skills and languages differ between workers. It
        is told roughly and kept for a while (`rough`).
        """
        organisation, reach = self._reachable(call)
        page = page_of(message, str)
        names = sorted(organisation.project_names)
        response = wire.ListOpenProjectsResponse()
        begin = 0 if page.after is None else bisect_right(names, page.after)
        last = ""
        for name in names[begin:]:
            project = organisation.project_names[name]
            if not self._group.where.has(project_stream(call.principal.tenant, project)):
                continue
            state = self._group.where.project(call.principal.tenant, project)
            if state.state != ProjectState.ACTIVE or not self._admits(
                organisation, reach, state.rules.requirement
            ):
                continue
            if len(response.projects) == page.rows:
                response.next_page_token = page.token(last)
                break
            last = name
            response.projects.append(
                wire.OpenProject(
                    project_id=to_text(Kind.PROJECT, project),
                    name=name,
                    wanted=self._wanted_about.of(
                        (call.principal.tenant, project, reach),
                        self._group.now_us(),
                        partial(self._wanted, organisation, reach, state),
                    ),
                    pay=money_message(state.price_micros(Stage.CROWD), state.rules.prices.currency),
                )
            )
            await asyncio.sleep(0)
        await self._group.observe()
        return await self._with_others(call, message, page, response)

    async def _with_others(
        self,
        call: Call,
        message: wire.ListOpenProjectsRequest,
        page: Page,
        own: wire.ListOpenProjectsResponse,
    ) -> wire.ListOpenProjectsResponse:
        """Add the projects that live with other groups, and cut the page anew."""
        elsewhere = self._gate.elsewhere
        if elsewhere is None or call.part:
            return own
        more = bool(own.next_page_token)
        rows = list(own.projects)
        for answer in await elsewhere.gather(call, call.name, message.SerializeToString()):
            part = wire.ListOpenProjectsResponse.FromString(answer)
            rows += part.projects
            more = more or bool(part.next_page_token)
        rows.sort(key=lambda project: project.name)
        projects = rows[: page.rows]
        more = more or len(rows) > page.rows
        token = page.token(projects[-1].name) if more and projects else ""
        return wire.ListOpenProjectsResponse(projects=projects, next_page_token=token)

    async def upsert_workers(
        self, call: Call, message: wire.UpsertWorkersRequest
    ) -> wire.UpsertWorkersResponse:
        """Make workers of the vendor known, each row for itself."""
        organisation, reach = self._reachable(call)
        if len(message.workers) > MOST_ROWS:
            raise InvalidCommand(
                f"{len(message.workers)} workers at once; send at most {MOST_ROWS}", {"field": "workers"}
            )
        outcomes: list[Id | Refusal] = []
        async for row in spaced(message.workers):
            try:
                outcomes.append(self._upsert(call, organisation, reach, row))
            except Refusal as error:
                outcomes.append(error)
        workers = [outcome for outcome in outcomes if not isinstance(outcome, Refusal)]
        rows = {worker: organisation.workers[worker] for worker in workers}
        await self._group.observe()
        names = await worker_names_of(self._home(call), workers)
        response = wire.UpsertWorkersResponse()
        for outcome in outcomes:
            if isinstance(outcome, Refusal):
                response.workers.add(problem=problem_message(outcome))
            else:
                response.workers.add(worker=worker_message(rows[outcome], names.get(outcome, "")))
        return response

    def _upsert(
        self,
        call: Call,
        organisation: OrganisationState,
        reach: Reach,
        row: workers_pb2.UpsertWorkerRequest,
    ) -> Id:
        upsert = read_upsert(self._home(call), call.principal.tenant, organisation, reach, row)
        key = checked_key(row.idempotency_key)
        request = self._group.request(
            organisation_stream(call.principal.tenant),
            upsert.command,
            principal=call.principal.name,
            request=call.request,
            key=key,
            digest=request_digest(row) if key else b"",
        )
        return expect(Created, self._home(call).decide(request, upsert.contents)).id

    async def list_vendor_workers(
        self, call: Call, message: wire.ListVendorWorkersRequest
    ) -> workers_pb2.ListWorkersResponse:
        """Give a page of the vendor's workers, in the order of their ids."""
        organisation, reach = self._reachable(call)
        page = page_of(message, Id)
        status = optional_state_of(WorkerStatus, message.status, "status")
        rows = workers_after(
            organisation,
            page.after or NO_ID,
            page.rows + 1,
            vendor=reach.vendor,
            pool=reach.pool,
            status=status,
        )
        await self._group.observe()
        names = await worker_names_of(self._home(call), [row.facts.worker for row in rows])
        workers, token = await fill(
            page, rows, lambda row: worker_message(row, names.get(row.facts.worker, "")), worker_of
        )
        return workers_pb2.ListWorkersResponse(workers=workers, next_page_token=token)

    async def get_statement(self, call: Call, message: wire.GetStatementRequest) -> wire.GetStatementResponse:
        """Give a page of what is owed, per worker and project; the totals are up to a minute old."""
        organisation, reach = self._reachable(call)
        page = page_of(message, tuple[Id, Id, str])
        rows = balances_after(organisation, reach, NO_ID, page.after, page.rows + 1)
        more = len(rows) > page.rows
        rows = rows[: page.rows]
        await self._group.observe()
        names = await worker_names_of(self._home(call), {row.worker for row in rows})
        return wire.GetStatementResponse(
            lines=[
                wire.StatementLine(
                    worker_id=to_text(Kind.WORKER, row.worker),
                    external_id=names.get(row.worker, ""),
                    project_id=to_text(Kind.PROJECT, row.project),
                    owed=money_message(row.micros, row.currency),
                )
                for row in rows
            ],
            next_page_token=page.token(place_of(rows[-1])) if more else "",
        )

    def _home(self, call: Call) -> Engine:
        """Give the engine of the shard that the caller's organisation lives in."""
        return self._group.where.engine_of(call.principal.tenant)

    def _reachable(self, call: Call) -> tuple[OrganisationState, Reach]:
        """Give the organisation, and whose workers the caller acts for.

        Raises:
            PermissionRefused: the token is bound to no vendor or pool.
        """
        reach = reach_of(call.principal)
        if reach.whole:
            raise PermissionRefused(
                f"{call.principal.name} is bound to no vendor or pool: use a token that is, or"
                " OperationsService",
                {"scope": Scope.VENDOR.value},
            )
        return self._group.where.organisation(call.principal.tenant), reach

    def _wanted(self, organisation: OrganisationState, reach: Reach, state: Project) -> int:
        """Count the crowd answers wanted that nobody holds a lease for, of tasks that admit the vendor."""
        rows = state.tasks.rows[: state.tasks.count]
        admitted = [
            code
            for code, (requirement, _) in enumerate(state.signatures.values)
            if self._admits(organisation, reach, requirement)
        ]
        asked = (rows["state"] == TaskState.OPEN) & (rows["stage"] != Stage.EXPERT)
        asked &= np.isin(rows["signature"], admitted)
        return int(free_slots(rows[asked], Stage.CROWD.name.lower()).sum())

    def _admits(self, organisation: OrganisationState, reach: Reach, requirement: Requirement) -> bool:
        """Say whether a requirement lets in anybody within reach."""
        if requirement.vendors and reach.vendor not in requirement.vendors:
            return False
        if not requirement.pools:
            return True
        if reach.pool != NO_ID:
            return reach.pool in requirement.pools
        return any(
            pool in organisation.pools and organisation.pools[pool].vendor == reach.vendor
            for pool in requirement.pools
        )
