"""Work divided into parts that do not depend on the number of threads: compiled loops let go of the
interpreter, so that parts run side by side, and what they sum is added in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError

Each = TypeVar("Each")
Found = TypeVar("Found")


class Part(NamedTuple):
    """The tasks, or workers, from ``first`` up to, not including, ``end``."""

    first: int
    end: int


class OnEvery(Protocol):
    """Calls a function on each of some parts and returns the results in order."""

    def __call__(self, work: Callable[[Each], Found], parts: Iterable[Each]) -> list[Found]: ...


_LINE = 16
"""Numbers between those of two threads: writing to one line of the cache, they would wait for each other."""


def parts_of(starts: NDArray[np.int64], count: int) -> list[Part]:
    """Divide tasks into up to ``count`` runs of about as many annotations each, none of them empty.

    ``starts`` (tasks + 1,) is that of ``Grouped``.
    """
    wanted = np.arange(1, count) * starts[-1] // count
    bounds = np.unique([0, *np.searchsorted(starts, wanted).tolist(), len(starts) - 1])
    return [Part(int(first), int(end)) for first, end in pairwise(bounds)]


@contextmanager
def side_by_side(threads: int) -> Iterator[OnEvery]:
    """Give what calls a function on every part, in up to ``threads`` threads.

    Raises ``InvalidParameterError`` for less than one.
    """
    if threads < 1:
        raise InvalidParameterError(f"threads is {threads}; there must be at least one")
    if threads == 1:
        yield lambda work, parts: [work(part) for part in parts]
        return
    with ThreadPoolExecutor(threads) as pool:
        yield lambda work, parts: list(pool.map(work, parts))


def sums_apart(parts: int, length: int) -> NDArray[np.float64]:
    """Return zeros (parts, length) whose rows lie in lines of the cache of their own."""
    return np.zeros((parts, length + _LINE))[:, :length]
