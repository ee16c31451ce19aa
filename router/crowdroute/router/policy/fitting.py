"""Compiled answers to small questions that every way of choosing asks: does the task fit, which is the n-th.

Compiled callers in other modules keep a copy of what they call, and numba looks only at their own file to
tell whether that copy is current: whoever changes this module must delete `__pycache__`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.router.policy.cards import SEEN
from crowdroute.router.policy.segments import COUNT, START

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def mixed(state: int) -> Any:
    """Give the number after `state` of a Weyl sequence, scrambled (splitmix64, Steele et al. 2014), as 63
    bits."""
    z = np.uint64(state) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = (z ^ (z >> np.uint64(31))) >> np.uint64(1)
    return np.int64(z)


@njit(cache=True, nogil=True)
def has_seen(cards: Array, tasks: Array, assignments: Array, workers: Array, worker: int, task: int) -> bool:
    """Say what `Project.has_seen` says."""
    person = workers[worker].person
    count = cards[task].seen_count
    seen = False
    if count <= SEEN:
        for place in range(count):
            seen = seen or workers[cards[task].seen[place]].person == person
        return seen
    row = tasks[task].first_assignment
    while row >= 0:
        if workers[assignments[row].worker].person == person:
            return True
        row = assignments[row].next_of_task
    return False


@njit(cache=True, nogil=True)
def is_denied(tasks: Array, listed: Array, worker: int, task: int) -> bool:
    start = tasks[task].deny_start
    denied = False
    for place in range(start, start + tasks[task].deny_count):
        denied = denied or listed[place, 0] == worker
    return denied


@njit(cache=True, nogil=True)
def fits(
    cards: Array,
    tasks: Array,
    assignments: Array,
    workers: Array,
    listed: Array,
    worker: int,
    task: int,
    stage: int,
) -> bool:
    """Say whether slots, deny list and history allow the worker on the task."""
    if not cards[task].wanted >> stage & 1:
        return False
    if cards[task].denies and is_denied(tasks, listed, worker, task):
        return False
    return not has_seen(cards, tasks, assignments, workers, worker, task)


@njit(cache=True, nogil=True)
def total_of(codes: Array, pool_table: Array) -> int:
    total = 0
    for place in range(len(codes)):
        total += pool_table[codes[place], COUNT]
    return total


@njit(cache=True, nogil=True)
def at(codes: Array, pool_table: Array, pool: Array, index: int) -> int:
    """Give the task at a position of the pools of these signatures, taken one after the other."""
    for place in range(len(codes)):
        count = pool_table[codes[place], COUNT]
        if index < count:
            return int(pool[pool_table[codes[place], START] + index])
        index -= count
    return -1
