"""What happens to the broker behind an engine, and to an engine whose shard another one claims."""

from __future__ import annotations

import asyncio
import os
import random
import signal

from tests.faults.nemesis.ground import Fault, Ground
from tests.faults.serving import Serving
from tests.support.services import Services

from local_services.ports import is_free

BROKER = "kafka-1"
FROZEN_S = (1.0, 9.0)
"""Shortest and longest freeze of the broker: the longest outlasts a request."""

GONE_S = 20.0
"""Longest time from SIGKILL until a process is gone."""
LOOK_S = 0.05


def _services(ground: Ground) -> Services:
    assert ground.store.services is not None, "there is no broker behind this engine"
    return ground.store.services


async def _broker_killed(ground: Ground, chance: random.Random) -> None:
    services = _services(ground)
    os.kill(services.pid(BROKER), signal.SIGKILL)
    (broker,) = services.choices()["brokers"]
    async with asyncio.timeout(GONE_S):
        # The kernel takes its time to end so many threads, and only then gives the ports back.
        while not all(is_free(broker[port]) for port in ("port", "controller_port")):
            await asyncio.sleep(LOOK_S)
    await asyncio.to_thread(services.up)


async def _broker_frozen(ground: Ground, chance: random.Random) -> None:
    pid = _services(ground).pid(BROKER)
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(*FROZEN_S))
    os.kill(pid, signal.SIGCONT)


async def _taken_over(ground: Ground, chance: random.Random) -> None:
    """Another engine claims the shard of one that serves: that one must go at its next append."""
    async with _Successor(ground):
        await _ends_fenced(ground.engine)
    await ground.engine.start()


async def _taken_over_while_frozen(ground: Ground, chance: random.Random) -> None:
    """The same with an engine that is frozen, wakes up, and believes that it owns the shard."""
    ground.engine.send(signal.SIGSTOP)
    async with _Successor(ground):
        ground.engine.send(signal.SIGCONT)
        await _ends_fenced(ground.engine)
    await ground.engine.start()


async def _ends_fenced(engine: Serving) -> None:
    assert await engine.ended() == 1, engine.words
    assert "took the shard" in engine.words[-1], engine.words


class _Successor:
    """Another engine over the same log, with a copy of its own, for as long as the block lasts."""

    def __init__(self, ground: Ground) -> None:
        directory = ground.engine.directory.with_name("successor")
        self._engine = Serving(directory, variables=ground.store.variables)

    async def __aenter__(self) -> None:
        await self._engine.start()

    async def __aexit__(self, *_: object) -> None:
        await self._engine.close()


FAULTS = (
    Fault("broker killed", _broker_killed),
    Fault("broker frozen", _broker_frozen),
    Fault("shard taken over", _taken_over),
    Fault("shard taken over from a frozen engine", _taken_over_while_frozen),
)
