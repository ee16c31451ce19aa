"""The compiled baselines: the earliest task that fits, and any task that fits, drawn by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.router.model.states import Stage
from crowdroute.router.policy.fitting import at, fits, mixed, total_of
from crowdroute.router.policy.grid import CELLS, PRIORITIES
from crowdroute.router.policy.held import opened
from crowdroute.router.policy.placing import UPPER_STAGES
from crowdroute.router.policy.segments import COUNT, START

Array = NDArray[Any]

_CROWD, _SENIOR = int(Stage.CROWD), int(Stage.SENIOR)

DRAWS = 64
"""Tasks drawn by chance before the pools are walked; nearly always the first draws fit."""

FEW = 64
"""Tasks among which the one to give is drawn after looking at each; among more, draws are repeated until one
fits."""


@njit(cache=True, nogil=True)
def draw(held: Array, codes: Array, table_of: Array, worker: int, seed: int) -> tuple[int, int]:
    """Draw one task from the worker's pools and candidates, and give it (-1 if it does not fit) and among how
    many.

    `held` is `Buckets.held`, `codes` are the signatures the worker may be given, `table_of` is below 0 for
    the others.
    """
    (
        tasks,
        assignments,
        workers,
        listed,
        cards,
        _,
        _,
        _,
        _,
        pool_table,
        pool,
        set_table,
        sets,
        _,
        _,
        _,
    ) = opened(held)
    pooled = total_of(codes, pool_table)
    total = pooled + set_table[worker, COUNT]
    if total == 0:
        return -1, 0
    index = mixed(seed) % total
    if index < pooled:
        task = at(codes, pool_table, pool, index)
    else:
        task = sets[set_table[worker, START] + index - pooled]
        if table_of[cards[task].signature] < 0:
            return -1, total
    if not fits(cards, tasks, assignments, workers, listed, worker, task, _CROWD):
        return -1, total
    return task, total


@njit(cache=True, nogil=True)
def first(held: Array, codes: Array, table_of: Array, worker: int, stage: int) -> int:
    """Give the fitting task of the highest priority whose turn is the earliest, or -1.

    The arguments are those of `draw`. At the crowd stage only where every task stands in the first cell.
    """
    (
        tasks,
        assignments,
        workers,
        listed,
        cards,
        crowd,
        crowd_ends,
        _,
        _,
        _,
        _,
        set_table,
        sets,
        upper,
        upper_ends,
        _,
    ) = opened(held)
    if stage == _CROWD:
        links, ends, width, offset = crowd, crowd_ends, CELLS, 0
    else:
        links, ends, width, offset = upper, upper_ends, UPPER_STAGES, stage - _SENIOR
    for priority in range(PRIORITIES - 1, -1, -1):
        best, best_turn = -1, np.int64(0)
        for place in range(set_table[worker, COUNT]):
            task = sets[set_table[worker, START] + place]
            if cards[task].priority != priority or table_of[cards[task].signature] < 0:
                continue
            if (best < 0 or links[task].turn < best_turn) and fits(
                cards, tasks, assignments, workers, listed, worker, task, stage
            ):
                best, best_turn = task, links[task].turn
        for place in range(len(codes)):
            task = ends[(codes[place] * PRIORITIES + priority) * width + offset, 0]
            while task >= 0 and (best < 0 or links[task].turn < best_turn):
                if fits(cards, tasks, assignments, workers, listed, worker, task, stage):
                    best, best_turn = task, links[task].turn
                task = links[task].next
        if best >= 0:
            return best
    return -1


@njit(cache=True, nogil=True)
def any_of_all(held: Array, codes: Array, table_of: Array, worker: int, seed: int) -> tuple[int, int]:
    """Give a fitting task by chance, all alike, and among how many it was drawn; (-1, 0) when none fits.

    Exact among at most `FEW`; otherwise the number counts tasks that do not fit too, and after `DRAWS` draws
    that did not, the next fitting one after the last draw is taken. The arguments are those of `draw`.
    """
    (
        tasks,
        assignments,
        workers,
        listed,
        cards,
        _,
        _,
        _,
        _,
        pool_table,
        pool,
        set_table,
        sets,
        _,
        _,
        _,
    ) = opened(held)
    pooled = total_of(codes, pool_table)
    start, count = set_table[worker, START], set_table[worker, COUNT]
    total = pooled + count
    if total == 0:
        return -1, 0
    fitting = np.empty(FEW if total <= FEW else 1, np.int64)
    n_fitting, begin = 0, 0
    for probe in range(DRAWS if total > FEW else 0):
        begin = mixed(seed + probe) % total
        task = at(codes, pool_table, pool, begin) if begin < pooled else sets[start + begin - pooled]
        if table_of[cards[task].signature] >= 0 and fits(
            cards, tasks, assignments, workers, listed, worker, task, _CROWD
        ):
            return task, total
    for step in range(total):
        index = (begin + step) % total
        task = at(codes, pool_table, pool, index) if index < pooled else sets[start + index - pooled]
        if table_of[cards[task].signature] < 0 or not fits(
            cards, tasks, assignments, workers, listed, worker, task, _CROWD
        ):
            continue
        if total > FEW:
            return task, total
        fitting[n_fitting] = task
        n_fitting += 1
    if n_fitting == 0:
        return -1, 0
    return fitting[mixed(seed) % n_fitting], n_fitting
