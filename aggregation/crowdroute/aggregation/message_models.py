"""KOS and M-MSR by crowd-kit, kept from its faults where they can be, and refused where they fail."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, refuse_log_odds, vote_counts
from crowdroute.aggregation.coding import Identifier, Vocabulary
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError
from crowdroute.aggregation.reference import import_crowd_kit
from crowdroute.aggregation.subsets import by_name

_LEAST_AGREEMENT = 0.7
"""Share of tasks on which a result must agree with the votes: smoothed Dawid-Skene agrees on three quarters
and more of every recorded crowd, and a result that has turned around, or is the same everywhere, on fewer."""

_MOST_WORKERS = 500
"""Of M-MSR: crowd-kit compares every two workers over all tasks, in Python."""

_MOST_ENTRIES = 20_000_000
"""Of M-MSR's dense table of workers and tasks: 160 MB."""


class _ByCrowdKit(CategoricalEstimator):
    """What the two have in common: rows in the order of names, no gold, a result that must be one."""

    def __init__(self, rng: int = 0) -> None:
        self.rng = rng

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Let crowd-kit find the labels.

        Raises ``MissingExtraError`` without the extra ``models``, ``InvalidParameterError`` for gold and
        prior log-odds, which it takes neither of, ``InvalidAnnotationsError`` where it fails on these labels.
        """
        name = type(self).__name__
        refuse_log_odds(name, prior_log_odds)
        if (annotations.gold_codes(gold) >= 0).any():
            raise InvalidParameterError(f"{name} takes no gold; leave it out, or use DawidSkene")
        self._check(annotations)
        # What it draws, it draws by row: rows in one order give one result.
        ordered = by_name(annotations)
        random = np.random.get_state()
        try:
            with warnings.catch_warnings():
                # crowd-kit calls pandas in ways that pandas deprecates: nothing its user could change.
                warnings.simplefilter("ignore")
                found = self._find(ordered, annotations.worker_ids)
        except (ArithmeticError, LookupError, ValueError, np.linalg.LinAlgError) as error:
            raise InvalidAnnotationsError(
                f"crowd-kit's {name} fails on these labels ({type(error).__name__}: {error}); use another"
                " model"
            ) from error
        finally:
            # crowd-kit seeds everybody's generator.
            np.random.set_state(random)
        row_of = {task: row for row, task in enumerate(ordered.task_ids)}
        self.posteriors_ = found[[row_of[task] for task in annotations.task_ids]]
        self._check_against_votes(annotations)
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.converged_, self.n_iter_, self.loss_history_ = True, 1, ()
        return self

    def _check(self, annotations: AnnotationSet) -> None:
        """Refuse what crowd-kit is not made for."""
        raise NotImplementedError

    def _find(self, annotations: AnnotationSet, worker_ids: Vocabulary) -> NDArray[np.float64]:
        """Return posteriors (tasks, labels); what is told of workers is in the order of ``worker_ids``."""
        raise NotImplementedError

    def _check_against_votes(self, annotations: AnnotationSet) -> None:
        counts = vote_counts(annotations)
        leads = counts == counts.max(axis=1, keepdims=True)
        agreement = float(leads[np.arange(len(leads)), self.posteriors_.argmax(axis=1)].mean())
        if agreement < _LEAST_AGREEMENT:
            raise InvalidAnnotationsError(
                f"{type(self).__name__} agrees with the votes on {agreement:.0%} of the tasks only: on these"
                " labels it has lost its direction; use another model"
            )


class KOS(_ByCrowdKit):
    """Messages between tasks and workers about how reliable each label is; two labels only.

    D. R. Karger, S. Oh and D. Shah, "Budget-Optimal Task Allocation for Reliable Crowdsourcing Systems",
    Operations Research 62 (2014), by crowd-kit. It gives labels and no probabilities: ``posteriors_`` are 0
    and 1. Made for tasks dealt out at random; refused where a task ends in a tie, on which crowd-kit fails,
    and where the result has lost its direction. ``rng`` is the seed of the first messages.
    """

    def _check(self, annotations: AnnotationSet) -> None:
        given = len(np.unique(annotations.labels))
        if given != 2:
            raise InvalidAnnotationsError(f"KOS is for two labels, and {given} were given; use another model")

    def _find(self, annotations: AnnotationSet, worker_ids: Vocabulary) -> NDArray[np.float64]:
        aggregation, pandas = import_crowd_kit()
        model = aggregation.KOS(random_state=self.rng)
        labels = model.fit_predict(_frame(annotations, pandas)).reindex(range(annotations.n_tasks))
        return np.asarray(np.eye(annotations.n_classes)[labels.to_numpy(dtype=np.int64)])


class MMSR(_ByCrowdKit):
    """Abilities that explain how often every two workers agree, extreme values left out.

    Q. Ma and A. Olshevsky, "Adversarial Crowdsourcing Through Robust Rank-One Matrix Completion", NeurIPS
    2020, by crowd-kit. The labels are ours: crowd-kit divides weighted votes by a sum of weights that may be
    negative, which turns answers around. ``weights_`` (workers,) are log-odds of being right rather than
    wrong in a certain way; ``posteriors_`` follow from them, all labels being equally frequent. ``rng`` is
    the seed of the first abilities.
    """

    weights_: NDArray[np.float64]

    def _check(self, annotations: AnnotationSet) -> None:
        workers, tasks = annotations.n_workers, annotations.n_tasks
        if len(np.unique(annotations.labels)) < 2 or workers < 2:
            raise InvalidAnnotationsError("MMSR needs two labels and two workers at least; use another model")
        if workers > _MOST_WORKERS or workers * tasks > _MOST_ENTRIES:
            raise InvalidAnnotationsError(
                f"crowd-kit's MMSR compares every two of {workers:,} workers over {tasks:,} tasks; it is for"
                f" at most {_MOST_WORKERS} workers and {_MOST_ENTRIES:,} pairs of worker and task: use"
                " another model"
            )

    def _find(self, annotations: AnnotationSet, worker_ids: Vocabulary) -> NDArray[np.float64]:
        aggregation, pandas = import_crowd_kit()
        model = aggregation.MMSR(random_state=self.rng).fit(_frame(annotations, pandas))
        weights = model.skills_.reindex(range(annotations.n_workers)).to_numpy(dtype=np.float64)
        if not np.isfinite(weights).all():
            raise ValueError("some workers have no finite weight")
        log_odds = np.zeros((annotations.n_tasks, annotations.n_classes))
        np.add.at(log_odds, (annotations.tasks, annotations.labels), weights[annotations.workers])
        code_of = {worker: code for code, worker in enumerate(annotations.worker_ids)}
        self.weights_ = weights[[code_of[worker] for worker in worker_ids]]
        posteriors = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
        return np.asarray(posteriors / posteriors.sum(axis=1, keepdims=True))


def _frame(annotations: AnnotationSet, pandas: Any) -> Any:
    return pandas.DataFrame(
        {"task": annotations.tasks, "worker": annotations.workers, "label": annotations.labels}
    )
