"""What happens to connections between clients and an engine."""

from __future__ import annotations

import asyncio
import random

from tests.faults.nemesis.ground import Behind, Fault
from tests.faults.nemesis.proxy import Way

BROKEN_S = (0.3, 2.0)
"""How long a network is refused, held or slow."""
HALF_OPEN_S = (6.5, 8.0)
"""How long one way is dead: longer than the pings of clients take to notice."""
SLOW_S = (0.01, 0.1)
"""How long each piece of data takes through a slow network."""


async def _cut(ground: Behind, chance: random.Random) -> None:
    ground.proxy.cut()


async def _refused(ground: Behind, chance: random.Random) -> None:
    await ground.proxy.refuse()
    await asyncio.sleep(chance.uniform(*BROKEN_S))
    await ground.proxy.accept()


async def _held(ground: Behind, chance: random.Random) -> None:
    ground.proxy.hold()
    await asyncio.sleep(chance.uniform(*BROKEN_S))
    ground.proxy.release()


async def _slow(ground: Behind, chance: random.Random) -> None:
    ground.proxy.delay_s = chance.uniform(*SLOW_S)
    await asyncio.sleep(chance.uniform(*BROKEN_S))
    ground.proxy.delay_s = 0.0


async def _calls_lost(ground: Behind, chance: random.Random) -> None:
    await _one_way(ground, chance, Way.TO_ENGINE)


async def _replies_lost(ground: Behind, chance: random.Random) -> None:
    await _one_way(ground, chance, Way.TO_CLIENTS)


async def _one_way(ground: Behind, chance: random.Random, dead: Way) -> None:
    ground.proxy.swallow(dead)
    await asyncio.sleep(chance.uniform(*HALF_OPEN_S))
    ground.proxy.deliver()


FAULTS = (
    Fault("connections cut", _cut),
    Fault("connections refused", _refused),
    Fault("network held", _held),
    Fault("network slow", _slow),
    Fault("calls lost on their way", _calls_lost),
    Fault("replies lost on their way", _replies_lost),
)
