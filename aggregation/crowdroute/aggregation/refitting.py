"""A warm refit of the online model: sweeps over all tasks until they rest, and taking over what was found.

The two halves may run on different machines. ``refit`` nears the fixed point of leave-one-out EM on the
annotations of one moment; ``take_over`` begins a model anew from the confusion counts it found, with the
annotations of a later moment: those made since speak through the refitted matrices at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError
from crowdroute.aggregation.online import OnlineDawidSkene

MOST_SWEEPS = 30

REST = 1e-4
"""Mean total variation distance, 0 to 1: a sweep that moves the posteriors by less is the last one."""


class Evidence(NamedTuple):
    """Everything that a model rests on at one moment."""

    starts: NDArray[np.int64]
    """Where each task's annotations begin, and where the last ones end: (tasks + 1,)."""
    matrices: NDArray[np.int32]
    """Matrix row of each annotation, task by task."""
    labels: NDArray[np.int32]
    """Its label's code."""
    truths: NDArray[np.int32]
    """The class that a task is pinned to, -1 for none: (tasks,)."""
    observed: NDArray[np.float64]
    """Labels given to tasks outside the model whose class is known: (matrices, truth, label)."""


class Sweep(NamedTuple):
    """What one sweep of a refit did."""

    number: int
    """From 1 on."""
    moved: float
    """Mean total variation distance, 0 to 1, by which it moved the labelled tasks' posteriors."""


def refit(
    model: OnlineDawidSkene,
    evidence: Evidence,
    most_sweeps: int = MOST_SWEEPS,
    rest: float = REST,
) -> Iterator[Sweep]:
    """Re-estimate every task from all others until a sweep moves the posteriors by less than ``rest``; yields
    after each sweep.

    ``model`` must rest on just this evidence, and is changed. O(sweeps annotations K).

    Raises:
        InvalidParameterError: there is to be no sweep.
        OutOfRangeError: the evidence is not of this model's shape.
    """
    if most_sweeps < 1:
        raise InvalidParameterError(f"most_sweeps is {most_sweeps}; there must be at least one")
    check_evidence(model, evidence)
    labelled = np.diff(evidence.starts) > 0
    done, moved = 0, np.inf
    while done < most_sweeps and moved >= rest:
        before = model.posteriors[: model.n_tasks].copy()
        model.sweep(evidence.starts, evidence.matrices, evidence.labels, evidence.truths)
        moves = 0.5 * np.abs(model.posteriors[: model.n_tasks] - before).sum(axis=1)[labelled]
        moved = float(moves.mean()) if len(moves) else 0.0
        done += 1
        yield Sweep(done, moved)


def take_over(
    model: OnlineDawidSkene,
    evidence: Evidence,
    confusion: NDArray[np.float64],
    class_counts: NDArray[np.float64],
) -> None:
    """Begin anew from confusion counts that were found elsewhere, with this evidence.

    One step of EM from them, then one sweep in which every task is estimated from all others: the step alone
    would let each worker confirm themselves. Matrices beyond those given have the prior. O(annotations K +
    matrices K^2).

    Raises:
        OutOfRangeError: with nothing changed, when counts or evidence are not of this model's shape.
    """
    check_evidence(model, evidence)
    n_classes, given = model.n_classes, len(confusion)
    if given > model.n_matrices or confusion.shape[1:] != (n_classes, n_classes):
        raise OutOfRangeError(
            f"confusion counts of shape {confusion.shape} do not fit {model.n_matrices} matrices of"
            f" {n_classes} classes"
        )
    if class_counts.shape != (n_classes,):
        raise OutOfRangeError(f"{len(class_counts)} class counts do not fit {n_classes} classes")
    whole = np.repeat(model.prior_counts[np.newaxis], model.n_matrices, axis=0)
    whole[:given] = confusion
    posteriors = _posteriors(evidence, whole, class_counts)
    model.begin_anew(
        posteriors,
        _soft_counts(evidence, posteriors, model.n_matrices) + evidence.observed,
        np.diff(evidence.starts),
        evidence.truths,
    )
    model.sweep(evidence.starts, evidence.matrices, evidence.labels, evidence.truths)


def check_evidence(model: OnlineDawidSkene, evidence: Evidence) -> None:
    """See that evidence speaks of a model's tasks, matrices and classes alone.

    Raises:
        OutOfRangeError: it does not.
    """
    count = len(evidence.matrices)
    shaped = (
        len(evidence.starts) == model.n_tasks + 1
        and len(evidence.truths) == model.n_tasks
        and len(evidence.labels) == count
        and evidence.starts[0] == 0
        and evidence.starts[-1] == count
        and (np.diff(evidence.starts) >= 0).all()
        and evidence.observed.shape == (model.n_matrices, model.n_classes, model.n_classes)
    )
    if not shaped:
        raise OutOfRangeError(
            f"the evidence does not fit a model of {model.n_tasks} tasks, {model.n_matrices} matrices and"
            f" {model.n_classes} classes"
        )
    for name, codes, least, end in (
        ("matrix row", evidence.matrices, 0, model.n_matrices),
        ("label", evidence.labels, 0, model.n_classes),
        ("truth", evidence.truths, -1, model.n_classes),
    ):
        if len(codes) and not (codes.min() >= least and codes.max() < end):
            raise OutOfRangeError(f"a {name} of the evidence is not among the model's {end}")


def _posteriors(
    evidence: Evidence, confusion: NDArray[np.float64], class_counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    n_tasks, n_classes = len(evidence.truths), len(class_counts)
    log_shares = np.log(confusion / confusion.sum(axis=2, keepdims=True))
    tasks = np.repeat(np.arange(n_tasks), np.diff(evidence.starts))
    posteriors = np.empty((n_tasks, n_classes))
    for truth in range(n_classes):
        said = log_shares[evidence.matrices, truth, evidence.labels]
        posteriors[:, truth] = np.bincount(tasks, said, n_tasks) + np.log(class_counts[truth])
    posteriors = np.exp(posteriors - posteriors.max(axis=1, keepdims=True))
    posteriors /= posteriors.sum(axis=1, keepdims=True)
    posteriors[np.diff(evidence.starts) == 0] = 1.0 / n_classes
    pinned = np.flatnonzero(evidence.truths >= 0)
    posteriors[pinned] = np.eye(n_classes)[evidence.truths[pinned]]
    return np.asarray(posteriors)


def _soft_counts(evidence: Evidence, posteriors: NDArray[np.float64], n_matrices: int) -> NDArray[np.float64]:
    n_classes = posteriors.shape[1]
    tasks = np.repeat(np.arange(len(posteriors)), np.diff(evidence.starts))
    cells = evidence.matrices.astype(np.int64) * n_classes + evidence.labels
    counts = np.empty((n_matrices, n_classes, n_classes))
    for truth in range(n_classes):
        weights = posteriors[tasks, truth]
        counts[:, truth] = np.bincount(cells, weights, n_matrices * n_classes).reshape(n_matrices, n_classes)
    return counts
