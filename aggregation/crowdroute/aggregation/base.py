"""The shape that every estimator of this library has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet, Identifier
from crowdroute.aggregation.errors import InvalidParameterError, NotFittedError


class CategoricalEstimator(Protocol):
    """Infers the true label of every task of one annotation set.

    The constructor only stores its parameters; ``fit`` changes neither them nor its arguments and returns the
    estimator; results end in ``_`` and are replaced by the next ``fit``. Fitting the same set twice gives the
    same result.
    """

    task_ids_: tuple[Identifier, ...]
    label_ids_: tuple[Identifier, ...]
    posteriors_: NDArray[np.float64]
    """P(label given annotations): (tasks, labels), rows sum to 1, ordered as the ids."""
    converged_: bool
    """Whether the last iteration gained less than the tolerance; False says that ``n_iter`` ran out."""
    n_iter_: int
    loss_history_: tuple[float, ...]
    """The objective after each iteration, per annotation; greater is better."""

    def fit(self, annotations: AnnotationSet, gold: Mapping[Any, Identifier] | None = None) -> Self:
        """Estimate everything from the annotations; the posterior of a task with gold is certain."""
        ...

    def predict(self) -> dict[Identifier, Identifier]:
        """Return the likeliest label of each task; of equals, the first in the order of ``label_ids_``.

        Raises ``NotFittedError`` before ``fit``.
        """
        likeliest = self.predict_proba().argmax(axis=1)
        return {task: self.label_ids_[label] for task, label in zip(self.task_ids_, likeliest, strict=True)}

    def predict_proba(self) -> NDArray[np.float64]:
        """Return ``posteriors_`` (tasks, labels); raises ``NotFittedError`` before ``fit``."""
        if not hasattr(self, "posteriors_"):
            raise NotFittedError(f"this {type(self).__name__} has no result yet; call fit first")
        return self.posteriors_


def check_iteration(n_iter: int, tol: float) -> None:
    """Refuse an iteration limit below one, and a tolerance that is not a finite number."""
    if n_iter < 1:
        raise InvalidParameterError(
            f"n_iter is {n_iter}; an iterative estimator needs at least one iteration"
        )
    if not np.isfinite(tol):
        raise InvalidParameterError(f"tol is {tol}; it must be a finite number")


def vote_shares(annotations: AnnotationSet, gold_codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return each task's shares of labels, one-hot where it has gold: (tasks, labels), rows sum to 1."""
    shares = vote_counts(annotations).astype(np.float64)
    known = np.flatnonzero(gold_codes >= 0)
    shares[known] = 0.0
    shares[known, gold_codes[known]] = 1.0
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def vote_counts(annotations: AnnotationSet) -> NDArray[np.int64]:
    """Return how often each task got each label: (tasks, labels)."""
    n_classes = annotations.n_classes
    cells = annotations.tasks.astype(np.int64) * n_classes + annotations.labels
    counts = np.bincount(cells, minlength=annotations.n_tasks * n_classes)
    return np.asarray(counts.reshape(annotations.n_tasks, n_classes))
