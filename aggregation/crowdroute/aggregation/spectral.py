"""A start for Dawid-Skene that does not begin from the votes: confusion matrices from moments of labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import vote_counts
from crowdroute.aggregation.errors import InvalidParameterError

_GROUPS = 3
"""Workers are pooled into so many: the method needs three views of a task that are independent given it."""

_TURNS = np.array([0, 1, 2, 2, 1, 0])
"""Which group takes the next worker, so that all three get as many labels from as good workers."""

_MOST_CLASSES = 30
"""Third moments have classes^3 entries, each a mean over all tasks."""

_LEAST = 1e-3
"""What a probability has at least: moments of few tasks may come out below 0."""

_DEGENERATE = 1e-8
"""Smallest variance of a whitened direction; below it two classes look alike to some group of workers."""

_POWER_STARTS, _POWER_STEPS = 10, 50
"""Of the tensor power method, per class; the convergence is quadratic."""


def spectral_start(annotations: AnnotationSet) -> NDArray[np.float64] | None:
    """Return posteriors (tasks, labels) from the confusion matrices of three groups of workers.

    Y. Zhang, X. Chen, D. Zhou and M. I. Jordan, "Spectral Methods Meet EM", JMLR 17 (2016), algorithm 1: the
    second and third moments of what three groups say of the same tasks have the groups' confusion matrices
    as a tensor decomposition. Here the groups' matrices give the posteriors, one matrix for all workers of a
    group. Groups depend on how many labels workers gave and how often these agree with others, never on names
    or order, unless two workers tie in both. None where the moments are degenerate: too few tasks have labels
    from all groups, or a class is too rare to be told apart. O(annotations + tasks K^3). Raises
    ``InvalidParameterError`` for more than 30 classes.
    """
    n_classes = annotations.n_classes
    if n_classes > _MOST_CLASSES:
        raise InvalidParameterError(
            f"a spectral start of {n_classes} classes takes classes^3 numbers per task; it is for at most"
            f" {_MOST_CLASSES}: leave init out"
        )
    counts = vote_counts(annotations)
    groups = _groups(annotations, counts)[annotations.workers]
    views = _views(annotations, groups)
    if views.shape[1] <= n_classes:
        return None
    generator = np.random.default_rng(0)
    found = [_confusion(views, third, generator) for third in range(_GROUPS)]
    log_shares, log_confusion = np.zeros(n_classes), np.empty((_GROUPS, n_classes, n_classes))
    for group, one in enumerate(found):
        if one is None:
            return None
        log_confusion[group] = np.log(one[0])
        log_shares += np.log(one[1]) / _GROUPS
    log_odds = np.tile(log_shares, (annotations.n_tasks, 1))
    np.add.at(log_odds, annotations.tasks, log_confusion[groups, annotations.labels])
    posteriors = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    posteriors /= posteriors.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(posteriors[:, _names(posteriors.T @ counts)])


def _groups(annotations: AnnotationSet, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each worker's group, dealt out by labels given, then by labels that others gave as well."""
    given = np.bincount(annotations.workers, minlength=annotations.n_workers)
    agreed = np.bincount(
        annotations.workers, counts[annotations.tasks, annotations.labels], annotations.n_workers
    )
    groups = np.empty(annotations.n_workers, dtype=np.int64)
    groups[np.lexsort((agreed, -given))] = np.resize(_TURNS, annotations.n_workers)
    return groups


def _views(annotations: AnnotationSet, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each group's shares of labels, for the tasks that all three labelled: (3, tasks, labels)."""
    views = np.zeros((_GROUPS, annotations.n_tasks, annotations.n_classes))
    np.add.at(views, (groups, annotations.tasks, annotations.labels), 1.0)
    views = views[:, (views.sum(axis=2) > 0.0).all(axis=0)]
    return np.asarray(views / views.sum(axis=2, keepdims=True))


def _confusion(
    views: NDArray[np.float64], third: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return P(label | truth) (labels, truths) of a group, and the class shares."""
    first, second = (view for view in range(_GROUPS) if view != third)
    n = views.shape[1]

    def cross(one: int, other: int) -> NDArray[np.float64]:
        return np.asarray(views[one].T @ views[other] / n)

    try:
        # What the other two groups say, in the words of the third.
        one = views[first] @ np.linalg.solve(cross(first, second).T, cross(third, second).T)
        other = views[second] @ np.linalg.solve(cross(second, first).T, cross(third, first).T)
    except np.linalg.LinAlgError:
        return None
    moment = one.T @ other / n
    sizes, directions = np.linalg.eigh((moment + moment.T) / 2.0)
    if not sizes.min() > _DEGENERATE:
        return None
    whitening = directions / np.sqrt(sizes)
    one, other, own = one @ whitening, other @ whitening, views[third] @ whitening
    tensor = np.stack([(one[:, [k]] * other).T @ own for k in range(one.shape[1])]) / n
    turned = [np.transpose(tensor, axes) for axes in ((0, 1, 2), (1, 2, 0), (2, 0, 1))]
    tensor = sum(each + np.transpose(each, (0, 2, 1)) for each in turned) / 6.0
    values, vectors = _eigenvectors(np.asarray(tensor), generator)
    if not values.min() > 0.0:
        return None
    matrix = (directions * np.sqrt(sizes)) @ (vectors * values)
    order = _names(matrix.T)
    matrix = np.maximum(matrix[:, order], _LEAST)
    shares = np.maximum(1.0 / values[order] ** 2, _LEAST)
    return matrix / matrix.sum(axis=0), shares / shares.sum()


def _eigenvectors(
    tensor: NDArray[np.float64], generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return eigenvalues and, as columns, eigenvectors of a symmetric tensor that has orthogonal ones.

    The power method with deflation: A. Anandkumar et al., "Tensor Decompositions for Learning Latent Variable
    Models", JMLR 15 (2014), algorithm 1.
    """
    n = len(tensor)
    values, vectors = np.empty(n), np.empty((n, n))
    for place in range(n):
        along = generator.normal(size=(_POWER_STARTS, n))
        for _ in range(_POWER_STEPS):
            along = np.einsum("ijk,sj,sk->si", tensor, along, along)
            along /= np.linalg.norm(along, axis=1, keepdims=True) + np.finfo(float).tiny
        reached = np.einsum("ijk,si,sj,sk->s", tensor, along, along, along)
        best = int(reached.argmax())
        values[place], vectors[:, place] = reached[best], along[best]
        outer = np.multiply.outer(np.outer(along[best], along[best]), along[best])
        tensor = tensor - reached[best] * outer
    return values, vectors


def _names(agreement: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which class found is which label, given (classes found, labels): the best agreement in all."""
    from scipy.optimize import linear_sum_assignment

    found, labels = linear_sum_assignment(-agreement)
    return np.asarray(found[np.argsort(labels)])
