"""How commands wait for a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from crowdroute.router.cli import cluster
from crowdroute.router.errors import ConfigurationError, FleetUnavailable
from crowdroute.router.model.placement import Wanted
from crowdroute.router.runtime.cluster.overview import ActorState, ActorView, Overview, ShardView

WHY = "there is no file peer.pem"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LOOK_S", 0)


def seen(*actors: ActorView, actors_wanted: int = 1, why: str = "", resting: bool = False) -> Overview:
    shard = ShardView(0, "failed", "actor-0", "", 1, "actor-0", False, why)
    return Overview(1, Wanted(1, actors_wanted), True, resting, [], [], list(actors), [shard])


def hindered(incarnation: str) -> ActorView:
    return ActorView("actor-0", ActorState.HINDERED, "node", "", 1, incarnation, [], WHY)


def looks(*overviews: Overview) -> Callable[[], Overview]:
    coming: Iterator[Overview] = iter(overviews)
    return lambda: next(coming)


def test_waiting_ends_when_an_actor_cannot_begin_with_the_reason() -> None:
    with pytest.raises(ConfigurationError, match=f"actor-0 cannot begin: {WHY}"):
        cluster._wait(looks(seen(), seen(hindered("new"))), seen(), 60, "starting")


def test_a_life_from_before_is_waited_out_since_the_next_has_newer_settings() -> None:
    first = seen(hindered("old"))
    done = seen(resting=True)
    assert cluster._wait(looks(first, done), first, 60, "starting") is done


def test_a_cluster_that_is_taken_down_waits_for_no_actor_to_begin() -> None:
    going, down = seen(hindered("new"), actors_wanted=0), seen(actors_wanted=0, resting=True)
    assert cluster._wait(looks(going, down), seen(), 60, "stopping") is down


def test_who_has_waited_long_enough_is_told_what_keeps_a_shard() -> None:
    stuck = seen(why="the log is damaged")
    with pytest.raises(FleetUnavailable, match="goes on \\(the log is damaged\\): see"):
        cluster._wait(looks(stuck), stuck, 0, "starting")
