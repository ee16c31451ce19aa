"""Compiled loops over words: the edit distance, and the way of a text through a network of words."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_SAME = 1e-9
"""Costs nearer than this are one: sums of shares differ in their last digits."""


@numba.njit("int64(int64[::1], int64[::1])", cache=True, nogil=True)
def edit_distance(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Return the least number of words to put in, take out or exchange. O(words of one x of the other)."""
    row = np.arange(len(other) + 1)
    for place in range(1, len(one) + 1):
        diagonal = row[0]
        row[0] = place
        for column in range(1, len(other) + 1):
            above = row[column]
            if one[place - 1] == other[column - 1]:
                row[column] = diagonal
            else:
                row[column] = 1 + min(diagonal, above, row[column - 1])
            diagonal = above
    return int(row[len(other)])


@numba.njit("int64[:, ::1](float64[:, ::1], int64[::1])", cache=True, nogil=True)
def align(shares: NDArray[np.float64], text: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cheapest way of a text through a network, as pairs (slot, word place), -1 for none.

    ``shares`` (slots, vocabulary + 1) are the weights of the words in each slot, the last of no word; they
    sum to 1. A word costs what the others hold of the slot, passing a slot over what its words hold, a new
    slot 1. Of equal ways, the one with words in slots from the end. O(slots x words).
    """
    slots, words, none = shares.shape[0], len(text), shares.shape[1] - 1
    cost = np.zeros((slots + 1, words + 1))
    for word in range(1, words + 1):
        cost[0, word] = word
    for slot in range(1, slots + 1):
        passed = 1.0 - shares[slot - 1, none]
        cost[slot, 0] = cost[slot - 1, 0] + passed
        for word in range(1, words + 1):
            cost[slot, word] = min(
                cost[slot - 1, word - 1] + 1.0 - shares[slot - 1, text[word - 1]],
                cost[slot - 1, word] + passed,
                cost[slot, word - 1] + 1.0,
            )
    way = np.empty((slots + words, 2), dtype=np.int64)
    slot, word, steps = slots, words, 0
    while slot > 0 or word > 0:
        way[steps, 0], way[steps, 1] = slot - 1, word - 1
        steps += 1
        if (
            slot > 0
            and word > 0
            and cost[slot, word] > cost[slot - 1, word - 1] + 1.0 - shares[slot - 1, text[word - 1]] - _SAME
        ):
            slot -= 1
            word -= 1
        elif slot > 0 and cost[slot, word] > cost[slot - 1, word] + 1.0 - shares[slot - 1, none] - _SAME:
            way[steps - 1, 1] = -1
            slot -= 1
        else:
            way[steps - 1, 0] = -1
            word -= 1
    return way[:steps][::-1].copy()
