"""A group that has not heard the newest of the organisation: it answers right, or says to call again."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import grpc
import pytest
from tests.integration.rpc.test_groups import create, projects, rows, session
from tests.support.groups import Pair, known, pair, pair_of_settings, running

from crowdroute.api.v1 import projects_pb2, tasks_pb2, workers_pb2
from crowdroute.client import AsyncClient, Connection
from crowdroute.client.errors import ClientError
from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.errors import NotReady
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.rpc.bootstrap import TOKEN_FILE
from crowdroute.router.rpc.group import following
from crowdroute.router.rpc.group.forwarding import Forwarding
from crowdroute.router.rpc.group.link import PeerLink
from crowdroute.router.rpc.group.telling import HeldOrganisation
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.state import organisation_rows

SLOW = 0.7
"""Seconds after which a link that was lost is tried again: longer than a call that does not wait for it."""


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair(tmp_path) as groups:
        yield groups


async def test_a_worker_who_is_new_since_the_home_restarted_is_known_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair_of_settings(tmp_path)
    async with running(second) as away:
        async with running(first) as home:
            await known(away)
            token = (first.directory / TOKEN_FILE).read_text().strip()
            async with home.client(token) as manager:
                two = [await create(manager, name) for name in ("one", "two")][1]
                await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=two, items=rows("x")))
        monkeypatch.setattr(following, "AGAIN_SECONDS", SLOW)
        async with running(first) as home, home.client(token) as manager:
            bearer = await session(manager)
            async with home.client(bearer) as worker:
                assert len(await worker.next(two)) == 1


async def a_worker_of_whom_nothing_was_heard(both: Pair, patch: pytest.MonkeyPatch) -> str:
    """Make a worker known at home; the other group hears of them only once it has asked."""
    withheld: list[tuple[following.Following, peer_pb2.FollowPart]] = []
    hear, ask = following.Following._take, PeerLink.position

    async def ask_and_hear(link: PeerLink, shard: int) -> Mapping[str, int]:
        position = await ask(link, shard)
        patch.setattr(following.Following, "_take", hear)
        for who, part in withheld:
            hear(who, part)
        return position

    patch.setattr(following.Following, "_take", lambda who, part: withheld.append((who, part)))
    patch.setattr(PeerLink, "position", ask_and_hear)
    async with both.home.client(both.token) as manager:
        request = workers_pb2.UpsertWorkerRequest(external_id="ada")
        worker: str = (await manager.operations.UpsertWorker(request)).id
    return worker


@pytest.mark.parametrize("rows", [1, 3, 1000])
async def test_an_organisation_is_followed_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(organisation_rows, "PIECE_ROWS", rows)
    async with pair(tmp_path) as both:
        of_home = both.home.group.engines[0].shard.organisation("default")
        (copy,) = both.away.group.copies.values()
        assert copy.machine.pack() == of_home.pack()


async def test_what_changes_while_an_organisation_is_told_is_known_where_it_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation_rows, "PIECE_ROWS", 1)
    first, second = pair_of_settings(tmp_path)
    async with running(first) as home:
        token = (first.directory / TOKEN_FILE).read_text().strip()
        engine = home.group.engines[0]
        numbers = iter(range(1, 1_000))
        parts = HeldOrganisation.parts

        def while_it_changes(held: HeldOrganisation) -> Iterator[peer_pb2.FollowPart]:
            for part in parts(held):
                worker = UpsertWorker(next(numbers).to_bytes(16, "big"), NO_ID, NO_ID)
                engine.decide(engine.request("default/organisation", worker))
                yield part

        monkeypatch.setattr(HeldOrganisation, "parts", while_it_changes)
        async with home.client(token) as manager:
            for name in ("ada", "bob", "eve"):
                await manager.operations.UpsertWorker(workers_pb2.UpsertWorkerRequest(external_id=name))
        async with running(second) as away:
            await known(away)
            await engine.observe()
            (copy,) = away.group.copies.values()
            assert away.group.peers is not None
            following_home = away.group.peers
            assert isinstance(following_home, Forwarding)
            await following_home.catch_up()
            of_home = engine.shard.organisation("default")
            assert next(numbers) > 10
            assert copy.machine.pack() == of_home.pack()


async def test_an_organisation_is_read_from_a_release_that_does_not_say_where_rows_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = HeldOrganisation.parts

    def older(held: HeldOrganisation) -> Iterator[peer_pb2.FollowPart]:
        for part in parts(held):
            for told in part.organisations:
                for section in told.sections:
                    section.ClearField("rows")
            yield part

    monkeypatch.setattr(HeldOrganisation, "parts", older)
    async with pair(tmp_path) as both:
        of_home = both.home.group.engines[0].shard.organisation("default")
        (copy,) = both.away.group.copies.values()
        assert copy.machine.pack() == of_home.pack()


async def test_pieces_that_a_connection_took_with_it_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = PeerLink.follow
    broken: list[PeerLink] = []

    async def breaking(link: PeerLink) -> AsyncIterator[peer_pb2.FollowPart]:
        async for part in follow(link):
            yield part
            if link not in broken and any(told.more for told in part.organisations):
                broken.append(link)
                raise NotReady("cut")

    monkeypatch.setattr(PeerLink, "follow", breaking)
    async with pair(tmp_path) as both:
        assert broken
        of_home = both.home.group.engines[0].shard.organisation("default")
        (copy,) = both.away.group.copies.values()
        assert copy.machine.pack() == of_home.pack()


async def test_what_a_call_names_is_looked_for_at_home_before_it_is_not_found(
    both: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, two = await projects(both)
    worker = await a_worker_of_whom_nothing_was_heard(both, monkeypatch)
    (item,) = rows("x")
    item.allowed_worker_ids.append(worker)
    async with both.away.client(both.token) as client:
        added = await client.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=two, items=[item]))
    assert added.items[0].task_id


async def test_who_cannot_ask_the_home_says_call_again_and_not_that_a_credential_is_bad(both: Pair) -> None:
    await projects(both)
    both.away.group.where.place(ShardMap(2, 2, {}))
    unheard = f"crd_{secrets.token_hex(16)}_{secrets.token_urlsafe(32)}"
    async with AsyncClient(Connection(both.away.address, unheard, attempts=1)) as client:
        with pytest.raises(ClientError) as refused:
            await client.operations.ListProjects(projects_pb2.ListProjectsRequest())
    assert refused.value.code == "NOT_READY"
    assert refused.value.status is grpc.StatusCode.UNAVAILABLE


async def test_a_worker_is_served_again_by_a_group_whose_shard_was_elsewhere_in_between(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:
        await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=two, items=rows("x", "y")))
        bearer = await session(manager)
    group = both.away.group
    async with both.away.client(bearer) as worker:
        (offer,) = await worker.next(two)
        await group.release(1, group.shard_map)
        await group.take(1, group.shard_map)
        await worker.submit(offer, {"label": "cat"})
