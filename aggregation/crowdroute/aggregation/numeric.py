"""Numbers and places on a scale: a weighted median, and a model of how far each worker is off."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.base import check_iteration
from crowdroute.aggregation.errors import InvalidAnnotationsError
from crowdroute.aggregation.intervals import CONFIDENCE, check_confidence
from crowdroute.aggregation.nearest import AnswerEstimator

_PRIOR_ANSWERS = 4.0
"""Answers at which a worker's own scatter counts as much as that of everybody."""

_SUREST = 0.2
"""Smallest variance of a worker, as a share of everybody's: no worker counts more than ten others. Without
it, the likelihood has no bound where one worker's answers are taken for the values themselves."""

_LEAST_SPREAD = 0.05
"""Smallest variance of values, as a share of that of all answers: tasks are asked because they differ."""

_LEAST = 1e-6
"""Smallest variance, as a share of that of all answers."""


class WeightedMedian(AnswerEstimator[float]):
    """The median of a task's answers, a worker weighing the less the farther off its answers lie.

    Alternates towards the mode of Laplace noise, P(answer | value) = exp(-|answer - value| / b_w) / (2 b_w):
    the value is the median weighted by 1 / b_w, and b_w the worker's mean distance, drawn to everybody's (an
    inverse gamma prior). Q. Li et al., "Resolving Conflicts in Heterogeneous Data by Truth Discovery and
    Source Reliability Estimation", SIGMOD 2014. The lower of two medians: the answer is always one that was
    given, hence right for places on a scale, of which only the order is meant.

    ``scatter_`` (workers,): b_w, in the unit of the answers.
    """

    scatter_: NDArray[np.float64]

    def __init__(self, n_iter: int = 50, tol: float = 1e-9) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: AnswerSet[float], gold: Mapping[Any, float] | None = None) -> Self:
        """Take medians and scatters in turn. O(annotations) per iteration after one sort.

        A task with gold has that value. ``loss_history_`` is the log-density up to a constant, per
        annotation; it never falls, and ``tol`` is a gain of it. Raises ``InvalidAnnotationsError`` for an
        answer that is not finite.
        """
        check_iteration(self.n_iter, self.tol)
        answers, known = _numbers(annotations, gold)
        tasks, workers = annotations.tasks, annotations.workers
        order = np.lexsort((answers, tasks))
        starts = np.searchsorted(tasks[order], np.arange(annotations.n_tasks))
        counts = np.bincount(workers)
        scatter, losses, converged = np.ones(annotations.n_workers), list[float](), False
        everybody, prior = None, _PRIOR_ANSWERS
        while not converged and len(losses) < self.n_iter:
            values = _medians(answers, tasks, order, starts, 1.0 / scatter[workers])
            values[known[0]] = known[1]
            off = np.abs(answers - values[tasks])
            if everybody is None:
                # Once, from plain medians: drawn anew each time it would chase its own confidence.
                everybody = float(off.mean()) or 1.0
            sums, sizes = np.bincount(workers, off) + prior * everybody, counts + prior
            scatter = sums / sizes
            losses.append(-float((sums / scatter + sizes * np.log(scatter)).sum()) / len(annotations))
            converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        self.task_ids_, self.scatter_, self.answers_ = annotations.task_ids, scatter, tuple(values.tolist())
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self


class BiasAndScatter(AnswerEstimator[float]):
    """Each worker is off by a bias of its own and scatters by its own variance about that.

    answer = value_i + bias_w + noise, value_i ~ N(mean, spread^2), bias_w ~ N(0, bias spread^2), noise
    ~ N(0, scatter_w^2): V. C. Raykar et al., "Learning From Crowds", JMLR 11 (2010), section 4, with priors,
    so that a worker of few answers is taken for one like the others. EM: given workers, the values are normal
    with precisions that add up; given those, biases and variances have closed forms. ``loss_history_`` is the
    log-likelihood of the answers, values integrated out, per annotation; the priors are not in it.

    ``deviation_`` (tasks,): standard deviation of the value; ``bias_``, ``scatter_`` (workers,), all in the
    unit of the answers.
    """

    deviation_: NDArray[np.float64]
    bias_: NDArray[np.float64]
    scatter_: NDArray[np.float64]

    def __init__(self, n_iter: int = 500, tol: float = 1e-10) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: AnswerSet[float], gold: Mapping[Any, float] | None = None) -> Self:
        """Run EM. O(annotations) per iteration.

        A task with gold has that value, without deviation. ``tol`` is a relative step of the values. Raises
        ``InvalidAnnotationsError`` for an answer that is not finite.
        """
        check_iteration(self.n_iter, self.tol)
        given, (at, truth) = _numbers(annotations, gold)
        tasks, workers = annotations.tasks, annotations.workers
        # On a scale of its own: what is added to or multiplied into the answers is so in the results.
        middle, unit = float(np.median(given)), float(given.std()) or 1.0
        answers, truth = (given - middle) / unit, (truth - middle) / unit
        counts = np.bincount(workers)
        values = np.bincount(tasks, answers) / np.bincount(tasks)
        values[at] = truth
        variance_of_values, biases = np.full(annotations.n_tasks, _LEAST), 1.0
        bias, losses, converged = np.zeros(annotations.n_workers), list[float](), False
        # Both once, from plain means: drawn anew each time, they would chase their own confidence, and
        # where workers hardly agree every value would become the mean of all.
        everybody, spread = _variances(answers, tasks)
        noise = np.full(annotations.n_workers, everybody)
        while not converged and len(losses) < self.n_iter:
            mean = float(values.mean())
            off = answers - values[tasks]
            precision = counts / noise + 1.0 / biases
            bias = np.bincount(workers, off) / noise / precision
            biases = max(float((bias**2 + 1.0 / precision).mean()), _LEAST)
            squares = (off - bias[workers]) ** 2 + variance_of_values[tasks] + (1.0 / precision)[workers]
            noise = (np.bincount(workers, squares) + _PRIOR_ANSWERS * everybody) / (counts + _PRIOR_ANSWERS)
            noise = np.maximum(noise, _SUREST * everybody)
            before = values
            weights = 1.0 / noise[workers]
            total = np.bincount(tasks, weights) + 1.0 / spread
            values = (np.bincount(tasks, weights * (answers - bias[workers])) + mean / spread) / total
            variance_of_values = 1.0 / total
            values[at], variance_of_values[at] = truth, 0.0
            losses.append(
                _log_likelihood(answers - bias[workers] - mean, tasks, weights, spread) - np.log(unit)
            )
            converged = float(np.abs(values - before).max()) < self.tol
        self.task_ids_, self.answers_ = annotations.task_ids, tuple((values * unit + middle).tolist())
        self.deviation_ = np.sqrt(variance_of_values) * unit
        self.bias_, self.scatter_ = bias * unit, np.sqrt(noise) * unit
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self

    def predict_interval(self, confidence: float = CONFIDENCE) -> NDArray[np.float64]:
        """Return where each value lies with this probability: (tasks, 2), lower and upper bound.

        Given the workers' biases and variances as they were found, so a little too narrow where workers have
        few answers. Raises ``NotFittedError`` before ``fit``.
        """
        check_confidence(confidence)
        values = np.array(list(self.predict().values()))
        reach = NormalDist().inv_cdf(0.5 + confidence / 2) * self.deviation_
        return np.column_stack([values - reach, values + reach])


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the least value that values up to it reach half of all weight with; weights are positive."""
    one = np.zeros(len(values), dtype=np.int32)
    return float(
        _medians(values, one, np.argsort(values, kind="stable"), np.zeros(1, dtype=np.intp), weights)[0]
    )


def _numbers(
    annotations: AnswerSet[float], gold: Mapping[Any, float] | None
) -> tuple[NDArray[np.float64], tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Return the answers, and the codes of tasks with gold with their values."""
    answers = np.array(annotations.answers, dtype=np.float64)
    known = {code: gold[task] for code, task in enumerate(annotations.task_ids) if gold and task in gold}
    truth = np.array(list(known.values()), dtype=np.float64)
    if not (np.isfinite(answers).all() and np.isfinite(truth).all()):
        raise InvalidAnnotationsError("an answer or gold is infinite or no number; leave it out")
    return answers, (np.array(list(known), dtype=np.intp), truth)


def _variances(answers: NDArray[np.float64], tasks: NDArray[np.int32]) -> tuple[float, float]:
    """Return the variance of answers within tasks, and that of the tasks' values, both above 0.

    The analysis of variance of one random effect, S. R. Searle, G. Casella and C. E. McCulloch, Variance
    Components (1992), section 3.6; ``answers`` have variance 1.
    """
    counts = np.bincount(tasks)
    means = np.bincount(tasks, answers) / counts
    n, n_tasks = len(answers), len(counts)
    squares_within = float(((answers - means[tasks]) ** 2).sum())
    within = squares_within / (n - n_tasks) if n > n_tasks else 1.0
    if n_tasks < 2:
        return max(within, _LEAST), 1.0
    between = float((counts * (means - answers.mean()) ** 2).sum()) / (n_tasks - 1)
    per_task = (n - float((counts**2).sum()) / n) / (n_tasks - 1)
    return max(within, _LEAST), max((between - within) / per_task, _LEAST_SPREAD)


def _medians(
    answers: NDArray[np.float64],
    tasks: NDArray[np.int32],
    order: NDArray[np.intp],
    starts: NDArray[np.intp],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return each task's lower weighted median; ``order`` sorts by task and answer."""
    sums = np.cumsum(weights[order])
    before = np.concatenate([[0.0], sums])[starts]
    half = np.bincount(tasks, weights) / 2
    # A sum that misses half by rounding alone has reached it.
    reached = sums - before[tasks[order]] >= half[tasks[order]] * (1.0 - 1e-9)
    places = np.flatnonzero(reached)
    first = places[np.searchsorted(places, starts)]
    return np.asarray(answers[order[first]])


def _log_likelihood(
    off: NDArray[np.float64], tasks: NDArray[np.int32], weights: NDArray[np.float64], spread: float
) -> float:
    """Return ln P(answers | workers) per annotation: normal with a part that a task's answers share."""
    total = np.bincount(tasks, weights) + 1.0 / spread
    shared = np.bincount(tasks, weights * off) ** 2 / total
    logs = np.log(weights).sum() - np.log(total * spread).sum() - len(off) * np.log(2 * np.pi)
    return float((logs - (weights * off**2).sum() + shared.sum()) / 2 / len(off))
