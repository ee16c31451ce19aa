"""The processes of a cluster as Ray runs them: thin, and nothing in them that a new life could not see again.

Everything that goes through Ray is JSON, because Ray would pickle anything else.
"""

from __future__ import annotations

import asyncio
import os
import secrets

import structlog

from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.adapters.ray_store import Head, RayBeats, RayRecord, kept_settings
from crowdroute.router.errors import RouterError
from crowdroute.router.runtime.cluster.actor import ShardActor, reason_of
from crowdroute.router.runtime.cluster.hosting import Hosting, Place, load_hosting
from crowdroute.router.runtime.cluster.orders import At, Order, Standing, decode, encode
from crowdroute.router.runtime.cluster.planning import number_of

NAMESPACE = "crowdroute"
SUPERVISOR = "supervisor"
BROKEN = 70
"""Exit status of a process that must not go on, after `EX_SOFTWARE`; Ray starts the next."""

TOLD_S = 10.0
"""How long a process that cannot begin stays to say why: who waits for the cluster looks twice a second, and
a new life every moment would take the processors from the actors that serve."""

_log = structlog.get_logger("crowdroute.actor")


class ActorProcess:
    """One life of an actor: a gRPC server and the shards behind it."""

    def __init__(self, name: str, hosting: str) -> None:
        """Begin to load the engine, while questions are answered.

        Args:
            name: of the actor.
            hosting: `module:attribute` of the `HostingFactory`.
        """
        ray = load_ray()
        context = ray.get_runtime_context()
        self._node, self._ip = context.get_node_id(), ray.util.get_node_ip_address()
        self._name = name
        self._hosting = hosting
        self._incarnation = secrets.token_hex(8)
        self._actor: ShardActor | None = None
        self._why = ""
        self._beginning = asyncio.get_running_loop().create_task(self._begin())
        self._beginning.add_done_callback(_end_if_failed)

    async def standing(self) -> bytes:
        """Say how this actor stands."""
        if self._actor is None:
            return encode(Standing(self._incarnation, self._node, At(""), os.getpid(), why=self._why))
        return encode(self._actor.standing())

    async def obey(self, order: bytes) -> bytes:
        """Follow an order; see `ShardActor.obey`."""
        if self._actor is None:
            return await self.standing()
        return encode(self._actor.obey(decode(order, Order)))

    async def _begin(self) -> None:
        try:
            hosting = await self._host()
        except Exception as error:
            self._why = reason_of(error)
            _log.critical("actor cannot begin", reason=self._why, exc_info=not isinstance(error, RouterError))
            await asyncio.sleep(TOLD_S)
            os._exit(BROKEN)
        hosting.failed.add_done_callback(_end_because)
        self._standing_by = asyncio.create_task(_stand_by(self._name, self._hosting))
        self._standing_by.add_done_callback(_tell_if_failed)
        self._actor = ShardActor(
            hosting,
            incarnation=self._incarnation,
            node=self._node,
            pid=os.getpid(),
        )

    async def _host(self) -> Hosting:
        make = await asyncio.to_thread(load_hosting, self._hosting)
        return await make(await kept_settings(Head()), Place(self._name, self._ip))


async def _stand_by(actor: str, hosting: str) -> None:
    """Lead the cluster for as long as nobody does who comes before this actor."""
    from crowdroute.router.runtime.cluster.ray_fleet import RayFleet
    from crowdroute.router.runtime.cluster.standby import FIRST, Standby
    from crowdroute.router.runtime.cluster.supervisor import Supervisor

    head = Head()
    fleet = RayFleet(head, hosting)
    await Standby(
        FIRST + 1 + number_of(actor),
        RayBeats(head),
        make=lambda: Supervisor(fleet, RayRecord(head)),
        renew=lambda: fleet.renew(SUPERVISOR),
    ).run()


def _tell_if_failed(standing_by: asyncio.Task[None]) -> None:
    if not standing_by.cancelled() and (error := standing_by.exception()) is not None:
        _log.error("this actor cannot stand by for the supervisor", reason=str(error))


def _end_if_failed(beginning: asyncio.Task[None]) -> None:
    if not beginning.cancelled() and (error := beginning.exception()) is not None:
        _log.critical("actor cannot begin", reason=str(error))
        os._exit(BROKEN)


def _end_because(failed: asyncio.Future[RouterError]) -> None:
    """End the process: what it may have promised is known to the log alone."""
    if failed.cancelled():
        return
    _log.critical("actor ended", code=failed.result().code, reason=failed.result().message)
    os._exit(BROKEN)


class SupervisorProcess:
    """One life of the supervisor."""

    def __init__(self, hosting: str) -> None:
        """Begin to lead.

        Args:
            hosting: `module:attribute` of the `HostingFactory` of its actors.
        """
        from crowdroute.router.runtime.cluster.control import Control
        from crowdroute.router.runtime.cluster.ray_fleet import RayFleet
        from crowdroute.router.runtime.cluster.standby import FIRST, Signs
        from crowdroute.router.runtime.cluster.supervisor import Supervisor

        head = Head()
        led = Supervisor(RayFleet(head, hosting), RayRecord(head))
        self._control = Control(led)
        signs = Signs(led, RayBeats(head), FIRST)
        loop = asyncio.get_running_loop()
        self._leading = [loop.create_task(led.run()), loop.create_task(signs.run())]
        for one in self._leading:
            one.add_done_callback(_end_if_failed)

    async def ask(self, question: bytes) -> bytes:
        """Answer what the command line asks."""
        return await self._control.answer(question)
