"""How sure a posterior is, and how much one more label is expected to tell (mutual information, in bits)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import OutOfRangeError


def fill_information(
    confusion: NDArray[np.float64],
    row_sums: NDArray[np.float64],
    matrix: int,
    cells: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the expected information of one label from ``matrix`` about each cell's posterior into ``out``,
    in bits.

    ``confusion`` (matrices, K, K) and ``row_sums`` (matrices, K) are those of an ``OnlineDawidSkene``;
    ``cells`` (C, K) holds one representative posterior per row; ``out`` has length C. All are C-contiguous
    float64 and only ``out`` is written. Costs O((C + 1) K^2). Raises ``OutOfRangeError`` when the shapes or
    the matrix do not fit.
    """
    n_classes = confusion.shape[2]
    if not 0 <= matrix < confusion.shape[0]:
        raise OutOfRangeError(
            f"matrix {matrix} is outside 0..{confusion.shape[0] - 1}; add it with add_matrix first"
        )
    if cells.shape[1] != n_classes or out.shape[0] < cells.shape[0]:
        raise OutOfRangeError(
            f"cells of shape {cells.shape} and out of length {out.shape[0]} do not fit {n_classes} classes;"
            " cells must be (C, classes) and out at least C long"
        )
    from crowdroute.aggregation import kernels

    kernels.fill_information(confusion, row_sums, matrix, cells, out)


def information_table(
    confusion_shares: NDArray[np.float64], cells: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the expected information, in bits, of one label of a worker about each of C posteriors.

    ``confusion_shares`` (K, K) holds P(label | truth), axes (truth, label), rows summing to 1; ``cells`` is
    (C, K).
    """
    shares = np.ascontiguousarray(confusion_shares, dtype=np.float64)
    values = np.empty(len(cells))
    fill_information(
        shares[np.newaxis],
        np.ones((1, shares.shape[0])),
        0,
        np.ascontiguousarray(cells, dtype=np.float64),
        values,
    )
    return values


def posterior_confidence(posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of the likeliest class along the last axis."""
    return np.asarray(posteriors.max(axis=-1))


def posterior_margin(posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lead of the likeliest class over the next along the last axis; 1 where there is a single
    class."""
    if posteriors.shape[-1] == 1:
        return np.ones(posteriors.shape[:-1])
    top = np.partition(posteriors, posteriors.shape[-1] - 2, axis=-1)
    return np.asarray(top[..., -1] - top[..., -2])


def posterior_entropy(posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy of each posterior along the last axis, in bits."""
    logs = np.log2(posteriors, out=np.zeros(posteriors.shape), where=posteriors > 0.0)
    return np.asarray(-(posteriors * logs).sum(axis=-1))
