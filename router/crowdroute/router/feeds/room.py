"""Whether a project takes more tasks, counted no oftener than that may have changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from crowdroute.router.model.states import TaskState
from crowdroute.router.rpc.operations.counting import BLOCK
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

RECOUNT_SECONDS = 1.0
"""How long a project that is full is taken to be so before its tasks are counted again."""

RESUMED = 0.9
"""Share of the limit down to which a full project must come before it takes more: its records are read again
from the first that waits, which should bring in more than a few."""

_KNOWN = [int(purpose) for purpose in WITH_KNOWN_ANSWER]


@dataclass
class _Counted:
    open_tasks: int
    of: int
    """Tasks there were at the time: each that came later may be open."""
    at: float
    is_full: bool = False


class Room:
    """Knows which projects are full."""

    def __init__(self, limit: int) -> None:
        """Take a project for full at so many open tasks."""
        self._limit = limit
        self._counted: dict[str, _Counted] = {}

    async def has_room(self, lane: str, state: Project) -> bool:
        """Say whether a project takes more; one that was full must have come well below its limit."""
        known = self._counted.get(lane)
        now = asyncio.get_running_loop().time()
        if known is not None:
            most = known.open_tasks + state.tasks.count - known.of
            if not known.is_full and most < self._limit:
                return True
            if known.is_full and now - known.at < RECOUNT_SECONDS:
                return False
        of = state.tasks.count
        found = _Counted(await open_tasks(state), of, now)
        below = self._limit * RESUMED if known is not None and known.is_full else self._limit
        found.is_full = found.open_tasks >= below
        self._counted[lane] = found
        return not found.is_full


async def open_tasks(state: Project) -> int:
    """Count the tasks that are not decided yet, those with a known answer left out, holding nobody up."""
    count = 0
    for begin in range(0, state.tasks.count, BLOCK):
        rows = state.tasks.rows[begin : min(begin + BLOCK, state.tasks.count)]
        count += int(((rows["state"] == TaskState.OPEN) & ~np.isin(rows["purpose"], _KNOWN)).sum())
        await asyncio.sleep(0)
    return count
