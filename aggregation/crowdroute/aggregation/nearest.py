"""Answers of any type that has a distance: the one nearest to the others, workers near others counting
more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.base import Estimator, check_iteration
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import NotFittedError

Answer = TypeVar("Answer")

Distance = Callable[[Any, Any], float]
"""How far two answers lie apart: 0 for the same, at most 1, the same both ways."""

_PRIOR_ANSWERS = 5.0
"""Answers at which a worker's own distance counts as much as that of everybody."""


def odds_of(closeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights: closeness / (1 - closeness), none beyond 49 times or below a 49th."""
    bounded = np.clip(closeness, 0.02, 0.98)
    return np.asarray(bounded / (1.0 - bounded))


def alike(closeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same weight for every worker."""
    return np.ones_like(closeness)


class AnswerEstimator(Estimator[AnswerSet[Answer]], Generic[Answer]):
    """Infers the true answer of every task, where an answer is more than a label."""

    answers_: tuple[Answer, ...]
    """The answer of each task, in the order of ``task_ids_``."""

    def predict(self) -> dict[Identifier, Answer]:
        """Return the answer of each task; raises ``NotFittedError`` before ``fit``."""
        if not hasattr(self, "answers_"):
            raise NotFittedError(f"this {type(self).__name__} has no result yet; call fit first")
        return dict(zip(self.task_ids_, self.answers_, strict=True))


class NearestAnswer(AnswerEstimator[Answer]):
    """Of what was given for a task, the answer with the least weighted distance from the others.

    Workers whose answers lie near those of others weigh more: weight = closeness / (1 - closeness), begun
    alike and repeated until it stands still. The reliability-weighted medoid of A. Braylan and M. Lease,
    "Modeling and Aggregation of Complex Annotations via Annotation Distances", WWW 2020, and "A General Model
    for Aggregating Annotations Across Simple, Complex, and Multi-Object Annotation Tasks", JAIR 78
    (arXiv 2312.13437). A worker of few answers counts towards the crowd's closeness. Of equals, the first
    given. ``distance`` is taken of what ``key`` makes of an answer, once each.

    ``closeness_`` (workers,): 1 - mean weighted distance of the worker's answers from those of others, in
    0..1. ``distance_`` (tasks,): mean distance of the chosen answer from the others, 0 where it stands
    alone. ``spread_`` (tasks,): mean distance of every two answers. ``apart_`` (annotations,): weighted mean
    distance of each answer from the others of its task.
    """

    closeness_: NDArray[np.float64]
    distance_: NDArray[np.float64]
    spread_: NDArray[np.float64]
    apart_: NDArray[np.float64]

    def __init__(
        self,
        distance: Distance,
        key: Callable[[Answer], Any] = lambda answer: answer,
        n_iter: int = 50,
        tol: float = 1e-6,
    ) -> None:
        self.distance = distance
        self.key = key
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: AnswerSet[Answer], gold: Mapping[Any, Answer] | None = None) -> Self:
        """Compare every two answers of a task, then weigh. O(sum over tasks of their answers squared).

        A task with gold has that answer, and its workers' closeness is the nearness to it. ``tol`` is a step
        of the closeness.
        """
        check_iteration(self.n_iter, self.tol)
        keys = [self.key(answer) for answer in annotations.answers]
        groups = list(annotations.places_by_task())
        tables = [self._apart([keys[place] for place in places]) for places in groups]
        known = _known(annotations, gold)
        from_gold = {
            task: np.array([self.distance(keys[place], self.key(answer)) for place in groups[task]])
            for task, answer in known.items()
        }
        self._weigh(annotations, groups, tables, from_gold)
        self.task_ids_ = annotations.task_ids
        chosen = list[Answer]()
        self.distance_, self.spread_ = np.zeros(len(groups)), np.zeros(len(groups))
        self.apart_ = np.zeros(len(annotations))
        weights = odds_of(self.closeness_)
        for task, (places, table) in enumerate(zip(groups, tables, strict=True)):
            given = weights[annotations.workers[places]]
            apart = table @ given
            self.apart_[places] = apart / given.sum()
            best = int(np.argmin(apart.round(12)))
            chosen.append(known.get(task, annotations.answers[places[best]]))
            pairs = max(len(places) - 1, 1)
            self.distance_[task] = from_gold[task].mean() if task in from_gold else table[best].sum() / pairs
            self.spread_[task] = table.sum() / (len(places) * pairs)
        self.answers_ = tuple(chosen)
        return self

    def _apart(self, keys: list[Any]) -> NDArray[np.float64]:
        """Return the distances of every two answers of a task: (answers, answers)."""
        table = np.zeros((len(keys), len(keys)))
        for a, one in enumerate(keys):
            for b in range(a):
                table[a, b] = table[b, a] = self.distance(one, keys[b])
        return table

    def _weigh(
        self,
        annotations: AnswerSet[Answer],
        groups: list[NDArray[np.intp]],
        tables: list[NDArray[np.float64]],
        from_gold: Mapping[int, NDArray[np.float64]],
    ) -> None:
        """Find how near each worker is to the others, those who are near themselves counting more."""
        n = annotations.n_workers
        closeness, history, converged = np.full(n, 0.5), list[float](), False
        while not converged and len(history) < self.n_iter:
            weights = odds_of(closeness)
            apart, counted = np.zeros(n), np.zeros(n)
            for task, (places, table) in enumerate(zip(groups, tables, strict=True)):
                workers = annotations.workers[places]
                if task in from_gold:
                    apart[workers] += from_gold[task]
                elif len(places) > 1:
                    given = weights[workers]
                    apart[workers] += table @ given / (given.sum() - given)
                else:
                    continue
                counted[workers] += 1.0
            everybody = apart.sum() / counted.sum() if counted.any() else 0.5
            before = closeness
            closeness = 1.0 - (apart + _PRIOR_ANSWERS * everybody) / (counted + _PRIOR_ANSWERS)
            history.append(-float(everybody))
            converged = bool(np.abs(closeness - before).max() < self.tol)
        self.closeness_ = closeness
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(history), tuple(history)


class MergedAnswer(AnswerEstimator[Answer]):
    """What the answers of a task make together, each worker weighing as much as it is near to others.

    The second half of Braylan and Lease: answers are not only chosen among but merged, part by part.
    ``merge`` takes the answers of one task, the likeliest first, with their weights (positive), and makes one
    of them; ``weigh`` makes weights of the closeness that ``NearestAnswer`` finds with the same ``distance``.
    ``nearest_`` is that estimator.
    """

    nearest_: NearestAnswer[Answer]

    def __init__(
        self,
        distance: Distance,
        merge: Callable[[list[Answer], NDArray[np.float64]], Answer],
        key: Callable[[Answer], Any] = lambda answer: answer,
        weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]] = odds_of,
    ) -> None:
        self.distance = distance
        self.merge = merge
        self.key = key
        self.weigh = weigh

    def fit(self, annotations: AnswerSet[Answer], gold: Mapping[Any, Answer] | None = None) -> Self:
        """Weigh the workers, then merge task by task; a task with gold has that answer."""
        nearest = NearestAnswer(self.distance, self.key).fit(annotations, gold)
        weights = self.weigh(nearest.closeness_)
        known = _known(annotations, gold)
        merged = list[Answer]()
        for task, places in enumerate(annotations.places_by_task()):
            if task in known:
                merged.append(known[task])
                continue
            ordered = places[np.argsort(nearest.apart_[places].round(12), kind="stable")]
            given = weights[annotations.workers[ordered]]
            merged.append(self.merge([annotations.answers[place] for place in ordered], given))
        self.nearest_, self.answers_, self.task_ids_ = nearest, tuple(merged), annotations.task_ids
        self.converged_, self.n_iter_ = nearest.converged_, nearest.n_iter_
        self.loss_history_ = nearest.loss_history_
        return self


def _known(annotations: AnswerSet[Answer], gold: Mapping[Any, Answer] | None) -> dict[int, Answer]:
    """Return gold by the code of its task."""
    if not gold:
        return {}
    return {code: gold[task] for code, task in enumerate(annotations.task_ids) if task in gold}
