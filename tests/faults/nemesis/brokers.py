"""Ends the process of a broker of the local services and starts it again, as a machine that restarts does."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence

from tests.support.services import Services

from local_services.ports import is_free

FROZEN_S = (1.0, 9.0)
"""Shortest and longest freeze of a broker: the longest outlasts a request, and a broker's session."""
OUTLASTING_S = (12.0, 16.0)
"""The same of all of them: each outlasts what an engine waits for an acknowledgement (10 s), and many end."""
GONE_S = 20.0
"""Longest time from SIGKILL until a process is gone."""
LOOK_S = 0.05


ONLY = 1
"""The broker of services that have one."""


def pid(services: Services, number: int) -> int:
    """Give the process of a broker."""
    return services.pid(f"kafka-{number}")


async def kill(services: Services, number: int) -> None:
    """End a broker without any warning, and return when it is gone."""
    os.kill(pid(services, number), signal.SIGKILL)
    broker = next(one for one in services.choices()["brokers"] if one["node_id"] == number)
    async with asyncio.timeout(GONE_S):
        # The kernel takes its time to end so many threads, and only then gives the ports back.
        while not all(is_free(broker[port], services.host) for port in ("port", "controller_port")):
            await asyncio.sleep(LOOK_S)


async def freeze(services: Services, number: int, chance: random.Random) -> None:
    """Stop a broker for a while, and let it go on."""
    await _freeze([pid(services, number)], chance.uniform(*FROZEN_S))


async def freeze_all(services: Services, chance: random.Random) -> None:
    """Stop every broker for longer than an engine waits for an acknowledgement, and let them go on."""
    everyone = [pid(services, one["node_id"]) for one in services.choices()["brokers"]]
    await _freeze(everyone, chance.uniform(*OUTLASTING_S))


async def _freeze(frozen: Sequence[int], seconds: float) -> None:
    for one in frozen:
        os.kill(one, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        for one in frozen:
            os.kill(one, signal.SIGCONT)
