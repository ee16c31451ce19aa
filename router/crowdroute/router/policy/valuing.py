"""The compiled sums behind value tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.aggregation.kernels import fill_information
from crowdroute.router.policy.grid import CELLS, FRESH

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def stale(tables: Array, matrices: Array, versions: Array, stamps: Array, out: Array) -> int:
    """Write the value tables whose matrix has moved by more than a quarter since, and give how many they
    are."""
    count = 0
    for place in range(len(tables)):
        stamp = stamps[tables[place]]
        if 4 * (versions[matrices[place]] - stamp) > stamp:
            out[count] = place
            count += 1
    return count


@njit(cache=True, nogil=True)
def value_by_class(
    confusion: Array,
    row_sums: Array,
    matrix: int,
    class_counts: Array,
    posteriors: Array,
    first: int,
    values: Array,
    table: int,
) -> None:
    """Write what a label from this matrix tells about posteriors (C + 1, K) to a table's cells from `first`
    on.

    The last posterior is overwritten with the class shares and valued as the fresh cell.
    """
    cells = len(posteriors) - 1
    posteriors[cells] = class_counts / class_counts.sum()
    information = np.empty(cells + 1)
    fill_information(confusion, row_sums, matrix, posteriors, information)
    for cell in range(cells):
        values[table, first + cell] += information[cell]
    values[table, FRESH] = max(values[table, FRESH], information[cells])


@njit(cache=True, nogil=True)
def one_coin_information(confidence: float, right: float, n_classes: int) -> float:
    """Give the bits that an answer tells when all errors are alike and all labels but the top one equally
    probable.

    `confidence` is the top label's probability, `right` the chance of a right answer. I = H(label) - H(label
    | truth).
    """
    if n_classes < 2:
        return 0.0
    others = n_classes - 1
    wrong = (1.0 - right) / others
    top = confidence * right + (1.0 - confidence) * wrong
    label = _surprise(top) + others * _surprise((1.0 - top) / others)
    given = _surprise(right) + others * _surprise(wrong)
    return max(label - given, 0.0)


@njit(cache=True, nogil=True)
def _surprise(probability: float) -> float:
    return -probability * np.log2(probability) if probability > 0.0 else 0.0


@njit(cache=True, nogil=True)
def value_as_one_coin(
    confusion: Array,
    row_sums: Array,
    matrix: int,
    class_counts: Array,
    confidences: Array,
    weight: float,
    first: int,
    values: Array,
    table: int,
) -> None:
    """Write what a label tells about confidences (C,), the worker taken for one coin, to a table's cells from
    `first` on.

    Cells that several fields share get `weight` of it. The fresh cell stands at the greatest class share.
    """
    n_classes = len(class_counts)
    total = class_counts.sum()
    right = 0.0
    for truth in range(n_classes):
        right += class_counts[truth] / total * confusion[matrix, truth, truth] / row_sums[matrix, truth]
    for cell in range(len(confidences)):
        values[table, first + cell] += weight * one_coin_information(confidences[cell], right, n_classes)
    fresh = one_coin_information(class_counts.max() / total, right, n_classes)
    values[table, FRESH] = max(values[table, FRESH], fresh)


@njit(cache=True, nogil=True)
def rank_cells(values: Array, order: Array, table: int) -> None:
    """Write a table's cells from the most to the least valuable; equals in ascending order."""
    for cell in range(CELLS):
        place = cell
        while place > 0 and values[table, order[table, place - 1]] < values[table, cell]:
            order[table, place] = order[table, place - 1]
            place -= 1
        order[table, place] = cell
