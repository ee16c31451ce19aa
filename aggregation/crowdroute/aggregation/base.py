"""The shape that every estimator of this library has."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError, NotFittedError

Input_contra = TypeVar("Input_contra", contravariant=True)


class Estimator(Protocol[Input_contra]):
    """Infers the true answer of every task of one set of annotations, whatever the type of answer.

    The constructor only stores its parameters; ``fit`` changes neither them nor its arguments and returns the
    estimator; results end in ``_`` and are replaced by the next ``fit``. Fitting the same set twice gives the
    same result: randomness comes from a seed or generator that is a parameter, and of a generator a copy is
    used.
    """

    task_ids_: tuple[Identifier, ...]
    converged_: bool
    """Whether the last iteration gained less than the tolerance; False says that ``n_iter`` ran out."""
    n_iter_: int
    loss_history_: tuple[float, ...]
    """The objective after each iteration, per annotation; greater is better."""

    def fit(self, annotations: Input_contra, gold: Mapping[Any, Any] | None = None) -> Self:
        """Estimate everything from the annotations; a task with gold has that answer."""
        ...

    def predict(self) -> Mapping[Identifier, Any]:
        """Return the answer of each task, in the order of ``task_ids_``; raises ``NotFittedError`` before
        ``fit``."""
        ...


class CategoricalEstimator(Estimator[AnnotationSet], Protocol):
    """Infers the true label of every task of one annotation set, with the probability of each label."""

    label_ids_: tuple[Identifier, ...]
    posteriors_: NDArray[np.float64]
    """P(label given annotations): (tasks, labels), rows sum to 1, ordered as the ids."""

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Estimate everything from the annotations; the posterior of a task with gold is certain.

        ``prior_log_odds`` (tasks, labels) is what was believed of each task before anybody labelled it, a
        model's pre-label for instance: logarithms of probabilities up to a constant per task, added to those
        of the class shares (``AnnotationSet.log_odds`` makes them). A model that has no place for them
        refuses them with ``InvalidParameterError``.
        """
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


def fresh_generator(rng: int | np.random.Generator) -> np.random.Generator:
    """Return a generator that begins as ``rng`` does, and never changes it: a seed, or a generator's copy."""
    if isinstance(rng, np.random.Generator):
        return copy.deepcopy(rng)
    if rng < 0:
        raise InvalidParameterError(f"rng is {rng}; a seed is not negative")
    return np.random.default_rng(rng)


def checked_log_odds(
    annotations: AnnotationSet, prior_log_odds: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    """Return the prior log-odds as contiguous float64; refuse a wrong shape and what is not finite."""
    if prior_log_odds is None:
        return None
    odds = np.ascontiguousarray(prior_log_odds, dtype=np.float64)
    expected = (annotations.n_tasks, annotations.n_classes)
    if odds.shape != expected:
        raise InvalidAnnotationsError(
            f"prior_log_odds has shape {odds.shape}; give one row per task and one column per label:"
            f" {expected}"
        )
    if not np.isfinite(odds).all():
        raise InvalidAnnotationsError(
            "prior_log_odds holds infinity or NaN; what is certain is gold, what is unknown is 0"
        )
    return odds


def refuse_log_odds(model: str, prior_log_odds: NDArray[np.float64] | None) -> None:
    """Say that a model has no place for prior log-odds, unless there are none."""
    if prior_log_odds is not None:
        raise InvalidParameterError(
            f"{model} counts and weighs votes and has no place for prior_log_odds; use DawidSkene or another"
            " model of probabilities"
        )


def check_iteration(n_iter: int, tol: float, least: int = 1) -> None:
    """Refuse an iteration limit below the least, and a tolerance that is not a finite number."""
    if n_iter < least:
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
