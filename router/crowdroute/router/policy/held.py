"""The arrays that compiled code works on, handed over as addresses in one small array.

An argument that is an array costs a compiled call as much as looking at a task or two, and placing a task
touches sixteen of them. So they are gathered once, and again when one of them was replaced by a longer one;
whoever gathers keeps them alive. `opened` makes arrays of the addresses again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.aggregation.addresses import address_of, carray, pointer
from crowdroute.router.policy.cards import Cards
from crowdroute.router.policy.lists import LINK
from crowdroute.router.state.tables import Assignments, Tasks, Workers

Array = NDArray[Any]

_TASK, _ASSIGNMENT, _WORKER, _CARD = Tasks.dtype, Assignments.dtype, Workers.dtype, Cards.dtype
_INT32, _INT64, _UINT64 = np.dtype(np.int32), np.dtype(np.int64), np.dtype(np.uint64)

KINDS = (
    ("tasks", _TASK, 1),
    ("assignments", _ASSIGNMENT, 1),
    ("workers", _WORKER, 1),
    ("listed", _INT32, 1),
    ("cards", _CARD, 1),
    ("crowd", LINK, 1),
    ("crowd_ends", _INT32, 2),
    ("occupied", _UINT64, 1),
    ("under_way", _INT32, 1),
    ("pool_table", _INT32, 3),
    ("pool", _INT32, 1),
    ("set_table", _INT32, 3),
    ("sets", _INT32, 1),
    ("upper", LINK, 1),
    ("upper_ends", _INT32, 2),
    ("counters", _INT64, 1),
)
"""What is held, in this order: name, type, and how many columns."""


HELD = np.dtype(
    [
        ("addresses", np.int64, len(KINDS)),
        ("lengths", np.int64, len(KINDS)),
        # Never read. numba keeps compiled code by the types of its arguments: code that was made for another
        # layout of rows must not be found for this one.
        ("layouts", [(name, dtype) for name, dtype, _ in KINDS]),
    ],
    align=True,
)


def hold(arrays: tuple[Array, ...]) -> Array:
    """Give one row with address and length of each array, in the order of `KINDS`.

    Raises:
        TypeError: an array is not what is expected in its place, so that compiled code would misread it.
    """
    held = np.zeros(1, HELD)
    for place, (array, (name, dtype, columns)) in enumerate(zip(arrays, KINDS, strict=True)):
        width = array.shape[1] if array.ndim == 2 else 1
        if array.dtype != dtype or width != columns or not array.flags.c_contiguous:
            raise TypeError(f"{name} is {array.dtype} with {width} columns, not {dtype} with {columns}")
        held["addresses"][0, place] = address_of(array)
        held["lengths"][0, place] = len(array)
    return held


@njit(inline="always")
def opened(held: Array) -> Any:
    """Give the arrays that are held, in the order of `KINDS`."""
    at, lengths = held[0].addresses, held[0].lengths
    return (
        carray(pointer(at[0]), lengths[0], _TASK),
        carray(pointer(at[1]), lengths[1], _ASSIGNMENT),
        carray(pointer(at[2]), lengths[2], _WORKER),
        carray(pointer(at[3]), (lengths[3], 1), _INT32),
        carray(pointer(at[4]), lengths[4], _CARD),
        carray(pointer(at[5]), lengths[5], LINK),
        carray(pointer(at[6]), (lengths[6], 2), _INT32),
        carray(pointer(at[7]), lengths[7], _UINT64),
        carray(pointer(at[8]), lengths[8], _INT32),
        carray(pointer(at[9]), (lengths[9], 3), _INT32),
        carray(pointer(at[10]), lengths[10], _INT32),
        carray(pointer(at[11]), (lengths[11], 3), _INT32),
        carray(pointer(at[12]), lengths[12], _INT32),
        carray(pointer(at[13]), lengths[13], LINK),
        carray(pointer(at[14]), (lengths[14], 2), _INT32),
        carray(pointer(at[15]), lengths[15], _INT64),
    )
