"""How far one Dirichlet distribution is from another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dirichlet_divergence(found: NDArray[np.float64], prior: NDArray[np.float64]) -> float:
    """Return the sum of Kullback-Leibler divergences of Dirichlets along the last axis, in nats."""
    from scipy.special import digamma, gammaln

    total = found.sum(axis=-1)
    logs = digamma(found) - digamma(total)[..., np.newaxis]
    each = (
        gammaln(total)
        - gammaln(found).sum(axis=-1)
        - gammaln(prior.sum(axis=-1))
        + gammaln(prior).sum(axis=-1)
        + ((found - prior) * logs).sum(axis=-1)
    )
    return float(each.sum())
