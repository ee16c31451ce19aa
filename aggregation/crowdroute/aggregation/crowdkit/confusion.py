"""Dawid-Skene and one-coin by crowd-kit's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation import dawid_skene, one_coin
from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import vote_shares
from crowdroute.aggregation.confusion_em import ConfusionSteps
from crowdroute.aggregation.crowdkit.frames import Results, annotations_of, by_worker, gold_of
from crowdroute.aggregation.iterative import Known

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]


@dataclass
class _ConfusionModel(Results):
    """What both have: iterations, and an error matrix per worker."""

    n_iter: int = 100
    tol: float = 1e-5
    priors_: Series = field(init=False, repr=False)
    errors_: pd.DataFrame = field(init=False, repr=False)
    """P(label | truth) indexed by worker and label, a column per truth; labels a worker gave only."""
    loss_history_: list[float] = field(init=False, repr=False)

    def _keep_model(
        self, annotations: AnnotationSet, model: dawid_skene.DawidSkene | one_coin.OneCoinDawidSkene
    ) -> None:
        import pandas as pd

        self._keep(annotations, model.predict_proba())
        workers, labels = _given_cells(annotations)
        self.errors_ = _errors_frame(annotations, workers, labels, model.confusion_[workers, :, labels])
        index = pd.Index(annotations.label_ids, name="label")
        self.priors_ = pd.Series(model.class_shares_, index=index, name="prior")
        self.loss_history_ = list(model.loss_history_)

    def _keep_nothing(self) -> None:
        import pandas as pd

        super()._keep_nothing()
        self.errors_ = pd.DataFrame()
        self.priors_ = pd.Series(dtype=float, name="prior")
        self.loss_history_ = []


@dataclass
class DawidSkene(_ConfusionModel):
    """A confusion matrix per worker, by EM; equal to crowd-kit's to 1e-9 in as many iterations.

    With ``initial_error_strategy`` "assign" the first error matrices are those given to ``fit``, with
    "addition" those are added, as counts, to what the votes say. They set where the iteration begins and are
    no prior: ``SmoothedDawidSkene`` has one.
    """

    initial_error_strategy: Literal["assign", "addition"] | None = None

    def fit(
        self,
        data: pd.DataFrame,
        true_labels: Series | None = None,
        initial_error: pd.DataFrame | None = None,
    ) -> Self:
        """Run EM; ``true_labels`` is gold indexed by task, ``initial_error`` shaped as ``errors_``.

        Raises ``ValueError`` for an initial error that does not fit its strategy.
        """
        if len(data[["task", "worker", "label"]]) == 0:
            self._keep_nothing()
            return self
        annotations = annotations_of(data)
        gold = gold_of(annotations, true_labels)
        first: pd.DataFrame | None = None
        if initial_error is not None and self.initial_error_strategy is not None:
            first = _first_errors(annotations, gold, initial_error, self.initial_error_strategy)
        self._keep_model(annotations, _FromErrors(self.n_iter, self.tol, first).fit(annotations, gold))
        if self.n_iter == 0 and first is not None:
            self.errors_ = first
        return self

    def fit_predict(
        self,
        data: pd.DataFrame,
        true_labels: Series | None = None,
        initial_error: pd.DataFrame | None = None,
    ) -> Series:
        """Fit, and return ``labels_``."""
        return self.fit(data, true_labels, initial_error).labels_

    def fit_predict_proba(
        self,
        data: pd.DataFrame,
        true_labels: Series | None = None,
        initial_error: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Fit, and return ``probas_``."""
        return self.fit(data, true_labels, initial_error).probas_


@dataclass
class OneCoinDawidSkene(_ConfusionModel):
    """An accuracy per worker, by EM; equal to crowd-kit's to 1e-9 in as many iterations."""

    skills_: Series = field(init=False, repr=False)

    def fit(self, data: pd.DataFrame, true_labels: Series | None = None) -> Self:
        """Run EM; ``true_labels`` is gold indexed by task."""
        if len(data[["task", "worker", "label"]]) == 0:
            self._keep_nothing()
            return self
        annotations = annotations_of(data)
        model = one_coin.OneCoinDawidSkene(self.n_iter, self.tol)
        self._keep_model(annotations, model.fit(annotations, gold_of(annotations, true_labels)))
        self.skills_ = by_worker(annotations, model.skills_, "skill")
        return self

    def fit_predict(self, data: pd.DataFrame, true_labels: Series | None = None) -> Series:
        """Fit, and return ``labels_``."""
        return self.fit(data, true_labels).labels_

    def fit_predict_proba(self, data: pd.DataFrame, true_labels: Series | None = None) -> pd.DataFrame:
        """Fit, and return ``probas_``."""
        return self.fit(data, true_labels).probas_


class _FromErrors(dawid_skene.DawidSkene):
    """Dawid-Skene that begins with given error matrices."""

    _least_iterations = 0

    def __init__(self, n_iter: int, tol: float, first: pd.DataFrame | None) -> None:
        super().__init__(n_iter, tol)
        self._first = first

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        self._annotations = annotations
        super()._fit(annotations, known)

    def _begin(self, steps: ConfusionSteps) -> None:
        if self._first is None:
            return
        workers, labels = _given_cells(self._annotations)
        rows = _errors_frame(self._annotations, workers, labels, np.zeros((len(workers), 0))).index
        table = self._first.reindex(index=rows, columns=list(self._annotations.label_ids))
        steps.log_table[workers * self._annotations.n_classes + labels] = np.log(table.to_numpy())


def _given_cells(annotations: AnnotationSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every worker and label that the worker gave, by codes, in order."""
    n_classes = annotations.n_classes
    cells = np.unique(annotations.workers.astype(np.int64) * n_classes + annotations.labels)
    workers, labels = np.divmod(cells, n_classes)
    return workers, labels


def _errors_frame(
    annotations: AnnotationSet,
    workers: NDArray[np.int64],
    labels: NDArray[np.int64],
    values: NDArray[np.float64],
) -> pd.DataFrame:
    """Return values (rows, truths) of workers and labels by code, as crowd-kit's error matrices."""
    import pandas as pd

    index = pd.MultiIndex.from_arrays(
        [
            [annotations.worker_ids[worker] for worker in workers],
            [annotations.label_ids[label] for label in labels],
        ],
        names=["worker", "label"],
    )
    return pd.DataFrame(values, index=index, columns=pd.Index(annotations.label_ids[: values.shape[1]]))


def _first_errors(
    annotations: AnnotationSet,
    gold: Mapping[Any, Any],
    initial_error: pd.DataFrame,
    strategy: Literal["assign", "addition"],
) -> pd.DataFrame:
    """Return the error matrices that the first step begins with, as crowd-kit makes them."""
    workers, labels = _given_cells(annotations)
    n_classes = annotations.n_classes
    table = np.zeros((annotations.n_workers * n_classes, n_classes))
    shares = vote_shares(annotations, annotations.gold_codes(gold))
    cells = annotations.workers.astype(np.int64) * n_classes + annotations.labels
    np.add.at(table, cells, shares[annotations.tasks])
    counts = _errors_frame(annotations, workers, labels, table[workers * n_classes + labels])
    if list(initial_error.index.names) != ["worker", "label"]:
        raise ValueError(
            f"initial_error is indexed by {list(initial_error.index.names)}; it must be by worker and label"
        )
    if strategy == "addition":
        errors = counts.add(initial_error, fill_value=0.0)
    elif strategy == "assign":
        unknown = counts.index[~counts.index.isin(initial_error.index)]
        if len(unknown):
            raise ValueError(
                f"initial_error has no row for {list(unknown[:3])}; to assign, give one for every label that"
                " a worker gave"
            )
        sums = initial_error.groupby("worker", sort=False).sum()
        if (initial_error <= 1.0).all().all() and not np.allclose(sums, 1.0):
            raise ValueError("The sum of each worker's error matrix in initial_error should be 1.0")
        errors = initial_error
    else:
        raise ValueError(f"initial_error_strategy is {strategy!r}; choose assign or addition")
    from crowdroute.aggregation.posterior_kernels import SMALLEST

    errors = errors.clip(lower=SMALLEST)
    return errors / errors.groupby("worker", sort=False).sum()
