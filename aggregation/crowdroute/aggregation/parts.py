"""Tasks divided among threads: compiled loops let go of the interpreter, so that they run side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError


class Part(NamedTuple):
    """The tasks from ``first`` up to, not including, ``end``."""

    first: int
    end: int


_LINE = 16
"""Numbers between those of two threads: writing to one line of the cache, they would wait for each other."""

Sums = tuple[float, float]
"""What the loop over a part returns."""


def parts_of(starts: NDArray[np.int64], threads: int) -> list[Part]:
    """Divide tasks into up to ``threads`` runs of about as many annotations each, none of them empty.

    ``starts`` (tasks + 1,) is that of ``Grouped``. Raises ``InvalidParameterError`` for less than one thread.
    """
    if threads < 1:
        raise InvalidParameterError(f"threads is {threads}; there must be at least one")
    wanted = np.arange(1, threads) * starts[-1] // threads
    bounds = np.unique([0, *np.searchsorted(starts, wanted).tolist(), len(starts) - 1])
    return [Part(int(first), int(end)) for first, end in pairwise(bounds)]


@contextmanager
def side_by_side(parts: list[Part]) -> Iterator[Callable[[Callable[[Part], Sums]], list[Sums]]]:
    """Give a function that runs another on every part, in threads where there are several, results in
    order."""
    if len(parts) == 1:
        yield lambda work: [work(parts[0])]
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        yield lambda work: list(pool.map(work, parts))


def sums_apart(parts: int, length: int) -> NDArray[np.float64]:
    """Return zeros (parts, length) whose rows lie in lines of the cache of their own."""
    return np.zeros((parts, length + _LINE))[:, :length]
