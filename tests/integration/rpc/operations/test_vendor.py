"""Vendors act for their own workers alone."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from tests.support.operations import RULES, Office, refusal

from crowdroute.api.v1 import projects_pb2, tasks_pb2, tokens_pb2, workers_pb2
from crowdroute.api.v1 import vendor_pb2 as wire
from crowdroute.client import AsyncClient


class Supplier(NamedTuple):
    """A vendor with a pool and a token of its own."""

    vendor: str
    pool: str
    client: AsyncClient


async def supplier(office: Office, name: str, *, of_pool: bool = False) -> Supplier:
    ops = office.admin.operations
    vendor = await ops.AddVendor(workers_pb2.AddVendorRequest(name=name))
    pool = await ops.AddPool(workers_pb2.AddPoolRequest(name=f"{name} pool", vendor_id=vendor.id))
    issued = await ops.IssueToken(
        tokens_pb2.IssueTokenRequest(
            name=name,
            scopes=["vendor", "sessions.create", "workers.read"],
            vendor_id=vendor.id,
            pool_id=pool.id if of_pool else "",
        )
    )
    return Supplier(vendor.id, pool.id, office.holder(issued.bearer))


def named(external_id: str, **fields: object) -> workers_pb2.UpsertWorkerRequest:
    return workers_pb2.UpsertWorkerRequest(external_id=external_id, **fields)  # type: ignore[arg-type]


async def upserted(client: AsyncClient, *rows: workers_pb2.UpsertWorkerRequest) -> list[wire.UpsertedWorker]:
    return list((await client.vendor.UpsertWorkers(wire.UpsertWorkersRequest(workers=rows))).workers)


async def open_projects(client: AsyncClient) -> dict[str, int]:
    found, token = {}, ""
    while True:
        request = wire.ListOpenProjectsRequest(page_size=1, page_token=token)
        page = await client.vendor.ListOpenProjects(request)
        assert len(page.projects) <= 1
        found |= {project.name: project.wanted for project in page.projects}
        token = page.next_page_token
        if not token:
            return found


async def test_a_vendor_makes_its_workers_known_each_row_for_itself(office: Office) -> None:
    ours = await supplier(office, "ours")
    theirs = await supplier(office, "theirs")
    await office.session("the tenant's own")

    rows = await upserted(
        ours.client,
        named("ada", languages=["en"]),
        named(""),
        named("ben", pool_id=ours.pool),
        named("cleo", vendor_id=theirs.vendor),
        named("dora", pool_id=theirs.pool),
        named("the tenant's own"),
        named("ada", languages=["de"]),
    )

    codes = [row.problem.code if row.HasField("problem") else "" for row in rows]
    assert codes == ["", "INVALID_ARGUMENT", "", "NOT_FOUND", "NOT_FOUND", "ALREADY_EXISTS", ""]
    assert [row.worker.external_id for row in rows if row.HasField("worker")] == ["ada", "ben", "ada"]
    assert {row.worker.vendor_id for row in rows if row.HasField("worker")} == {ours.vendor}
    assert rows[2].worker.pool_id == ours.pool
    assert rows[0].worker.id == rows[6].worker.id
    assert list(rows[6].worker.languages) == ["de"]


async def test_a_vendor_sees_its_own_workers_alone(office: Office) -> None:
    ours = await supplier(office, "ours")
    theirs = await supplier(office, "theirs")
    await upserted(ours.client, *(named(f"ours {number}") for number in range(3)))
    (row,) = await upserted(theirs.client, named("theirs"))
    found, token = [], ""
    while True:
        page = await ours.client.vendor.ListVendorWorkers(
            wire.ListVendorWorkersRequest(page_size=2, page_token=token)
        )
        found += [worker.external_id for worker in page.workers]
        token = page.next_page_token
        if not token:
            break

    assert sorted(found) == ["ours 0", "ours 1", "ours 2"]
    for request in (
        workers_pb2.GetWorkerRequest(worker_id=row.worker.id),
        workers_pb2.GetWorkerRequest(external_id="theirs"),
    ):
        assert (await refusal(ours.client.operations.GetWorker(request))).code == "NOT_FOUND"
    (changed,) = await upserted(ours.client, workers_pb2.UpsertWorkerRequest(worker_id=row.worker.id))
    assert changed.problem.code == "NOT_FOUND"
    listed = await ours.client.operations.ListWorkers(workers_pb2.ListWorkersRequest())
    assert sorted(worker.external_id for worker in listed.workers) == ["ours 0", "ours 1", "ours 2"]
    suppliers = await ours.client.operations.ListVendors(workers_pb2.ListVendorsRequest())
    assert [vendor.name for vendor in suppliers.vendors] == ["ours"]
    pools = await ours.client.operations.ListPools(workers_pb2.ListPoolsRequest())
    assert [pool.name for pool in pools.pools] == ["ours pool"]


@pytest.mark.parametrize("stages", [[2], [3], [1, 2]])
async def test_a_vendor_does_not_say_at_which_stages_its_workers_may_work(
    office: Office, stages: list[int]
) -> None:
    issued = ("vendor", "sessions.create", "workers.read", "workers.write")
    ours = await supplier(office, "ours")
    bound = await office.client(issued, vendor=bytes.fromhex(ours.vendor.removeprefix("vnd_")))
    upsert = named("ada", stages=stages)

    (row,) = await upserted(bound, upsert)
    session = tokens_pb2.CreateWorkerSessionRequest(upsert=upsert)
    refusals = [
        await refusal(bound.operations.UpsertWorker(upsert)),
        await refusal(bound.operations.CreateWorkerSession(session)),
    ]

    assert row.problem.code == "PERMISSION_DENIED"
    assert [(one.code, one.details["field"]) for one in refusals] == [("PERMISSION_DENIED", "stages")] * 2
    listed = await bound.vendor.ListVendorWorkers(wire.ListVendorWorkersRequest())
    assert not listed.workers


async def test_a_vendor_leaves_the_stages_of_its_workers_as_the_operator_set_them(office: Office) -> None:
    ours = await supplier(office, "ours")
    senior = named("ada", vendor_id=ours.vendor, stages=[1, 2])
    await office.admin.operations.UpsertWorker(senior)

    kept, same, fewer = await upserted(
        ours.client, named("ada", languages=["de"]), named("ada", stages=[2, 1]), named("ada", stages=[1])
    )

    assert list(kept.worker.stages) == list(same.worker.stages) == [1, 2]
    assert fewer.problem.code == "PERMISSION_DENIED"


async def test_a_token_of_one_pool_reaches_that_pool(office: Office) -> None:
    narrow = await supplier(office, "ours", of_pool=True)
    outside = named("outside", vendor_id=narrow.vendor)
    await office.admin.operations.UpsertWorker(outside)

    (row,) = await upserted(narrow.client, named("inside"))

    assert (row.worker.vendor_id, row.worker.pool_id) == (narrow.vendor, narrow.pool)
    listed = await narrow.client.vendor.ListVendorWorkers(wire.ListVendorWorkersRequest())
    assert [worker.external_id for worker in listed.workers] == ["inside"]
    (row,) = await upserted(narrow.client, outside)
    assert row.problem.code == "ALREADY_EXISTS"


async def test_workers_are_listed_by_standing(office: Office) -> None:
    ours = await supplier(office, "ours")
    await upserted(ours.client, named("ada"), named("ben"))
    ada = await ours.client.operations.GetWorker(workers_pb2.GetWorkerRequest(external_id="ada"))
    await office.admin.operations.SetWorkerStatus(
        workers_pb2.SetWorkerStatusRequest(
            worker_id=ada.id, status=workers_pb2.WORKER_STATUS_BANNED, reason="misconduct"
        )
    )

    page = await ours.client.vendor.ListVendorWorkers(
        wire.ListVendorWorkersRequest(status=workers_pb2.WORKER_STATUS_BANNED)
    )

    assert [worker.external_id for worker in page.workers] == ["ada"]


async def test_a_vendor_sees_the_projects_that_admit_its_workers(office: Office) -> None:
    ours = await supplier(office, "ours")
    await supplier(office, "theirs")
    everybody = await office.project("a everybody")
    await office.items(everybody, 2)
    await office.items(everybody, 1, prefix="gold", gold="cat")
    await office.project("b theirs", rules=RULES + "people: {vendors: [theirs]}\n")
    await office.project("c their pool", rules=RULES + "people: {pools: [theirs pool]}\n")
    await office.project("d our pool", rules=RULES + "people: {pools: [ours pool]}\n")
    paused = await office.project("e paused")
    await office.admin.operations.PauseProject(
        projects_pb2.PauseProjectRequest(project_id=paused.id, reason="holidays")
    )

    assert await open_projects(ours.client) == {"a everybody": 10, "d our pool": 0}


async def test_what_is_wanted_leaves_out_tasks_for_others(office: Office) -> None:
    ours = await supplier(office, "ours")
    theirs = await supplier(office, "theirs")
    project = await office.project()
    for vendor in (ours.vendor, theirs.vendor):
        item = tasks_pb2.NewItem(requirement=tasks_pb2.Requirement(vendor_ids=[vendor]))
        item.content.add(id="text", text="look")
        await office.admin.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project.id, items=[item]))

    assert await open_projects(ours.client) == {"cats": 10}
    page = await ours.client.vendor.ListOpenProjects(wire.ListOpenProjectsRequest())
    assert page.projects[0].pay.amount == "0.02"


async def test_a_statement_is_per_worker_and_project(office: Office) -> None:
    ours = await supplier(office, "ours")
    theirs = await supplier(office, "theirs")
    project = await office.project()
    await office.items(project, 3)
    for one, name in ((ours, "ada"), (ours, "ben"), (theirs, "cleo")):
        await upserted(one.client, named(name))
        request = tokens_pb2.CreateWorkerSessionRequest(external_id=name)
        session = await one.client.operations.CreateWorkerSession(request)
        await office.label(office.holder(session.bearer), project)
    await office.pass_time(61)
    lines, token = [], ""
    while True:
        page = await ours.client.vendor.GetStatement(wire.GetStatementRequest(page_size=1, page_token=token))
        lines += page.lines
        token = page.next_page_token
        if not token:
            break

    assert sorted(line.external_id for line in lines) == ["ada", "ben"]
    assert {line.project_id for line in lines} == {project.id}
    assert {line.owed.amount for line in lines} == {"0.02"}


async def test_too_many_rows_are_refused(office: Office) -> None:
    ours = await supplier(office, "ours")
    rows = [named(f"w{number}") for number in range(1001)]

    refused = await refusal(ours.client.vendor.UpsertWorkers(wire.UpsertWorkersRequest(workers=rows)))

    assert refused.code == "INVALID_ARGUMENT"
    assert len(await upserted(ours.client, *rows[:1000])) == 1000


async def test_a_row_with_a_key_is_taken_once(office: Office) -> None:
    ours = await supplier(office, "ours")
    row = named("ada", idempotency_key="once")
    (first,) = await upserted(ours.client, row)
    await upserted(ours.client, named("ada", capacity=3))

    (again,) = await upserted(ours.client, row)
    (other,) = await upserted(ours.client, named("ada", capacity=9, idempotency_key="once"))

    assert (again.worker.id, again.worker.capacity) == (first.worker.id, 3)
    assert other.problem.code == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("word", ["purpose", "gold", "task_id"])
def test_the_messages_of_vendors_have_no_room_for_secrets(word: str) -> None:
    for name in ("OpenProject", "UpsertedWorker", "StatementLine", "ListOpenProjectsResponse"):
        assert word not in {field.name for field in wire.DESCRIPTOR.message_types_by_name[name].fields}
