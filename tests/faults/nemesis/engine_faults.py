"""What happens to an engine's processes, and to its disk."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

from tests.faults.nemesis.ground import Fault, Ground
from tests.faults.serving import Serving

FROZEN_S = (0.5, 8.0)
"""Shortest and longest freeze: the longest outlasts the pings of clients."""
DISK_ROOM = (1 << 14, 1 << 18)
"""Bytes by which files may still grow before the disk is full."""

FULL_S = 120.0
"""Longest time until an engine at work has met the full disk and gone."""


async def _killed(ground: Ground, chance: random.Random) -> None:
    await ground.engine.kill()
    await ground.engine.start()


async def _drained(ground: Ground, chance: random.Random) -> None:
    ground.engine.send(signal.SIGTERM)
    assert await ground.engine.ended() == 0, ground.engine.words
    await ground.engine.start()


async def _frozen(ground: Ground, chance: random.Random) -> None:
    ground.engine.send(signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(*FROZEN_S))
    ground.engine.send(signal.SIGCONT)


async def _killed_while_frozen(ground: Ground, chance: random.Random) -> None:
    ground.engine.send(signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(*FROZEN_S) / 4)
    await _killed(ground, chance)


async def _second_owner(ground: Ground, chance: random.Random) -> None:
    await _refused(ground)


async def _second_owner_of_a_frozen_one(ground: Ground, chance: random.Random) -> None:
    ground.engine.send(signal.SIGSTOP)
    try:
        await _refused(ground)
    finally:
        ground.engine.send(signal.SIGCONT)


async def _refused(ground: Ground) -> None:
    """Start another engine over the same directory: it must go without having written anything."""
    other = Serving(ground.engine.directory)
    try:
        assert await other.start_in_vain() == "FENCED", other.words
    finally:
        await other.close()


async def _snapshotter_killed(ground: Ground, chance: random.Random) -> None:
    for child in _children(ground.engine.process.pid):
        os.kill(child, signal.SIGKILL)


async def _snapshots_lost(ground: Ground, chance: random.Random) -> None:
    await ground.engine.kill()
    for snapshot in (ground.engine.directory / "snapshots").glob("*.snap"):
        snapshot.unlink()
    await ground.engine.start()


async def _disk_full(ground: Ground, chance: random.Random) -> None:
    ground.engine.limit_files(chance.randrange(*DISK_ROOM))
    async with asyncio.timeout(FULL_S):
        assert await ground.engine.ended() == 1, ground.engine.words
    await ground.engine.start()


def _children(parent: int) -> list[int]:
    """Give the processes that a process has started and that live."""
    told = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in told.split()]


FAULTS = (
    Fault("engine killed", _killed),
    Fault("engine drained", _drained),
    Fault("engine frozen", _frozen),
    Fault("engine killed while frozen", _killed_while_frozen),
    Fault("second owner", _second_owner),
    Fault("second owner of a frozen engine", _second_owner_of_a_frozen_one),
    Fault("snapshotter killed", _snapshotter_killed),
    Fault("snapshots lost", _snapshots_lost),
    Fault("disk full", _disk_full),
)
