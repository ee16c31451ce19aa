"""What goes wrong between two groups leaves nobody waiting, and nothing behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.integration.rpc.test_groups import create
from tests.support.groups import PATIENCE, Pair, pair

from crowdroute.api.v1 import projects_pb2
from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.errors import NotReady
from crowdroute.router.rpc.calls import END
from crowdroute.router.rpc.group import telling
from crowdroute.router.rpc.group.following import Following
from crowdroute.router.rpc.group.link import PeerLink
from crowdroute.router.rpc.group.servicer import PeerServicer


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair(tmp_path) as groups:
        yield groups


async def test_a_call_over_a_link_that_was_closed_is_told_and_does_not_wait() -> None:
    link = PeerLink("127.0.0.1:1", "secret", None)
    await link.close()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(NotReady, match="serves no shards any more"):
            await link.forward(peer_pb2.ForwardedCall())


async def test_a_call_whose_link_is_closed_before_its_stream_has_begun_is_told() -> None:
    link = PeerLink("127.0.0.1:1", "secret", None)
    waiting = asyncio.ensure_future(link.forward(peer_pb2.ForwardedCall()))
    await asyncio.sleep(0)
    await link.close()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(NotReady, match="serves no shards any more"):
            await waiting


async def test_a_copy_that_stumbles_over_a_defect_is_begun_anew(
    both: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear, stumbled = Following._take, list[str]()

    def stumble(who: Following, part: peer_pb2.FollowPart) -> None:
        if part.entries and not stumbled:
            stumbled.append("once")
            raise KeyError("nobody thought of it")
        hear(who, part)

    monkeypatch.setattr(Following, "_take", stumble)
    async with both.home.client(both.token) as manager:
        await create(manager, "one")
    async with both.away.client(both.token) as client:
        told = await client.operations.ListProjects(projects_pb2.ListProjectsRequest())
    assert [project.name for project in told.projects] == ["one"]
    assert stumbled


class Stream:
    """gRPC's side of a stream of forwarded calls: one batch, and then nothing until it is let end."""

    def __init__(self, batch: peer_pb2.ForwardBatch) -> None:
        self._batches = [batch]
        self.read_on = asyncio.Event()
        self.end = asyncio.Event()

    def invocation_metadata(self) -> None:
        return None

    async def read(self) -> object:
        if self._batches:
            return self._batches.pop()
        self.read_on.set()
        await self.end.wait()
        return END

    async def write(self, answers: peer_pb2.AnswerBatch) -> None:
        raise AssertionError(answers)


class Anybody:
    """Takes everybody for a peer."""

    def is_peer(self, metadata: object) -> bool:
        return True


async def test_a_call_that_is_cancelled_in_the_batch_that_brings_it_leaves_nothing_behind() -> None:
    stream = Stream(peer_pb2.ForwardBatch(calls=[peer_pb2.ForwardedCall(number=7)], cancelled=[7]))
    nothing = cast("Any", None)
    servicer = PeerServicer(nothing, nothing, {}, cast("Any", Anybody()), nothing)
    serving = asyncio.ensure_future(servicer.Forward(None, stream))
    await stream.read_on.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    assert not [
        each
        for each in gc.get_objects()
        if isinstance(each, asyncio.Task) and "Forward.<locals>.run" in repr(each.get_coro())
    ]
    stream.end.set()
    await serving


async def test_who_follows_and_takes_too_little_is_told_nothing_that_seems_to_be_all(
    both: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_UNTOLD_BYTES", 1)
    nothing = cast("Any", None)
    servicer = PeerServicer(both.home.group, nothing, {}, cast("Any", Anybody()), nothing)
    told = servicer.Follow(peer_pb2.FollowRequest(), Stream(peer_pb2.ForwardBatch()))
    parts = [await anext(told)]
    async with both.home.client(both.token) as manager:
        await create(manager, "one")
    async with asyncio.timeout(PATIENCE):
        parts += [part async for part in told]
    assert not any(part.complete for part in parts)
