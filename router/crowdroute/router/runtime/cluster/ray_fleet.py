"""Ray as a fleet: detached, named actors that Ray starts again whenever their process ends."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping, Set
from typing import Any

from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.adapters.ray_store import Head
from crowdroute.router.errors import ActorSilent
from crowdroute.router.runtime.cluster.fleet import Pulse
from crowdroute.router.runtime.cluster.orders import Order, Standing, decode, encode
from crowdroute.router.runtime.cluster.pulse import Pulses
from crowdroute.router.runtime.cluster.ray_actors import (
    NAMESPACE,
    SUPERVISOR,
    ActorProcess,
    SupervisorProcess,
)

ASK_S = 1.0
"""Longest wait for what an actor says of itself; no verdict hangs on it, its server's pulse is asked
beside."""

CALLS = 64
"""Calls of an actor's methods at once; none of them takes long."""

FOR_EVER = {
    "lifetime": "detached",
    "get_if_exists": True,
    "namespace": NAMESPACE,
    "max_restarts": -1,
    # A call that was lost may have been carried out: who sent it asks how things stand, and decides anew.
    "max_task_retries": 0,
    "max_concurrency": CALLS,
    "num_cpus": 0,
}
"""How the actors of a cluster run."""


class RayFleet:
    """`Fleet` over the Ray cluster that this process is connected to."""

    def __init__(self, head: Head, hosting: str) -> None:
        """Begin without having asked.

        Args:
            head: asks Ray's head.
            hosting: `module:attribute` of the `HostingFactory` of its actors.
        """
        self._head = head
        self._hosting = hosting
        self._handles: dict[str, Any] = {}
        self._pulses = Pulses()

    async def nodes(self) -> Mapping[str, str]:
        """Give the living nodes that offer processors by Ray's id, each with its address; see `Fleet`."""
        return await self._head.ask(_nodes)

    async def actors(self) -> Set[str]:
        """Give the names of all actors; see `Fleet`."""
        return await self._head.ask(_actors)

    async def start(self, actor: str, node: str) -> None:
        """Have an actor run on a node; see `Fleet`."""
        self._handles[actor] = await self._head.ask(lambda: start_actor(actor, node, self._hosting))

    async def renew(self, actor: str) -> None:
        """Have Ray end the process, by force when it does not end by itself, and start the next; see
        `Fleet`."""
        await self._head.ask(lambda: _kill(actor, no_restart=False))

    async def stop(self, actor: str) -> None:
        """End an actor for good; see `Fleet`."""
        self._handles.pop(actor, None)
        await self._head.ask(lambda: _kill(actor, no_restart=True))

    async def ask(self, actor: str) -> Standing:
        """Give what an actor says of itself; see `Fleet`."""
        return await self._call(actor, "standing")

    async def order(self, actor: str, order: Order) -> Standing:
        """Tell an actor what to do; see `Fleet`."""
        return await self._call(actor, "obey", encode(order))

    async def pulse(self, address: str) -> Pulse:
        """Ask what listens at an address whether it lives; see `Fleet`."""
        return await self._pulses.feel(address)

    async def _call(self, actor: str, method: str, *told: bytes) -> Standing:
        ray = load_ray()
        try:
            if actor not in self._handles:
                self._handles[actor] = await self._head.ask(lambda: _handle(actor))
            async with asyncio.timeout(ASK_S):
                said: bytes = await getattr(self._handles[actor], method).remote(*told)
        except (ray.exceptions.RayError, TimeoutError, ValueError) as error:
            if not isinstance(error, TimeoutError):
                self._handles.pop(actor, None)
            raise ActorSilent(f"{actor} does not answer: {type(error).__name__}") from error
        return decode(said, Standing)


def start_actor(actor: str, node: str, hosting: str) -> Any:
    """Start an actor, unless one of that name runs; gives Ray's handle of it."""
    ray = load_ray()
    strategies = importlib.import_module("ray.util.scheduling_strategies")
    # Not soft: Ray would start it anywhere while it hears of a new node. If the node is dead, so is the
    # actor, and the supervisor starts one of its name where there is room.
    there = strategies.NodeAffinitySchedulingStrategy(node, soft=False)
    made = ray.remote(ActorProcess).options(name=actor, scheduling_strategy=there, **FOR_EVER)
    return made.remote(actor, hosting)


def start_supervisor(hosting: str) -> Any:
    """Start the supervisor, unless one runs; gives Ray's handle of it.

    On any node, the head's too: whenever it dies, Ray starts it where there is room, and without the head it
    could write nothing down.
    """
    return load_ray().remote(SupervisorProcess).options(name=SUPERVISOR, **FOR_EVER).remote(hosting)


def _nodes() -> dict[str, str]:
    """Give the nodes that are for work; a head that leads alone is started with no processors."""
    return {
        node["NodeID"]: node["NodeManagerAddress"]
        for node in load_ray().nodes()
        if node["Alive"] and node["Resources"].get("CPU")
    }


def _actors() -> frozenset[str]:
    return frozenset(load_ray().util.list_named_actors()) - {SUPERVISOR}


def _handle(actor: str) -> Any:
    return load_ray().get_actor(actor, NAMESPACE)


def _kill(actor: str, no_restart: bool) -> None:
    try:
        load_ray().kill(_handle(actor), no_restart=no_restart)
    except ValueError:
        return  # it is not there
