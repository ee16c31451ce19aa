"""Workers, vendors and pools."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from tests.support.operations import RULES, Office, refusal

from crowdroute.api.v1 import types_pb2
from crowdroute.api.v1 import workers_pb2 as wire


async def test_a_worker_is_known_by_the_callers_own_name(office: Office) -> None:
    ops = office.admin.operations
    vendor = await ops.AddVendor(wire.AddVendorRequest(name="supplier"))
    pool = await ops.AddPool(wire.AddPoolRequest(name="night shift", vendor_id=vendor.id))
    request = wire.UpsertWorkerRequest(
        external_id="ada@example.org",
        vendor_id=vendor.id,
        pool_id=pool.id,
        stages=[types_pb2.STAGE_SENIOR, types_pb2.STAGE_CROWD],
        skills=[wire.Skill(name="birds", level=0.5, evidence=3)],
        languages=["pt-BR", "en"],
        capacity=4,
    )

    worker = await ops.UpsertWorker(request)

    assert worker.id.startswith("wrk_")
    assert worker.person_id.startswith("psn_")
    assert worker.external_id == "ada@example.org"
    assert (worker.kind, worker.status) == (wire.WORKER_KIND_HUMAN, wire.WORKER_STATUS_NEW)
    assert (worker.vendor_id, worker.pool_id) == (vendor.id, pool.id)
    assert list(worker.stages) == [types_pb2.STAGE_CROWD, types_pb2.STAGE_SENIOR]
    assert list(worker.languages) == ["en", "pt-br"]
    assert (worker.capacity, worker.version) == (4, 1)
    assert await ops.GetWorker(wire.GetWorkerRequest(worker_id=worker.id)) == worker
    assert await ops.GetWorker(wire.GetWorkerRequest(external_id="ada@example.org")) == worker


async def test_a_known_worker_is_changed_by_name_or_by_id(office: Office) -> None:
    ops = office.admin.operations
    worker = await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada", capacity=4))

    same = await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada", capacity=4))
    by_name = await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada", capacity=5))
    by_id = await ops.UpsertWorker(wire.UpsertWorkerRequest(worker_id=worker.id, languages=["de"]))

    assert same == worker
    assert (by_name.id, by_name.capacity, by_name.version) == (worker.id, 5, 2)
    assert (by_id.id, by_id.capacity, by_id.version) == (worker.id, 5, 3)
    assert by_id.external_id == "ada"


EVERYTHING = {
    "stages": [types_pb2.STAGE_CROWD, types_pb2.STAGE_SENIOR],
    "skills": [wire.Skill(name="birds", level=0.5, evidence=3)],
    "languages": ["de", "en"],
    "capacity": 4,
}


async def suppliers(office: Office) -> dict[str, str]:
    ops = office.admin.operations
    vendor = await ops.AddVendor(wire.AddVendorRequest(name="supplier"))
    pool = await ops.AddPool(wire.AddPoolRequest(name="night shift", vendor_id=vendor.id))
    return {"vendor_id": vendor.id, "pool_id": pool.id}


async def test_what_is_not_told_of_a_worker_stays_as_it_is(office: Office) -> None:
    ops = office.admin.operations
    request = wire.UpsertWorkerRequest(external_id="ada", **EVERYTHING, **await suppliers(office))
    worker = await ops.UpsertWorker(request)

    assert await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada")) == worker
    await office.session("ada")
    assert await ops.GetWorker(wire.GetWorkerRequest(worker_id=worker.id)) == worker
    changed = await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada", capacity=9))
    worker.capacity, worker.version = 9, 2
    assert changed == worker


@pytest.mark.parametrize("field", ["stages", "skills", "languages", "capacity", "pool_id"])
async def test_what_is_told_to_be_empty_becomes_empty(office: Office, field: str) -> None:
    ops = office.admin.operations
    request = wire.UpsertWorkerRequest(external_id="ada", **EVERYTHING, **await suppliers(office))
    worker = await ops.UpsertWorker(request)

    message = wire.UpsertWorkerRequest(external_id="ada", update_mask=FieldMask(paths=[field]))
    changed = await ops.UpsertWorker(message)

    worker.ClearField(field)
    if field == "stages":
        worker.stages.append(types_pb2.STAGE_CROWD)
    worker.version = 2
    assert changed == worker


async def test_a_worker_who_goes_to_another_vendor_leaves_the_pool(office: Office) -> None:
    ops = office.admin.operations
    request = wire.UpsertWorkerRequest(external_id="ada", **await suppliers(office))
    await ops.UpsertWorker(request)
    other = await ops.AddVendor(wire.AddVendorRequest(name="other"))

    changed = await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada", vendor_id=other.id))

    assert (changed.vendor_id, changed.pool_id) == (other.id, "")


async def test_a_mask_names_what_can_be_told(office: Office) -> None:
    message = wire.UpsertWorkerRequest(external_id="ada", update_mask=FieldMask(paths=["status", "stages"]))

    refused = await refusal(office.admin.operations.UpsertWorker(message))

    assert (refused.code, refused.details["field"]) == ("INVALID_ARGUMENT", "update_mask")
    assert "status" in refused.message


async def test_a_retry_makes_nobody_new(office: Office) -> None:
    ops = office.admin.operations
    request = wire.UpsertWorkerRequest(external_id="ada", idempotency_key="once")
    worker = await ops.UpsertWorker(request)
    await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada", capacity=2))

    again = await ops.UpsertWorker(request)

    assert (again.id, again.capacity) == (worker.id, 2)
    request.capacity = 3
    assert (await refusal(ops.UpsertWorker(request))).code == "IDEMPOTENCY_KEY_REUSED"


async def test_a_person_may_work_under_two_identities(office: Office) -> None:
    ops = office.admin.operations
    first = await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="ada"))

    second = await ops.UpsertWorker(
        wire.UpsertWorkerRequest(external_id="ada at night", person_id=first.person_id)
    )

    assert second.id != first.id
    assert second.person_id == first.person_id


async def test_a_model_is_a_worker_without_a_person(office: Office) -> None:
    ops = office.admin.operations
    request = wire.UpsertWorkerRequest(external_id="labeler-7b", kind=wire.WORKER_KIND_MODEL)

    worker = await ops.UpsertWorker(request)

    assert (worker.kind, worker.person_id) == (wire.WORKER_KIND_MODEL, "")
    again = await ops.UpsertWorker(wire.UpsertWorkerRequest(external_id="labeler-7b", capacity=9))
    assert again.kind == wire.WORKER_KIND_MODEL
    human = wire.UpsertWorkerRequest(external_id="labeler-7b", kind=wire.WORKER_KIND_HUMAN)
    assert (await refusal(ops.UpsertWorker(human))).code == "WRONG_STATE"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (wire.UpsertWorkerRequest(), "INVALID_ARGUMENT"),
        (wire.UpsertWorkerRequest(external_id="x" * 201), "INVALID_ARGUMENT"),
        (wire.UpsertWorkerRequest(worker_id="wrk_1"), "INVALID_ARGUMENT"),
        (wire.UpsertWorkerRequest(external_id="a", kind=9), "INVALID_ARGUMENT"),
        (wire.UpsertWorkerRequest(external_id="a", stages=[0]), "INVALID_ARGUMENT"),
        (wire.UpsertWorkerRequest(external_id="a", languages=["no tag!"]), "INVALID_ARGUMENT"),
        (wire.UpsertWorkerRequest(external_id="a", capacity=-1), "INVALID_ARGUMENT"),
        (
            wire.UpsertWorkerRequest(external_id="a", skills=[wire.Skill(name="x", level=2)]),
            "INVALID_ARGUMENT",
        ),
        (
            wire.UpsertWorkerRequest(external_id="a", skills=[wire.Skill(name="x", level=float("nan"))]),
            "INVALID_ARGUMENT",
        ),
        (wire.UpsertWorkerRequest(external_id="a", vendor_id="vnd_" + "1" * 32), "NOT_FOUND"),
        (wire.UpsertWorkerRequest(external_id="a", idempotency_key="x" * 129), "INVALID_ARGUMENT"),
    ],
)
async def test_a_worker_that_cannot_be_one_is_refused(
    office: Office, request_: wire.UpsertWorkerRequest, code: str
) -> None:
    refused = await refusal(office.admin.operations.UpsertWorker(request_))

    assert refused.code == code
    listed = await office.admin.operations.ListWorkers(wire.ListWorkersRequest())
    assert list(listed.workers) == []


async def test_workers_come_in_pages_by_vendor_pool_and_standing(office: Office) -> None:
    ops = office.admin.operations
    vendor = await ops.AddVendor(wire.AddVendorRequest(name="supplier"))
    pool = await ops.AddPool(wire.AddPoolRequest(name="night shift", vendor_id=vendor.id))
    names = [f"w{number}" for number in range(7)]
    for number, name in enumerate(names):
        await ops.UpsertWorker(
            wire.UpsertWorkerRequest(
                external_id=name,
                vendor_id=vendor.id if number % 2 else "",
                pool_id=pool.id if number == 3 else "",
            )
        )
    one = await ops.GetWorker(wire.GetWorkerRequest(external_id="w5"))
    await ops.SetWorkerStatus(
        wire.SetWorkerStatusRequest(worker_id=one.id, status=wire.WORKER_STATUS_BANNED, reason="misconduct")
    )

    async def listed(**filters: object) -> list[str]:
        found, token = [], ""
        while True:
            request = wire.ListWorkersRequest(page_size=2, page_token=token, **filters)  # type: ignore[arg-type]
            page = await ops.ListWorkers(request)
            assert 1 <= len(page.workers) <= 2
            found += [worker.external_id for worker in page.workers]
            token = page.next_page_token
            if not token:
                return found

    assert sorted(await listed()) == names
    assert sorted(await listed(vendor_id=vendor.id)) == ["w1", "w3", "w5"]
    assert await listed(pool_id=pool.id) == ["w3"]
    assert await listed(status=wire.WORKER_STATUS_BANNED) == ["w5"]
    assert sorted(await listed(status=wire.WORKER_STATUS_NEW, vendor_id=vendor.id)) == ["w1", "w3"]


async def test_a_standing_is_changed_for_a_reason_of_the_table(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    worker, client = await office.session("ada")
    ops = office.admin.operations
    until = Timestamp(seconds=office.clock.now_us() // 1_000_000 + 3)
    pause = wire.SetWorkerStatusRequest(
        worker_id=worker,
        status=wire.WORKER_STATUS_PAUSED,
        reason="paused_by_manager",
        until=until,
        idempotency_key="once",
    )

    paused = await ops.SetWorkerStatus(pause)

    assert (paused.status, paused.paused_until) == (wire.WORKER_STATUS_PAUSED, until)
    assert (await refusal(client.next(project.id))).code == "NOT_ELIGIBLE"
    assert await ops.SetWorkerStatus(pause) == paused
    await office.pass_time(4)
    assert len(await client.next(project.id)) == 1


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (wire.WORKER_STATUS_BANNED, "I do not like them", "INVALID_ARGUMENT"),
        (wire.WORKER_STATUS_BANNED, "", "INVALID_ARGUMENT"),
        (wire.WORKER_STATUS_TRUSTED, "misconduct", "INVALID_ARGUMENT"),
        (wire.WORKER_STATUS_PROBATION, "appeal_upheld", "WRONG_STATE"),
        (wire.WORKER_STATUS_UNSPECIFIED, "misconduct", "INVALID_ARGUMENT"),
    ],
)
async def test_a_change_that_the_table_lacks_is_refused(
    office: Office, status: int, reason: str, code: str
) -> None:
    worker, _ = await office.session("ada")
    request = wire.SetWorkerStatusRequest(worker_id=worker, status=status, reason=reason)  # type: ignore[arg-type]

    assert (await refusal(office.admin.operations.SetWorkerStatus(request))).code == code


async def test_records_tell_how_good_answers_are(office: Office) -> None:
    project = await office.project(rules=RULES.replace("share: 0%", "share: 100%"))
    for number in range(4):
        await office.items(project, 1, prefix=f"gold-{number}", gold="cat")
    ada, client = await office.session("ada")
    for label in ("cat", "cat", "cat", "dog"):
        await office.label(client, project, label)
    ben, other = await office.session("ben")
    await other.next(project.id)
    await office.admin.operations.UpsertWorker(wire.UpsertWorkerRequest(external_id="never came"))

    request = wire.ListWorkerRecordsRequest(project_id=project.id, page_size=1)
    first = await office.admin.operations.ListWorkerRecords(request)
    request.page_token = first.next_page_token
    second = await office.admin.operations.ListWorkerRecords(request)

    (record,) = first.records
    assert (record.worker_id, record.granted, record.answered, record.live) == (ada, 4, 4, 0)
    assert (record.checked, record.correct) == (4, 3)
    assert record.accuracy == pytest.approx(5 / 7)
    assert 0 < record.accuracy_lower < record.accuracy < record.accuracy_upper < 1
    assert record.earned.amount == "0.08"
    assert record.seen_at.seconds == office.clock.now_us() // 1_000_000
    (record,) = second.records
    assert (record.worker_id, record.granted, record.live) == (ben, 1, 1)
    assert second.next_page_token == ""
    only = wire.ListWorkerRecordsRequest(project_id=project.id, worker_id=ben)
    assert list((await office.admin.operations.ListWorkerRecords(only)).records) == [record]


async def test_suppliers_are_listed_by_name(office: Office) -> None:
    ops = office.admin.operations
    second = await ops.AddVendor(wire.AddVendorRequest(name="b"))
    first = await ops.AddVendor(wire.AddVendorRequest(name="a", idempotency_key="once"))
    own = await ops.AddPool(wire.AddPoolRequest(name="own"))
    theirs = await ops.AddPool(wire.AddPoolRequest(name="theirs", vendor_id=first.id))

    assert await ops.AddVendor(wire.AddVendorRequest(name="a", idempotency_key="once")) == first
    page = await ops.ListVendors(wire.ListVendorsRequest(page_size=1))
    assert list(page.vendors) == [first]
    page = await ops.ListVendors(wire.ListVendorsRequest(page_size=1, page_token=page.next_page_token))
    assert (list(page.vendors), page.next_page_token) == ([second], "")
    assert list((await ops.ListPools(wire.ListPoolsRequest())).pools) == [own, theirs]
    assert list((await ops.ListPools(wire.ListPoolsRequest(vendor_id=first.id))).pools) == [theirs]
    assert (await refusal(ops.AddVendor(wire.AddVendorRequest(name="a")))).code == "ALREADY_EXISTS"
    assert (await refusal(ops.AddVendor(wire.AddVendorRequest()))).code == "INVALID_ARGUMENT"
    assert (await refusal(ops.AddPool(wire.AddPoolRequest(name="own")))).code == "ALREADY_EXISTS"


async def test_a_pool_of_another_vendor_does_not_go_with_a_worker(office: Office) -> None:
    ops = office.admin.operations
    first = await ops.AddVendor(wire.AddVendorRequest(name="a"))
    second = await ops.AddVendor(wire.AddVendorRequest(name="b"))
    pool = await ops.AddPool(wire.AddPoolRequest(name="pool", vendor_id=first.id))
    request = wire.UpsertWorkerRequest(external_id="ada", vendor_id=second.id, pool_id=pool.id)

    assert (await refusal(ops.UpsertWorker(request))).code == "WRONG_STATE"
