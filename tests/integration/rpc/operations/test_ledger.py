"""What is owed: totals and the entries behind them."""

from __future__ import annotations

from tests.support.operations import Office, refusal

from crowdroute.api.v1 import assignments_pb2, projects_pb2
from crowdroute.api.v1 import ledger_pb2 as wire
from crowdroute.router.rpc.pages import page_of


async def earned(office: Office, project: projects_pb2.Project, answers: int) -> tuple[str, str]:
    """Have two workers answer tasks; give their ids."""
    ada, ben = await office.finalised(project, answers)
    return ada, ben


async def entries(
    office: Office, project: projects_pb2.Project, size: int = 1000, **filters: object
) -> list[wire.LedgerEntry]:
    found, token = [], ""
    while True:
        request = wire.ListEntriesRequest(
            project_id=project.id,
            page_size=size,
            page_token=token,
            **filters,  # type: ignore[arg-type]
        )
        page = await office.admin.operations.ListEntries(request)
        assert len(page.entries) <= size
        found += page.entries
        token = page.next_page_token
        if not token:
            return found


async def test_every_accepted_answer_is_an_entry_in_order(office: Office) -> None:
    project = await office.project()
    other = await office.project("other")
    ada, ben = await earned(office, project, 3)
    _, client = await office.session("cleo")
    await office.items(other, 1)
    await office.label(client, other)

    found = await entries(office, project)

    assert [entry.worker_id for entry in found] == [ada] * 3 + [ben] * 3
    assert {entry.amount.amount for entry in found} == {"0.02"}
    assert {entry.kind for entry in found} == {wire.ENTRY_KIND_PIECE}
    assert {(entry.debit, entry.credit) for entry in found} == {
        (wire.ACCOUNT_LABELLING_COST, wire.ACCOUNT_WORKER_PAYABLE)
    }
    assert len({entry.id for entry in found}) == len({entry.assignment_id for entry in found}) == 6
    assert {entry.project_id for entry in found} == {project.id}
    assert found[0].posted_at.seconds == office.clock.now_us() // 1_000_000
    for size in (1, 2, 5, 6):
        assert await entries(office, project, size) == found
    assert await entries(office, project, 2, worker_id=ben) == found[3:]


async def test_what_was_withdrawn_is_corrected_by_another_entry(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    worker, client = await office.session("ada")
    (offer,) = await client.next(project.id)
    await client.submit(offer, {"label": "cat"})
    withdraw = assignments_pb2.WithdrawRequest(
        project_id=project.id,
        assignment_id=offer.assignment_id,
        lease_token=offer.lease_token,
        reason="slip",
    )
    await client.annotation.Withdraw(withdraw)

    found = await entries(office, project)

    assert [(entry.kind, entry.amount.amount) for entry in found] == [
        (wire.ENTRY_KIND_PIECE, "0.02"),
        (wire.ENTRY_KIND_CORRECTION, "-0.02"),
    ]
    balances = await office.admin.operations.ListBalances(wire.ListBalancesRequest(project_id=project.id))
    assert [(one.worker_id, one.owed.amount, one.entries) for one in balances.balances] == [(worker, "0", 2)]


async def test_an_empty_project_owes_nothing(office: Office) -> None:
    project = await office.project()

    assert await entries(office, project) == []
    balances = await office.admin.operations.ListBalances(wire.ListBalancesRequest(project_id=project.id))
    assert list(balances.balances) == []


async def test_the_totals_of_a_project_are_fresh_and_those_of_all_a_minute_old(office: Office) -> None:
    project = await office.project()
    other = await office.project("other")
    ada, ben = await earned(office, project, 2)
    await office.items(other, 1)
    _, client = await office.session("ada")
    await office.label(client, other)
    ops = office.admin.operations

    async def owed(**filters: object) -> dict[tuple[str, str], str]:
        found, token = {}, ""
        while True:
            request = wire.ListBalancesRequest(page_size=1, page_token=token, **filters)  # type: ignore[arg-type]
            page = await ops.ListBalances(request)
            found |= {(one.worker_id, one.project_id): one.owed.amount for one in page.balances}
            token = page.next_page_token
            if not token:
                return found

    here = {(ada, project.id): "0.04", (ben, project.id): "0.04"}
    assert await owed(project_id=project.id) == here
    assert await owed() == {}
    await office.pass_time(61)
    assert await owed() == here | {(ada, other.id): "0.02"}
    assert await owed(worker_id=ada) == {(ada, project.id): "0.04", (ada, other.id): "0.02"}
    assert await owed(worker_id=ada, project_id=other.id) == {(ada, other.id): "0.02"}
    assert await owed(worker_id=ben, project_id=other.id) == {}


async def test_a_forged_place_in_the_log_is_refused(office: Office) -> None:
    project = await office.project()
    await earned(office, project, 2)
    request = wire.ListEntriesRequest(project_id=project.id, page_size=1)
    page = await office.admin.operations.ListEntries(request)
    honest = page_of(request, tuple[int, int, int])
    for place in ((10**9, 0, 0), (-1, 0, 0), (0, -1, 0), (0, 0, -1), (1, 2), "x"):
        request.page_token = honest.token(place)
        refused = await refusal(office.admin.operations.ListEntries(request))
        assert refused.code == "INVALID_ARGUMENT"
        assert refused.details["field"] == "page_token"
    assert page.next_page_token
