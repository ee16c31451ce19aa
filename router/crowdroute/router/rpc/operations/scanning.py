"""Going through tables row by row without holding anybody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.state.table import Table

BLOCK = 1 << 16
"""Rows looked at between two looks at the network: about a millisecond."""

Chosen = Callable[[NDArray[Any]], NDArray[Any]]
"""Tells, for a block of rows, which are wanted."""


async def scan_up(table: Table, begin: int, wanted: int, chosen: Chosen) -> list[int]:
    """Give up to `wanted` chosen rows from `begin` on, ascending."""
    found: list[int] = []
    while begin < table.count and len(found) < wanted:
        end = min(begin + BLOCK, table.count)
        found += (np.flatnonzero(chosen(table.rows[begin:end])) + begin).tolist()
        begin = end
        await asyncio.sleep(0)
    return found[:wanted]


async def scan_down(table: Table, end: int, wanted: int, chosen: Chosen) -> list[int]:
    """Give up to `wanted` chosen rows below `end`, descending."""
    found: list[int] = []
    while end > 0 and len(found) < wanted:
        begin = max(end - BLOCK, 0)
        found += (np.flatnonzero(chosen(table.rows[begin:end]))[::-1] + begin).tolist()
        end = begin
        await asyncio.sleep(0)
    return found[:wanted]


async def scan_all(table: Table, chosen: Chosen) -> AsyncIterator[list[int]]:
    """Yield all chosen rows, ascending, also those that are added meanwhile."""
    begin = 0
    while begin < table.count:
        end = min(begin + BLOCK, table.count)
        yield (np.flatnonzero(chosen(table.rows[begin:end])) + begin).tolist()
        begin = end
        await asyncio.sleep(0)
