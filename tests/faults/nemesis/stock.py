"""The tasks that annotators under fire have before them: never so few that they wait for work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle

from tests.faults.nemesis.operator import Operator

Source = Callable[[str, range], Awaitable[object]]
"""Brings in an item, with a task, for each number, once, whatever happens meanwhile; their external ids begin
with the prefix."""

PREFIX = "more"
LEAST = 1_200
"""Tasks without a result below which more come; a crowd does hundreds of them while they are on their way."""
LOOK_S = 0.5
"""Pause between two looks at how many there are."""


class Stock:
    """Tasks of a scene's project, added as they are used up, however fast the crowd is."""

    def __init__(self, operator: Operator, sources: Sequence[Source] = ()) -> None:
        """Prepare.

        Args:
            operator: adds tasks by calls, and knows how many there are.
            sources: other ways in which they come, in turn with calls.
        """
        self._operator = operator
        self._sources = cycle((operator.add, *sources))
        self.brought = 0
        """Tasks that were brought in."""

    async def keep(self, stopping: asyncio.Event) -> None:
        """Bring in tasks whenever there are few, until told to stop."""
        while not stopping.is_set():
            if await self._operator.unfinished() < LEAST:
                numbers = range(self.brought, self.brought + LEAST)
                await next(self._sources)(PREFIX, numbers)
                self.brought += LEAST
                self._operator.expected += LEAST
            await asyncio.sleep(LOOK_S)
