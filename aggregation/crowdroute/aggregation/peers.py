"""How often a worker says what the others make likely, when their own label is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.intervals import CONFIDENCE, check_confidence
from crowdroute.aggregation.prior import ConfusionPrior

_AT_ONCE = 1 << 21
"""Probabilities computed at once: 16 MB."""


class PeerAgreement(NamedTuple):
    """Per worker, in the order of ``worker_ids``."""

    agreement: NDArray[np.float64]
    """Mean over the worker's labels of P(that label | the labels of the others); (workers,). Of a worker
    whose every task nobody else labelled, the mean of all."""
    labels: NDArray[np.int64]
    """Labels on tasks that somebody else labelled too; (workers,)."""
    confusion_counts: NDArray[np.float64]
    """Labels by (worker, truth, label), the truth as the others or gold see it, without any prior."""


def peer_agreement(
    annotations: AnnotationSet,
    confusion: NDArray[np.float64],
    class_shares: NDArray[np.float64],
    gold: Mapping[Any, Identifier] | None = None,
) -> PeerAgreement:
    """Return each worker's agreement with the truth as the other annotators of each task see it.

    ``confusion`` (workers, truth, label) and ``class_shares`` (labels,), all positive, are those of a fitted
    ``SmoothedDawidSkene``. P(truth | others) is proportional to the class share times the product of the
    others' P(label | truth): with the worker's own label in, a worker with few peers would mostly agree with
    themselves. Still biased upwards where workers err alike; gold tells by how much, and is the truth in
    ``confusion_counts`` where there is some. O(annotations K + workers K^2). Raises ``InvalidParameterError``
    when the shapes do not fit or an entry is not positive, ``InvalidAnnotationsError`` for unknown gold.
    """
    k, n_workers = annotations.n_classes, annotations.n_workers
    if confusion.shape != (n_workers, k, k) or class_shares.shape != (k,):
        raise InvalidParameterError(
            f"confusion {confusion.shape} and class shares {class_shares.shape} do not fit {n_workers}"
            f" workers and {k} labels; take both from one model fitted to these annotations"
        )
    if not (confusion.min() > 0.0 and class_shares.min() > 0.0):
        raise InvalidParameterError(
            "confusion and class shares must be positive: take them from SmoothedDawidSkene"
        )
    # (cells, truth), so that what an annotation adds stands in one row.
    logs = np.log(np.ascontiguousarray(confusion.transpose(0, 2, 1)).reshape(-1, k))
    cells = annotations.workers.astype(np.int64) * k + annotations.labels
    joint = np.empty((annotations.n_tasks, k))
    for truth in range(k):
        column = np.bincount(annotations.tasks, weights=logs[cells, truth], minlength=annotations.n_tasks)
        joint[:, truth] = column + np.log(class_shares[truth])
    alone = np.bincount(annotations.tasks, minlength=annotations.n_tasks)[annotations.tasks] < 2
    gold_codes = annotations.gold_codes(gold)
    agreed = np.empty(len(annotations))
    counts = np.zeros((n_workers * k, k))
    at_once = max(_AT_ONCE // k, 1)
    for start in range(0, len(annotations), at_once):
        part = slice(start, start + at_once)
        others = joint[annotations.tasks[part]] - logs[cells[part]]
        likely = np.exp(others - others.max(axis=1, keepdims=True))
        given = np.arange(len(likely)), annotations.labels[part]
        likely /= likely.sum(axis=1, keepdims=True)
        agreed[part] = likely[given]
        known = np.flatnonzero(gold_codes[annotations.tasks[part]] >= 0)
        likely[known] = np.eye(k)[gold_codes[annotations.tasks[part]][known]]
        for truth in range(k):
            counts[:, truth] += np.bincount(cells[part], weights=likely[:, truth], minlength=n_workers * k)
    shared = np.where(alone, 0.0, 1.0)
    labels = np.bincount(annotations.workers, weights=shared, minlength=n_workers)
    sums = np.bincount(annotations.workers, weights=shared * agreed, minlength=n_workers)
    pool = float(sums.sum() / labels.sum()) if labels.sum() > 0 else 1.0 / k
    return PeerAgreement(
        np.where(labels > 0, sums / np.maximum(labels, 1.0), pool),
        labels.astype(np.int64),
        np.ascontiguousarray(counts.reshape(-1, k, k).transpose(0, 2, 1)),
    )


def confusion_intervals(
    counts: NDArray[np.float64], prior: ConfusionPrior | None = None, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return P(label | truth) of every worker with its lower and upper bound, each (workers, truth, label).

    ``counts`` are the ``confusion_counts`` of ``peer_agreement``. Each row is a Dirichlet with the prior's
    pseudo-labels, which follow the crowd, so that each entry is a Beta; bounds are equal-tailed. They hold as
    far as the truths do that were counted under.
    """
    check_confidence(confidence)
    if counts.shape[2] == 1:
        certain = np.ones(counts.shape)
        return certain, certain, certain
    from scipy.special import betaincinv

    pseudo = counts + (prior or ConfusionPrior()).pooled_matrix(counts.sum(axis=0))
    rest = pseudo.sum(axis=2, keepdims=True) - pseudo
    tail = (1.0 - confidence) / 2.0
    lower, upper = betaincinv(pseudo, rest, tail), 1.0 - betaincinv(rest, pseudo, tail)
    return pseudo / (pseudo + rest), lower, upper
