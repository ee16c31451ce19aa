"""Shards that come and go between two processes' groups, as a supervisor says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.operations import RULES

from crowdroute.api.v1 import projects_pb2
from crowdroute.client import AsyncClient, ClientError, Connection
from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.cli.cluster_process import settings_at
from crowdroute.router.errors import Fenced, NotReady
from crowdroute.router.rpc.assembly import make_server
from crowdroute.router.rpc.group.following import Following
from crowdroute.router.rpc.group.hosting import GroupHosting
from crowdroute.router.rpc.group.link import PeerLink
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.opening import opened_shard
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.settings import MetricsSettings, PeerSettings, Settings

HERE = "127.0.0.1"
PATIENCE = 10.0


def settings_in(directory: Path, shards: int) -> Settings:
    secret = directory / "peers.secret"
    secret.write_text("0123456789abcdef" * 4)
    peers = PeerSettings(address=f"{HERE}:0", secret_file=secret) if shards > 1 else None
    return Settings(
        directory=directory, address=f"{HERE}:0", shards=shards, snapshots=False, grace_seconds=0, peers=peers
    )


@contextlib.asynccontextmanager
async def hosting(settings: Settings) -> AsyncIterator[GroupHosting]:
    server = make_server(settings)
    made = GroupHosting(settings, server, HERE, ProcessJobs())
    await made.start()
    try:
        yield made
    finally:
        await made.close()


def client_of(hosting: GroupHosting, directory: Path) -> AsyncClient:
    return AsyncClient(Connection(hosting.at.public, (directory / "admin.token").read_text().strip()))


async def names_told_by(hosting: GroupHosting, directory: Path) -> list[str]:
    async with client_of(hosting, directory) as client:
        told = await client.operations.ListProjects(projects_pb2.ListProjectsRequest())
        return sorted(project.name for project in told.projects)


async def create(hosting: GroupHosting, directory: Path, name: str) -> None:
    async with client_of(hosting, directory) as client:
        await client.operations.CreateProject(projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES))


async def test_a_shard_is_handed_from_one_process_to_another_and_both_answer_for_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, 2)
    async with hosting(settings) as one, hosting(settings) as other:
        for each in (one, other):
            each.know(1, {0: one.at, 1: other.at})
        await one.open(0, 1)
        await other.open(1, 1)
        for name in ("a", "b"):
            await create(other, tmp_path, name)
        for each in (one, other):
            each.know(2, {0: one.at, 1: one.at})
        await other.release(1)
        await one.open(1, 2)
        for each in (one, other):
            assert await names_told_by(each, tmp_path) == ["a", "b"]
        await create(other, tmp_path, "c")
        assert await names_told_by(one, tmp_path) == ["a", "b", "c"]


@contextlib.asynccontextmanager
async def peer_of(hosting: GroupHosting, settings: Settings) -> AsyncIterator[PeerLink]:
    assert settings.peers is not None
    link = Peers(settings.peers).link(hosting.at.peers)
    yield link
    await link.close()


async def test_who_follows_a_process_is_told_of_an_organisation_in_a_shard_that_it_takes_later(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path, 2)
    async with hosting(settings) as before:
        await before.open(0, 1)
    async with hosting(settings) as later, peer_of(later, settings) as peer:
        parts = peer.follow()
        assert not (await anext(parts)).organisations
        await later.open(0, 2)
        told = await organisation_told(parts)
        assert told.stream == "default/organisation"
        assert told.sections
        await later.release(0)
        await later.open(0, 3)  # whoever had it meanwhile may have changed it
        assert (await organisation_told(parts)).stream == "default/organisation"
        await parts.aclose()


async def organisation_told(parts: AsyncIterator[peer_pb2.FollowPart]) -> peer_pb2.Organisation:
    """Give the next organisation that who follows is told of: the first of its pieces, once all are told."""
    first: peer_pb2.Organisation | None = None
    async with asyncio.timeout(PATIENCE):
        async for part in parts:
            for organisation in part.organisations:
                first = first or organisation
                if not organisation.more:
                    return first
    raise AssertionError("nothing more is told")


async def test_the_position_of_an_organisation_is_that_of_its_newest_durable_change(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, 2)
    async with hosting(settings) as one, peer_of(one, settings) as peer:
        one.know(1, {0: one.at, 1: one.at})
        await one.open(0, 1)
        await one.open(1, 1)
        parts = peer.follow()
        told = await organisation_told(parts)
        assert await peer.position(0) == {"default/organisation": told.sequence}
        await create(one, tmp_path, "a")
        (position,) = (await peer.position(0)).values()
        assert position > told.sequence
        entries = list((await asyncio.wait_for(anext(parts), PATIENCE)).entries)
        while not entries or entries[-1].sequence < position:
            entries += (await asyncio.wait_for(anext(parts), PATIENCE)).entries
        assert entries[-1].sequence == position
        await parts.aclose()


async def test_shards_are_opened_at_the_same_time_and_know_of_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path, 2)
    both = asyncio.Barrier(2)

    @contextlib.asynccontextmanager
    async def opened_together(given: Settings, number: int, shard_map: ShardMap) -> AsyncIterator[Engine]:
        await asyncio.wait_for(both.wait(), PATIENCE)
        async with opened_shard(given, number, shard_map) as engine:
            yield engine

    monkeypatch.setattr("crowdroute.router.rpc.group.hosting.opened_shard", opened_together)
    async with hosting(settings) as one:
        one.know(1, {0: one.at, 1: one.at})
        await asyncio.gather(one.open(0, 1), one.open(1, 1))
        for name in ("a", "b", "c"):
            await create(one, tmp_path, name)
        assert await names_told_by(one, tmp_path) == ["a", "b", "c"]
        assert all(engine.projects() for engine in one.group.engines.values())


async def test_a_shard_that_another_process_has_is_not_opened(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, 2)
    async with hosting(settings) as one, hosting(settings) as other:
        await one.open(0, 1)
        with pytest.raises(Fenced):
            await other.open(0, 2)
        await one.release(0)
        await other.open(0, 3)
        assert await names_told_by(other, tmp_path) == []


async def test_a_shard_that_could_not_be_opened_to_the_end_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nowhere_to_write(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "admin.token")

    settings = settings_in(tmp_path, 2)
    async with hosting(settings) as one, hosting(settings) as other:
        with monkeypatch.context() as patch:
            patch.setattr("crowdroute.router.rpc.group.hosting.bootstrap", nowhere_to_write)
            with pytest.raises(PermissionError):
                await one.open(0, 1)
        assert not one.group.engines
        await other.open(0, 2)
        await other.release(0)
        await one.open(0, 3)
        assert await names_told_by(one, tmp_path) == []


async def test_a_group_that_is_wanted_again_while_it_is_left_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path, 2)
    async with hosting(settings) as home, hosting(settings) as away:
        for each in (home, away):
            each.know(1, {0: home.at, 1: home.at})
        await home.open(0, 1)
        await home.open(1, 1)
        await create(home, tmp_path, "a")
        assert await names_told_by(away, tmp_path) == ["a"]
        stop = Following.stop

        async def wanted_again(following: Following) -> None:
            away.know(3, {0: home.at, 1: home.at})
            home.know(3, {0: home.at, 1: home.at})
            await names_told_by(away, tmp_path)  # a call finds its way there, and begins to follow
            await stop(following)

        with monkeypatch.context() as patch:
            patch.setattr(Following, "stop", wanted_again)
            away.know(2, {})
            assert away._following is not None
            await away._following
        await create(home, tmp_path, "b")
        assert await names_told_by(away, tmp_path) == ["a", "b"]


async def test_a_shard_is_claimed_at_the_generation_of_its_grant_whatever_was_decided_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed: list[int] = []

    def noted(
        settings: Settings, number: int, shard_map: ShardMap
    ) -> contextlib.AbstractAsyncContextManager[Engine]:
        claimed.append(shard_map.generation)
        return opened_shard(settings, number, shard_map)

    monkeypatch.setattr("crowdroute.router.rpc.group.hosting.opened_shard", noted)
    async with hosting(settings_in(tmp_path, 2)) as one:
        one.know(5, {})
        await one.open(0, 3)
    assert claimed == [3]


async def test_an_older_placement_is_not_learnt(tmp_path: Path) -> None:
    async with hosting(settings_in(tmp_path, 2)) as one:
        one.know(5, {})
        with pytest.raises(NotReady):
            one.know(4, {})


async def test_the_only_shard_needs_no_peers(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, 1)
    async with hosting(settings) as one, hosting(settings) as other:
        assert one.at.peers == ""
        await one.open(0, 1)
        await create(one, tmp_path, "a")
        with pytest.raises(ClientError):  # it has nothing to answer with
            await names_told_by(other, tmp_path)
        await one.release(0)
        await other.open(0, 2)
        assert await names_told_by(other, tmp_path) == ["a"]


def test_an_actor_listens_at_its_node_on_ports_as_much_higher_as_its_number_there_is() -> None:
    settings = Settings(
        address="0.0.0.0:7070",
        peers=PeerSettings(address="0.0.0.0:0", secret_file=Path("secret")),
        metrics=MetricsSettings(address="127.0.0.1:9000"),
    )
    placed = settings_at(settings, "10.0.0.5", 2)
    assert placed.address == "10.0.0.5:7072"
    assert placed.peers is not None
    assert placed.peers.address == "10.0.0.5:0"
    assert placed.metrics is not None
    assert placed.metrics.address == "10.0.0.5:9002"
