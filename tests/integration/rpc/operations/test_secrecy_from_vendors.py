"""A vendor with every scope that its token may get sees the same whether its workers answer gold or work.

The same is done twice from the same beginning, once with a hidden check and once with ordinary work;
everything that a vendor can ask is asked after each step, and what it is told must be the same.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

import grpc
import pytest
from tests.integration.rpc.operations.test_scopes import WITHIN_BOUNDS
from tests.support.operations import RULES, Office, labels, open_office, refusal

from crowdroute.api.v1 import (
    assignments_pb2,
    explanations_pb2,
    ledger_pb2,
    projects_pb2,
    results_pb2,
    tasks_pb2,
    tokens_pb2,
    vendor_pb2,
    workers_pb2,
)
from crowdroute.client import AsyncClient
from crowdroute.router.rpc.operations.tokens import WITHIN_BOUNDS as SCOPES_OF_VENDORS

ID = re.compile(r"[a-z]{3}_[0-9a-f]{32}")

HIDING = RULES.replace("share: 0%", "share: 50%")

Ask = Callable[[AsyncClient, str], Awaitable[object]]

ASKED: dict[str, Ask] = {
    "ListOpenProjects": lambda v, p: v.vendor.ListOpenProjects(vendor_pb2.ListOpenProjectsRequest()),
    "ListVendorWorkers": lambda v, p: v.vendor.ListVendorWorkers(vendor_pb2.ListVendorWorkersRequest()),
    "GetStatement": lambda v, p: v.vendor.GetStatement(vendor_pb2.GetStatementRequest()),
    "GetWorker": lambda v, p: v.operations.GetWorker(workers_pb2.GetWorkerRequest(external_id="ada")),
    "ListWorkers": lambda v, p: v.operations.ListWorkers(workers_pb2.ListWorkersRequest()),
    "ListVendors": lambda v, p: v.operations.ListVendors(workers_pb2.ListVendorsRequest()),
    "ListPools": lambda v, p: v.operations.ListPools(workers_pb2.ListPoolsRequest()),
    "ListBalances": lambda v, p: v.operations.ListBalances(ledger_pb2.ListBalancesRequest(project_id=p)),
}
"""What a vendor may read."""

WRITTEN = {"UpsertWorker", "UpsertWorkers", "CreateWorkerSession"}
"""What a vendor may do; their replies tell what `GetWorker` does."""

KEPT_FROM = {
    "GetStats": lambda v, p: v.operations.GetStats(projects_pb2.GetStatsRequest(project_id=p)),
    "Watch": lambda v, p: v.operations.Watch(explanations_pb2.WatchRequest(project_id=p)),
    "ListResults": lambda v, p: v.operations.ListResults(results_pb2.ListResultsRequest(project_id=p)),
    "ExportResults": lambda v, p: v.operations.ExportResults(results_pb2.ExportResultsRequest(project_id=p)),
    "ListTasks": lambda v, p: v.operations.ListTasks(tasks_pb2.ListTasksRequest(project_id=p)),
    "ListEntries": lambda v, p: v.operations.ListEntries(ledger_pb2.ListEntriesRequest(project_id=p)),
}
"""What would tell gold from work, by what is missing there if by nothing else."""


def test_the_table_holds_every_call_that_a_vendor_may_make() -> None:
    assert ASKED.keys() | WRITTEN == WITHIN_BOUNDS


async def vendor_with_everything(office: Office) -> tuple[str, AsyncClient]:
    vendor = await office.admin.operations.AddVendor(workers_pb2.AddVendorRequest(name="supplier"))
    identity = bytes.fromhex(vendor.id.removeprefix("vnd_"))
    return vendor.id, await office.client(sorted(SCOPES_OF_VENDORS), vendor=identity)


def is_gold(office: Office, offer: assignments_pb2.Offer) -> bool:
    ((_, state),) = office.engine.projects()
    row = state.assignments.find(bytes.fromhex(offer.assignment_id.removeprefix("asg_")))
    return bool(state.tasks.known[state.assignments.task[row]] >= 0)


class Desk:
    """One worker of the vendor, who holds one offer of each kind and does things with one of them."""

    def __init__(self, worker: AsyncClient, offer: assignments_pb2.Offer, office: Office) -> None:
        self.worker, self.offer, self.office = worker, offer, office

    def about(self) -> dict[str, str]:
        offer = self.offer
        names = ("project_id", "assignment_id", "lease_token")
        return {name: getattr(offer, name) for name in names}

    async def submit(self) -> None:
        await self.worker.submit(self.offer, {"label": "dog"})

    async def amend(self) -> None:
        message = assignments_pb2.AmendRequest(**self.about(), answers=labels(label="cat"))
        await self.worker.annotation.Amend(message)

    async def withdraw(self) -> None:
        message = assignments_pb2.WithdrawRequest(**self.about(), reason="slip")
        await self.worker.annotation.Withdraw(message)

    async def skip(self) -> None:
        message = assignments_pb2.SkipRequest(**self.about(), reason="unclear")
        await self.worker.annotation.Skip(message)

    async def wait(self) -> None:
        await self.office.pass_time(601)


async def story(gold: bool, steps: Sequence[str]) -> list[tuple[str, str, str]]:
    """Give everything that a vendor is told before and after each step."""
    heard = []
    async with open_office() as office:
        vendor, client = await vendor_with_everything(office)
        project = await office.project(rules=HIDING)
        await office.items(project, 3, gold="cat", prefix="gold")
        await office.items(project, 4)
        session = await client.operations.CreateWorkerSession(
            tokens_pb2.CreateWorkerSessionRequest(upsert={"external_id": "ada", "vendor_id": vendor})
        )
        worker = office.holder(session.bearer)
        offers = await worker.next(project.id, count=6)
        (offer, *_) = [one for one in offers if is_gold(office, one) == gold]
        desk = Desk(worker, offer, office)
        for step in ("", *steps):
            if step:
                await getattr(desk, step)()
            for name, ask in ASKED.items():
                heard.append((step, name, without_ids(str(await ask(client, project.id)))))
    return heard


def without_ids(text: str) -> str:
    """Put the places of ids in the stead of ids, which are random."""
    places: dict[str, str] = {}
    return ID.sub(lambda found: places.setdefault(found[0], f"id {len(places)}"), text)


@pytest.mark.parametrize(
    "steps",
    [
        ("submit", "amend", "withdraw", "wait"),
        ("submit", "wait"),
        ("skip", "wait"),
        ("wait", "submit", "withdraw"),
        ("wait", "wait", "submit"),
    ],
    ids=" ".join,
)
async def test_a_vendor_is_told_the_same_of_gold_and_of_work(steps: tuple[str, ...]) -> None:
    assert await story(True, steps) == await story(False, steps)


@pytest.mark.parametrize("call", KEPT_FROM)
async def test_a_vendor_is_kept_from_what_would_tell_them_apart(office: Office, call: str) -> None:
    _, client = await vendor_with_everything(office)
    project = await office.project()

    refused = await refusal(KEPT_FROM[call](client, project.id))

    assert refused.status is grpc.StatusCode.PERMISSION_DENIED


async def test_a_vendors_older_token_with_results_is_refused_too(office: Office) -> None:
    vendor, _ = await vendor_with_everything(office)
    bound = await office.client(["results.read"], vendor=bytes.fromhex(vendor.removeprefix("vnd_")))
    project = await office.project()

    refused = await refusal(KEPT_FROM["ExportResults"](bound, project.id))

    assert refused.status is grpc.StatusCode.PERMISSION_DENIED


async def test_no_lease_shows_in_what_a_project_wants(office: Office) -> None:
    vendor, client = await vendor_with_everything(office)
    project = await office.project(rules=HIDING)
    await office.items(project, 4)
    (before,) = (await client.vendor.ListOpenProjects(vendor_pb2.ListOpenProjectsRequest())).projects

    _, worker = await office.session("ada", vendor_id=vendor)
    await office.label(worker, project)

    (after,) = (await client.vendor.ListOpenProjects(vendor_pb2.ListOpenProjectsRequest())).projects
    assert before == after
    assert before.wanted == 20
