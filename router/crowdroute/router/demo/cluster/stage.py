"""The cluster under the demonstration: started, looked at, one of its actors killed, taken down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from crowdroute.router.adapters.ray_store import Head, keep_settings
from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.runtime.cluster.control import Show, Want
from crowdroute.router.runtime.cluster.orders import Stage
from crowdroute.router.runtime.cluster.overview import ActorState, ActorView, Overview
from crowdroute.router.runtime.cluster.ray_client import carry_out, end, supervisor
from crowdroute.router.runtime.settings import ClusterSettings, Settings

READY_S = 180.0
"""Longest wait for the actors: each loads the engine, on a machine that may have other things to do."""

BACK_S = 60.0
"""Longest wait until what was killed serves again; it takes seconds."""

LOOK_S = 0.1


class Cluster(Protocol):
    """What the demonstration asks of a cluster."""

    async def look(self) -> Overview:
        """Give how it does."""

    def kill(self, pid: int) -> None:
        """End one of its processes with SIGKILL."""


class RayCluster:
    """`Cluster` on the Ray that this process is a client of."""

    def __init__(self, led: Any) -> None:
        """Ask this supervisor."""
        self._led = led

    async def look(self) -> Overview:
        """Give how it does; see `Cluster`."""
        return await asyncio.to_thread(carry_out, self._led, Show())

    def kill(self, pid: int) -> None:
        """End a process; see `Cluster`."""
        os.kill(pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def cluster_up(settings: Settings, hosting: str) -> AsyncIterator[RayCluster]:
    """Have a cluster of the settings' size serve while the block runs.

    Args:
        settings: of its processes.
        hosting: `module:attribute` of the `HostingFactory` of its actors.

    Raises:
        FleetUnavailable: it does not serve in time; the message says what keeps it.
    """
    size = settings.cluster or ClusterSettings()
    await keep_settings(Head(), settings.model_dump_json().encode())
    led = await asyncio.to_thread(supervisor, hosting)
    cluster = RayCluster(led)
    try:
        await asyncio.to_thread(carry_out, led, Want(settings.shards, size.actors))
        await seen(cluster, "the actors serve", lambda now: now.resting, READY_S)
        yield cluster
    finally:
        # Handed back in order, so that nothing is written when the topics are removed.
        with contextlib.suppress(FleetUnavailable):
            await asyncio.to_thread(carry_out, led, Want(settings.shards, 0))
            await seen(cluster, "the actors end", lambda now: now.resting, BACK_S)
            await asyncio.to_thread(end, led)


async def seen(cluster: Cluster, what: str, there: Callable[[Overview], bool], patience_s: float) -> Overview:
    """Look again and again until something is seen.

    Raises:
        FleetUnavailable: it was not seen in time.
    """
    until = time.monotonic() + patience_s
    while not there(now := await cluster.look()):
        if time.monotonic() > until:
            why = "; ".join(sorted({shard.why for shard in now.shards if shard.why})) or "no reason is known"
            raise FleetUnavailable(f"not within {patience_s:.0f} s: {what} ({why})")
        await asyncio.sleep(LOOK_S)
    return now


@dataclass(frozen=True)
class Outage:
    """What became of an actor that was killed."""

    actor: str
    shards: list[int]
    """That it owned."""
    away_s: float
    """From the kill until somebody served all of them again."""
    back_s: float
    """From the kill until its next process served its own again."""


async def kill_and_wait(cluster: Cluster, shard: int, tell: Callable[[str], None]) -> Outage:
    """Kill the owner of a shard, and wait until everything is as it was.

    Raises:
        FleetUnavailable: it is not in time.
    """
    before = await cluster.look()
    victim = next(actor for actor in before.actors if shard in actor.shards)
    tell(f"{victim.name} is killed")
    killed = time.monotonic()
    cluster.kill(victim.pid)

    def served(now: Overview) -> bool:
        return all(
            one.stage == Stage.SERVING and one.generation > before.shards[one.shard].generation
            for one in now.shards
            if one.shard in victim.shards
        )

    def back(now: Overview) -> bool:
        return now.resting and any(_again(actor, victim) for actor in now.actors)

    await seen(cluster, f"the shards of {victim.name} are served again", served, BACK_S)
    away_s = time.monotonic() - killed
    tell(f"{victim.name} was killed; its shards were served again after {away_s:.1f} s")
    await seen(cluster, f"{victim.name} serves again", back, BACK_S)
    back_s = time.monotonic() - killed
    tell(f"{victim.name} serves again, {back_s:.1f} s after it was killed")
    return Outage(victim.name, victim.shards, away_s, back_s)


def _again(actor: ActorView, victim: ActorView) -> bool:
    return (
        actor.name == victim.name
        and actor.incarnation != victim.incarnation
        and actor.state is ActorState.SERVING
    )
