"""Credentials: issued within the caller's own, listed without secrets, revoked with their sessions."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from tests.support.operations import Office, refusal

from crowdroute.api.v1 import projects_pb2, workers_pb2
from crowdroute.api.v1 import tokens_pb2 as wire
from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.rpc.scopes import EVERY_SCOPE

HOUR = 3600


def seconds(office: Office) -> int:
    return office.clock.now_us() // 1_000_000


def issue(*scopes: str, **fields: object) -> wire.IssueTokenRequest:
    return wire.IssueTokenRequest(name="a token", scopes=scopes, **fields)  # type: ignore[arg-type]


async def test_a_token_may_do_what_it_was_issued_for(office: Office) -> None:
    issued = await office.admin.operations.IssueToken(issue("projects.read"))

    client = office.holder(issued.bearer)
    assert list((await client.operations.ListProjects(projects_pb2.ListProjectsRequest())).projects) == []
    refused = await refusal(client.operations.ListTokens(wire.ListTokensRequest()))
    assert refused.code == "PERMISSION_DENIED"
    assert (issued.token.name, list(issued.token.scopes)) == ("a token", ["projects.read"])
    assert not issued.token.HasField("expires_at")


async def test_the_secret_is_kept_nowhere(office: Office) -> None:
    issued = await office.admin.operations.IssueToken(issue("projects.read"))
    secret = issued.bearer.split("_", maxsplit=2)[2].encode()  # which may hold underscores itself
    assert len(secret) == 43

    stored = await office.engine.log.read_some(0, 1 << 30)
    assert not any(secret in one.body for one in stored)
    assert not any(secret in body for body in office.disk.contents.values())
    decoded = [entry for one in stored for entry in decode_batch(one.body, one.sequence).entries]
    assert any(entry.cause.command == "IssueToken" for entry in decoded)


async def test_nobody_gives_away_more_than_they_have(office: Office) -> None:
    client = await office.client(["tokens.manage", "projects.read"])

    assert (await client.operations.IssueToken(issue("projects.read"))).bearer
    refused = await refusal(client.operations.IssueToken(issue("projects.write")))
    assert refused.code == "PERMISSION_DENIED"
    assert refused.details["scope"] == "projects.write"


@pytest.mark.parametrize(
    ("scopes", "code"),
    [
        ((), "INVALID_ARGUMENT"),
        (("projects.red",), "INVALID_ARGUMENT"),
        (("annotate",), "INVALID_ARGUMENT"),
        (("vendor",), "INVALID_ARGUMENT"),
        (("projects.read", "projects.read"), "INVALID_ARGUMENT"),
    ],
)
async def test_scopes_that_make_no_sense_are_refused(
    office: Office, scopes: tuple[str, ...], code: str
) -> None:
    refused = await refusal(office.admin.operations.IssueToken(issue(*scopes)))

    assert refused.code == code
    assert refused.details["field"] == "scopes"


async def test_a_token_for_a_vendor_names_it_and_carries_what_a_vendor_can_use(office: Office) -> None:
    ops = office.admin.operations
    vendor = await ops.AddVendor(workers_pb2.AddVendorRequest(name="supplier"))

    issued = await ops.IssueToken(issue("vendor", "sessions.create", vendor_id=vendor.id))
    assert issued.token.vendor_id == vendor.id
    refused = await refusal(ops.IssueToken(issue("tasks.read", vendor_id=vendor.id)))
    assert refused.code == "INVALID_ARGUMENT"
    weak = await office.client(["tokens.manage", "workers.read"])
    refused = await refusal(weak.operations.IssueToken(issue("vendor", vendor_id=vendor.id)))
    assert refused.code == "PERMISSION_DENIED"


async def test_a_token_does_not_outlive_the_one_that_issues_it(office: Office) -> None:
    short = await office.client(EVERY_SCOPE, expires_us=office.clock.now_us() + HOUR * 1_000_000)
    end = Timestamp(seconds=seconds(office) + HOUR)
    later = Timestamp(seconds=seconds(office) + HOUR + 1)

    for wrong in (issue("projects.read"), issue("projects.read", expires_at=later)):
        refused = await refusal(short.operations.IssueToken(wrong))
        assert refused.details["field"] == "expires_at"
    issued = await short.operations.IssueToken(issue("projects.read", expires_at=end))
    assert issued.token.expires_at == end
    past = issue("projects.read", expires_at=Timestamp(seconds=seconds(office)))
    assert (await refusal(office.admin.operations.IssueToken(past))).code == "INVALID_ARGUMENT"


async def test_a_revoked_token_and_its_sessions_end_at_once(office: Office) -> None:
    ops = office.admin.operations
    issued = await ops.IssueToken(issue("sessions.create", "workers.write"))
    back_end = office.holder(issued.bearer)
    request = wire.CreateWorkerSessionRequest(upsert=workers_pb2.UpsertWorkerRequest(external_id="ada"))
    session = office.holder((await back_end.operations.CreateWorkerSession(request)).bearer)
    project = await office.project()
    await session.next(project.id)
    revoke = wire.RevokeTokenRequest(token_id=issued.token.id, reason="leaked", idempotency_key="once")

    await ops.RevokeToken(revoke)

    assert (await refusal(session.next(project.id))).code == "UNAUTHENTICATED"
    assert (await refusal(back_end.operations.CreateWorkerSession(request))).code == "UNAUTHENTICATED"
    await ops.RevokeToken(revoke)
    without = wire.RevokeTokenRequest(token_id=issued.token.id)
    assert (await refusal(ops.RevokeToken(without))).code == "INVALID_ARGUMENT"


async def test_tokens_are_listed_in_pages_without_sessions(office: Office) -> None:
    await office.session("ada")
    names = set()
    for _ in range(3):
        names.add((await office.admin.operations.IssueToken(issue("projects.read"))).token.id)
    (last, *_) = names
    await office.admin.operations.RevokeToken(wire.RevokeTokenRequest(token_id=last, reason="old"))
    found: dict[str, bool] = {}
    token = ""
    while True:
        page = await office.admin.operations.ListTokens(wire.ListTokensRequest(page_size=1, page_token=token))
        found |= {one.id: one.revoked for one in page.tokens}
        token = page.next_page_token
        if not token:
            break

    assert {identity: revoked for identity, revoked in found.items() if identity in names} == {
        identity: identity == last for identity in names
    }
    assert len(found) == 4


async def test_a_session_lasts_an_hour_unless_another_time_is_asked_for(office: Office) -> None:
    ops = office.admin.operations
    await office.session("ada")

    async def lasts(**how: object) -> int:
        request = wire.CreateWorkerSessionRequest(external_id="ada", **how)  # type: ignore[arg-type]
        return (await ops.CreateWorkerSession(request)).expires_at.seconds - seconds(office)

    assert await lasts() == HOUR
    assert await lasts(lifetime=Duration(seconds=60)) == 60
    assert await lasts(lifetime=Duration(seconds=24 * HOUR)) == 24 * HOUR
    for wrong in (Duration(seconds=24 * HOUR + 1), Duration(), Duration(seconds=-1)):
        refused = await refusal(lasts(lifetime=wrong))
        assert refused.details["field"] == "lifetime"


async def test_a_session_ends_no_later_than_the_token_that_mints_it(office: Office) -> None:
    await office.session("ada")
    end_us = office.clock.now_us() + 60 * 1_000_000
    short = await office.client(["sessions.create"], expires_us=end_us)

    session = await short.operations.CreateWorkerSession(wire.CreateWorkerSessionRequest(external_id="ada"))

    assert session.expires_at.seconds == end_us // 1_000_000


async def test_a_session_is_for_a_worker_who_is_known(office: Office) -> None:
    worker, _ = await office.session("ada")
    client = await office.client(["sessions.create"])
    ops = client.operations

    by_name = await ops.CreateWorkerSession(wire.CreateWorkerSessionRequest(external_id="ada"))
    by_id = await ops.CreateWorkerSession(wire.CreateWorkerSessionRequest(worker_id=worker))

    assert by_name.worker_id == by_id.worker_id == worker
    assert by_name.bearer != by_id.bearer
    unknown = wire.CreateWorkerSessionRequest(external_id="nobody")
    assert (await refusal(ops.CreateWorkerSession(unknown))).code == "NOT_FOUND"
    assert (await refusal(ops.CreateWorkerSession(wire.CreateWorkerSessionRequest()))).code == (
        "INVALID_ARGUMENT"
    )


async def test_making_a_worker_known_needs_its_own_scope(office: Office) -> None:
    client = await office.client(["sessions.create"])
    request = wire.CreateWorkerSessionRequest(upsert=workers_pb2.UpsertWorkerRequest(external_id="ada"))

    refused = await refusal(client.operations.CreateWorkerSession(request))

    assert refused.details["scope"] == "workers.write"
    assert list((await office.admin.operations.ListWorkers(workers_pb2.ListWorkersRequest())).workers) == []


async def test_the_back_end_of_a_vendor_mints_sessions_for_its_own_workers(office: Office) -> None:
    ops = office.admin.operations
    vendor = await ops.AddVendor(workers_pb2.AddVendorRequest(name="supplier"))
    foreign, _ = await office.session("somebody else's")
    client = await office.client(
        ["sessions.create", "workers.write"], vendor=bytes.fromhex(vendor.id.removeprefix("vnd_"))
    )
    own = wire.CreateWorkerSessionRequest(upsert=workers_pb2.UpsertWorkerRequest(external_id="ada"))

    session = await client.operations.CreateWorkerSession(own)

    worker = await ops.GetWorker(workers_pb2.GetWorkerRequest(worker_id=session.worker_id))
    assert worker.vendor_id == vendor.id
    for wrong in (
        wire.CreateWorkerSessionRequest(worker_id=foreign),
        wire.CreateWorkerSessionRequest(external_id="somebody else's"),
    ):
        assert (await refusal(client.operations.CreateWorkerSession(wrong))).code == "NOT_FOUND"
    taken = wire.CreateWorkerSessionRequest(
        upsert=workers_pb2.UpsertWorkerRequest(external_id="somebody else's")
    )
    assert (await refusal(client.operations.CreateWorkerSession(taken))).code == "ALREADY_EXISTS"


async def test_a_banned_worker_gets_a_session_but_no_work(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    worker, _ = await office.session("ada")
    await office.admin.operations.SetWorkerStatus(
        workers_pb2.SetWorkerStatusRequest(
            worker_id=worker, status=workers_pb2.WORKER_STATUS_BANNED, reason="misconduct"
        )
    )

    session = await office.admin.operations.CreateWorkerSession(
        wire.CreateWorkerSessionRequest(worker_id=worker)
    )

    refused = await refusal(office.holder(session.bearer).next(project.id))
    assert refused.code == "NOT_ELIGIBLE"


async def test_an_erased_worker_gets_no_session(office: Office) -> None:
    worker, _ = await office.session("ada")
    await office.admin.operations.ErasePerson(
        workers_pb2.ErasePersonRequest(worker_id=worker, reason="asked to")
    )

    refused = await refusal(
        office.admin.operations.CreateWorkerSession(wire.CreateWorkerSessionRequest(worker_id=worker))
    )

    assert refused.code == "WRONG_STATE"
