"""A group that tells what this release cannot read is named once, and tried until it can be followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.rpc.group import following
from crowdroute.router.rpc.group.following import Following
from crowdroute.router.runtime.copies import OrganisationCopy
from crowdroute.router.state.organisation import OrganisationState

PATIENCE_S = 10.0
TRIES = 4

STATE = peer_pb2.FollowPart(
    organisations=[peer_pb2.Organisation(stream="t/organisation", shard=1, sequence=7)]
)
ALL = peer_pb2.FollowPart(complete=True)


class Link:
    """The way to a group whose state can be read from a number of tries on."""

    address = "127.0.0.1:1"

    def __init__(self) -> None:
        self.tries = 0

    async def follow(self) -> AsyncIterator[peer_pb2.FollowPart]:
        self.tries += 1
        yield STATE
        yield ALL
        await asyncio.Event().wait()


class Group:
    """A group without shards of its own, which cannot read a state before the fourth try."""

    def __init__(self, link: Link) -> None:
        self.engines: dict[int, object] = {}
        self.copies = {"t/organisation": OrganisationCopy("t/organisation", 1)}
        self.where = SimpleNamespace(copy_of=lambda stream, _shard: self.copies[stream])
        self.shard_map = SimpleNamespace(others={})
        self.crossing = self
        self._link = link

    def begin_copy(self, copy: OrganisationCopy, _sections: object, sequence: int) -> None:
        if self._link.tries < TRIES:
            raise SnapshotUnusable("the state is of version 9, this release reads 1")
        copy.heard(sequence)


async def test_a_newer_group_is_tried_again_and_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "AGAIN_SECONDS", 0.0)
    link: Any = Link()
    group: Any = Group(link)
    follower = Following(group, link)
    with capture_logs() as lines:
        follower.start()
        async with asyncio.timeout(PATIENCE_S):
            while group.copies["t/organisation"].sequence != 7:
                await asyncio.sleep(0)
        await follower.stop()
    assert link.tries == TRIES
    assert [line["event"] for line in lines] == ["a group is not followed"]


class PassedOn:
    """The way to a group that told an organisation while its shard moved: the last piece came late."""

    address = "127.0.0.1:1"

    def __init__(self) -> None:
        self.read = asyncio.Event()

    async def follow(self) -> AsyncIterator[peer_pb2.FollowPart]:
        yield STATE
        self.read.set()
        await asyncio.Event().wait()


class Informed:
    """A group that the next owner of the shard has told the organisation as of a later batch."""

    def __init__(self) -> None:
        self.engines: dict[int, object] = {}
        self.copy = OrganisationCopy("t/organisation", 1)
        self.copy.begin(OrganisationState(), 9)
        self.where = SimpleNamespace(copy_of=lambda _stream, _shard: self.copy)
        self.crossing = SimpleNamespace(begin_copy=OrganisationCopy.begin)


async def test_what_the_last_owner_tells_late_does_not_replace_what_the_next_one_told() -> None:
    link: Any = PassedOn()
    group: Any = Informed()
    told = group.copy.machine.state
    follower = Following(group, link)
    follower.start()
    async with asyncio.timeout(PATIENCE_S):
        await link.read.wait()
    await follower.stop()
    assert group.copy.machine.state is told
