"""How long an actor that was killed is away, as a cluster that is made up tells it."""

from __future__ import annotations

import pytest
from tests.unit.demo.cluster.world import actor, overview, shard

from crowdroute.router.demo.cluster import stage
from crowdroute.router.demo.cluster.stage import kill_and_wait, seen
from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.runtime.cluster.overview import ActorState, Overview

SERVING, STARTING = ActorState.SERVING, ActorState.STARTING
BEFORE = overview(
    [actor(0, "first", SERVING, [0]), actor(1, "one", SERVING, [1])], [shard(0, 0, 2), shard(1, 1, 2)]
)
NOT_YET = BEFORE
"""A kill is not seen at once."""
GONE = overview(
    [actor(0, "", STARTING, []), actor(1, "one", SERVING, [1])],
    [shard(0, 0, 2, "unowned"), shard(1, 1, 2)],
    resting=False,
)
ELSEWHERE = overview(
    [actor(0, "", STARTING, []), actor(1, "one", SERVING, [0, 1])],
    [shard(0, 1, 3), shard(1, 1, 2)],
    resting=False,
)
BACK = overview(
    [actor(0, "second", SERVING, [0]), actor(1, "one", SERVING, [1])], [shard(0, 0, 4), shard(1, 1, 2)]
)


class Scripted:
    """A cluster that looks as it is told to, one look after the other, and then as at last."""

    def __init__(self, *looks: Overview) -> None:
        self.looks = list(looks)
        self.looked = 0
        self.killed: list[int] = []

    async def look(self) -> Overview:
        self.looked += 1
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def kill(self, pid: int) -> None:
        self.killed.append(pid)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "LOOK_S", 0.0)


async def test_the_owner_of_the_shard_is_killed_and_waited_for_until_a_later_life_of_it_serves() -> None:
    cluster = Scripted(BEFORE, NOT_YET, GONE, ELSEWHERE, ELSEWHERE, BACK)
    told: list[str] = []
    outage = await kill_and_wait(cluster, 0, told.append)
    assert cluster.killed == [100]
    assert cluster.looked == 6
    assert (outage.actor, outage.shards) == ("actor-0", [0])
    assert 0 <= outage.away_s <= outage.back_s
    assert [words.partition(" ")[0] for words in told] == ["actor-0"] * 3


async def test_the_other_actor_is_killed_when_it_owns_the_shard() -> None:
    again = overview(
        [actor(0, "first", SERVING, [0]), actor(1, "two", SERVING, [1])], [shard(0, 0, 2), shard(1, 1, 3)]
    )
    cluster = Scripted(BEFORE, again)
    assert (await kill_and_wait(cluster, 1, lambda _: None)).actor == "actor-1"
    assert cluster.killed == [101]


async def test_what_does_not_come_is_given_up_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "BACK_S", 0.0)
    with pytest.raises(FleetUnavailable, match="the shards of actor-0 are served again"):
        await kill_and_wait(Scripted(BEFORE, GONE), 0, lambda _: None)


async def test_a_wait_ends_with_what_was_seen() -> None:
    assert await seen(Scripted(GONE, BACK), "rest", lambda now: now.resting, 60.0) is BACK
