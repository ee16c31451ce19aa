"""What happens to the broker behind an engine, and to an engine whose shard another one claims."""

from __future__ import annotations

import asyncio
import random
import signal

from tests.faults.nemesis import brokers
from tests.faults.nemesis.ground import Fault, Ground
from tests.faults.serving import Serving
from tests.support.services import Services


def _services(ground: Ground) -> Services:
    assert ground.store.services is not None, "there is no broker behind this engine"
    return ground.store.services


async def _broker_killed(ground: Ground, chance: random.Random) -> None:
    services = _services(ground)
    await brokers.kill(services, brokers.ONLY)
    await asyncio.to_thread(services.up)


async def _broker_frozen(ground: Ground, chance: random.Random) -> None:
    await brokers.freeze(_services(ground), brokers.ONLY, chance)


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
