"""Items that are erased while the nemesis is at work, and whether anything brings their content back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.faults.nemesis.operator import Operator

from crowdroute.api.v1 import tasks_pb2

PREFIX = "gone"
AT_ONCE = 2
"""Items that come and go together."""
PAUSE_S = 4.0
"""Time in which annotators may be given them, answer them, and hold leases on them."""


class Erasures:
    """Brings items in and erases them again."""

    def __init__(self, operator: Operator) -> None:
        """Act as this operator."""
        self._operator = operator
        self.brought = 0
        """Items that were brought in."""
        self.gone: list[str] = []
        """Tasks of items whose erasure was acknowledged."""

    async def keep(self, stopping: asyncio.Event) -> None:
        """Bring in some, erase those of before, until told to stop; then erase the last."""
        there: Sequence[tasks_pb2.AddedItem] = ()
        while not stopping.is_set():
            coming = await self._operator.add(PREFIX, range(self.brought, self.brought + AT_ONCE))
            self.brought += len(coming)
            self._operator.expected += len(coming)
            assert all([await self._operator.can_read(one.task_id) for one in coming]), "it was never there"
            await self._erase(there)
            there = coming
            await asyncio.sleep(PAUSE_S)
        await self._erase(there)

    async def _erase(self, items: Sequence[tasks_pb2.AddedItem]) -> None:
        for one in items:
            await self._operator.erase(one.item_id)
            self.gone.append(one.task_id)

    async def readable(self) -> set[str]:
        """Give the tasks of erased items whose content can be read."""
        gone = list(self.gone)
        told = await asyncio.gather(*map(self._operator.can_read, gone))
        return {task for task, found in zip(gone, told, strict=True) if found}
