"""crowd-kit's single-choice classes by its own names, over this library's models.

    from crowdroute.aggregation.crowdkit import DawidSkene    # instead of crowdkit.aggregation

They take and give pandas objects: ``fit(data)`` with columns task, worker and label, then ``labels_``,
``probas_``, ``skills_``, ``errors_``, ``priors_`` as crowd-kit names and shapes them. What they leave out,
and where results differ, stands in docs/aggregation.md. A worker who labelled a task twice is refused with
``RepeatedAnnotationError``, where crowd-kit counts both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation import dawid_skene as confusion
from crowdroute.aggregation import glad, mace, majority_vote, one_coin, weighted_votes
from crowdroute.aggregation.annotations import UNKNOWN, AnnotationSet
from crowdroute.aggregation.weighted_votes import agreement_with, weighted_shares

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]

__all__ = [
    "GLAD",
    "MACE",
    "DawidSkene",
    "GoldMajorityVote",
    "MajorityVote",
    "OneCoinDawidSkene",
    "Wawa",
    "ZeroBasedSkill",
]


@dataclass
class _Results:
    """What every class has once it is fitted."""

    probas_: pd.DataFrame = field(init=False, repr=False)
    """(tasks, labels), indexed by task."""
    labels_: Series = field(init=False, repr=False)
    """The likeliest label of each task; of equals, the first in sorted order."""

    def _keep(self, annotations: AnnotationSet, posteriors: NDArray[np.float64]) -> None:
        import pandas as pd

        tasks = pd.Index(annotations.task_ids, name="task")
        labels = pd.Index(annotations.label_ids, name="label")
        self.probas_ = pd.DataFrame(posteriors, index=tasks, columns=labels)
        self.labels_ = pd.Series(labels.to_numpy()[posteriors.argmax(axis=1)], index=tasks, name="agg_label")


@dataclass
class _Unsupervised(_Results):
    """Those that need nothing but the labels."""

    def fit(self, data: pd.DataFrame) -> Self:
        """Fit to the columns task, worker and label; raises ``KeyError`` where one is missing."""
        raise NotImplementedError

    def fit_predict(self, data: pd.DataFrame) -> Series:
        """Fit, and return ``labels_``."""
        return self.fit(data).labels_

    def fit_predict_proba(self, data: pd.DataFrame) -> pd.DataFrame:
        """Fit, and return ``probas_``."""
        return self.fit(data).probas_


@dataclass
class MajorityVote(_Results):
    """The label with the most votes, or with the highest sum of given skills."""

    on_missing_skill: Literal["error", "ignore", "value"] = "error"
    default_skill: float | None = None
    skills_: Series = field(init=False, repr=False)

    def fit(self, data: pd.DataFrame, skills: Series | None = None) -> Self:
        """Count; raises ``ValueError`` for a skill that is missing, as ``on_missing_skill`` says."""
        annotations = _annotations(data)
        if skills is None:
            posteriors = majority_vote.MajorityVote().fit(annotations).predict_proba()
        else:
            annotations, weights = self._weights(annotations, skills)
            posteriors = weighted_shares(annotations, _no_gold(annotations), weights)
        self._keep(annotations, posteriors)
        self.skills_ = _by_worker(
            annotations, agreement_with(annotations, posteriors.argmax(axis=1)), "skill"
        )
        return self

    def fit_predict(self, data: pd.DataFrame, skills: Series | None = None) -> Series:
        """Fit, and return ``labels_``."""
        return self.fit(data, skills).labels_

    def fit_predict_proba(self, data: pd.DataFrame, skills: Series | None = None) -> pd.DataFrame:
        """Fit, and return ``probas_``."""
        return self.fit(data, skills).probas_

    def _weights(
        self, annotations: AnnotationSet, skills: Series
    ) -> tuple[AnnotationSet, NDArray[np.float64]]:
        if self.on_missing_skill not in ("error", "ignore", "value"):
            raise ValueError(f"on_missing_skill is {self.on_missing_skill!r}; choose error, ignore or value")
        if (self.on_missing_skill == "value") != (self.default_skill is not None):
            raise ValueError('default_skill goes with on_missing_skill="value", and only with it')
        weights = _of_workers(annotations, skills)
        missing = np.isnan(weights)
        if not missing.any():
            return annotations, weights
        if self.default_skill is not None:
            return annotations, np.where(missing, self.default_skill, weights)
        kept = ~missing[annotations.workers]
        if self.on_missing_skill == "error" or len(set(annotations.tasks[kept])) < annotations.n_tasks:
            raise ValueError(
                f"{np.count_nonzero(missing)} workers have no skill, or a task has only such workers; give"
                ' every worker one, or a default with on_missing_skill="value"'
            )
        known = annotations.select(kept)
        return known, _of_workers(known, skills)


@dataclass
class _WithSkills(_Unsupervised):
    """Those that weigh workers, learnt on some labels and applied to others."""

    skills_: Series = field(init=False, repr=False)

    def predict(self, data: pd.DataFrame) -> Series:
        """Return the weighted vote on these labels."""
        return self._apply(data).labels_

    def predict_proba(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the shares of the weighted vote on these labels."""
        return self._apply(data).probas_

    def fit_predict(self, data: pd.DataFrame) -> Series:
        """Fit, and return the weighted vote on the same labels."""
        return self.fit(data).predict(data)

    def fit_predict_proba(self, data: pd.DataFrame) -> pd.DataFrame:
        """Fit, and return the shares of the weighted vote on the same labels."""
        return self.fit(data).predict_proba(data)

    def _apply(self, data: pd.DataFrame) -> Self:
        annotations = _annotations(data)
        weights = _of_workers(annotations, self.skills_)
        if np.isnan(weights).any():
            raise ValueError("a worker has no skill; fit on labels of every worker first")
        self._keep(annotations, weighted_shares(annotations, _no_gold(annotations), weights))
        return self


@dataclass
class Wawa(_WithSkills):
    """Votes weighed by agreement with the plain vote."""

    def fit(self, data: pd.DataFrame) -> Self:
        """Learn ``skills_``."""
        annotations = _annotations(data)
        self.skills_ = _by_worker(annotations, weighted_votes.Wawa().fit(annotations).skills_, "skill")
        return self


@dataclass
class ZeroBasedSkill(_WithSkills):
    """Votes weighed by agreement with the weighted vote, until that rests."""

    n_iter: int = 100
    lr_init: float = 1.0

    def fit(self, data: pd.DataFrame) -> Self:
        """Learn ``skills_``."""
        annotations = _annotations(data)
        model = weighted_votes.ZeroBasedSkill(self.n_iter, self.lr_init).fit(annotations)
        self.skills_ = _by_worker(annotations, model.skills_, "skill")
        return self


@dataclass
class GoldMajorityVote(_WithSkills):
    """Votes weighed by how often each worker was right on gold."""

    def fit(self, data: pd.DataFrame, true_labels: Series | None = None) -> Self:
        """Learn ``skills_`` from gold, a series indexed by task."""
        annotations = _annotations(data)
        gold = annotations.gold_codes(_gold(annotations, true_labels))
        known = gold[annotations.tasks] != UNKNOWN
        if not known.any():
            raise ValueError("no labelled task has gold; give true_labels of some")
        checked = annotations.select(known)
        codes = checked.gold_codes(_gold(checked, true_labels))
        self.skills_ = _by_worker(checked, agreement_with(checked, codes), "skill")
        return self

    def fit_predict(self, data: pd.DataFrame, true_labels: Series | None = None) -> Series:
        """Fit, and return the weighted vote on the same labels."""
        return self.fit(data, true_labels).predict(data)

    def fit_predict_proba(self, data: pd.DataFrame, true_labels: Series | None = None) -> pd.DataFrame:
        """Fit, and return the shares of the weighted vote on the same labels."""
        return self.fit(data, true_labels).predict_proba(data)


@dataclass
class DawidSkene(_Results):
    """A confusion matrix per worker, by EM; equal to crowd-kit's to 1e-9 in as many iterations."""

    n_iter: int = 100
    tol: float = 1e-5
    priors_: Series = field(init=False, repr=False)
    errors_: pd.DataFrame = field(init=False, repr=False)
    """P(label | truth) indexed by worker and label, a column per truth; labels a worker gave only."""
    loss_history_: list[float] = field(init=False, repr=False)

    def fit(self, data: pd.DataFrame, true_labels: Series | None = None) -> Self:
        """Run EM; ``true_labels`` is gold indexed by task."""
        if len(data[["task", "worker", "label"]]) == 0:
            self._keep_nothing()
            return self
        annotations = _annotations(data)
        model = self._model().fit(annotations, _gold(annotations, true_labels))
        self._keep(annotations, model.predict_proba())
        self._keep_model(annotations, model)
        return self

    def fit_predict(self, data: pd.DataFrame, true_labels: Series | None = None) -> Series:
        """Fit, and return ``labels_``."""
        return self.fit(data, true_labels).labels_

    def fit_predict_proba(self, data: pd.DataFrame, true_labels: Series | None = None) -> pd.DataFrame:
        """Fit, and return ``probas_``."""
        return self.fit(data, true_labels).probas_

    def _model(self) -> confusion.DawidSkene | one_coin.OneCoinDawidSkene:
        return confusion.DawidSkene(self.n_iter, self.tol)

    def _keep_model(
        self, annotations: AnnotationSet, model: confusion.DawidSkene | one_coin.OneCoinDawidSkene
    ) -> None:
        import pandas as pd

        cells = np.unique(annotations.workers.astype(np.int64) * annotations.n_classes + annotations.labels)
        workers, labels = np.divmod(cells, annotations.n_classes)
        index = pd.MultiIndex.from_arrays(
            [
                [annotations.worker_ids[worker] for worker in workers],
                [annotations.label_ids[label] for label in labels],
            ],
            names=["worker", "label"],
        )
        self.errors_ = pd.DataFrame(
            model.confusion_[workers, :, labels], index=index, columns=pd.Index(annotations.label_ids)
        )
        labels_index = pd.Index(annotations.label_ids, name="label")
        self.priors_ = pd.Series(model.class_shares_, index=labels_index, name="prior")
        self.loss_history_ = list(model.loss_history_)

    def _keep_nothing(self) -> None:
        import pandas as pd

        self.probas_, self.errors_ = pd.DataFrame(), pd.DataFrame()
        self.labels_ = pd.Series(dtype=float, name="agg_label")
        self.priors_ = pd.Series(dtype=float, name="prior")
        self.loss_history_ = []


@dataclass
class OneCoinDawidSkene(DawidSkene):
    """An accuracy per worker, by EM; equal to crowd-kit's to 1e-9 in as many iterations."""

    skills_: Series = field(init=False, repr=False)

    def _model(self) -> one_coin.OneCoinDawidSkene:
        return one_coin.OneCoinDawidSkene(self.n_iter, self.tol)

    def _keep_model(
        self, annotations: AnnotationSet, model: confusion.DawidSkene | one_coin.OneCoinDawidSkene
    ) -> None:
        super()._keep_model(annotations, model)
        if isinstance(model, one_coin.OneCoinDawidSkene):
            self.skills_ = _by_worker(annotations, model.skills_, "skill")


@dataclass
class GLAD(_Unsupervised):
    """Abilities and difficulties, by EM; another optimiser than crowd-kit's, so close and not equal."""

    n_iter: int = 100
    tol: float = 1e-5
    alphas_: Series = field(init=False, repr=False)
    betas_: Series = field(init=False, repr=False)
    loss_history_: list[float] = field(init=False, repr=False)

    def fit(self, data: pd.DataFrame) -> Self:
        """Run EM."""
        import pandas as pd

        annotations = _annotations(data)
        model = glad.GLAD(self.n_iter, self.tol).fit(annotations)
        self._keep(annotations, model.predict_proba())
        self.alphas_ = _by_worker(annotations, model.abilities_, "alpha")
        self.betas_ = pd.Series(
            model.log_ease_, index=pd.Index(annotations.task_ids, name="task"), name="beta"
        )
        self.loss_history_ = list(model.loss_history_)
        return self


@dataclass
class MACE(_Unsupervised):
    """Who knows and who guesses, by variational Bayes; without crowd-kit's faults, so not equal to it."""

    n_restarts: int = 10
    n_iter: int = 50
    method: Literal["vb"] = "vb"
    random_state: int = 0
    spamming_: NDArray[np.float64] = field(init=False, repr=False)
    """P(guesses), P(knows) per worker, in order of first appearance: (workers, 2)."""
    thetas_: NDArray[np.float64] = field(init=False, repr=False)
    """What each worker says who guesses, labels sorted: (workers, labels)."""

    def fit(self, data: pd.DataFrame) -> Self:
        """Iterate from every start and keep the best end; raises ``ValueError`` for a method but "vb"."""
        if self.method != "vb":
            raise ValueError(f'method is {self.method!r}; only "vb", variational Bayes, is offered')
        annotations = _annotations(data)
        model = mace.MACE(self.n_restarts, self.n_iter, rng=self.random_state).fit(annotations)
        self._keep(annotations, model.predict_proba())
        self.spamming_ = np.stack([1.0 - model.competences_, model.competences_], axis=1)
        self.thetas_ = model.strategies_
        return self


def _annotations(data: pd.DataFrame) -> AnnotationSet:
    return AnnotationSet.from_table(data[["task", "worker", "label"]])


def _no_gold(annotations: AnnotationSet) -> NDArray[np.int32]:
    return annotations.gold_codes(None)


def _gold(annotations: AnnotationSet, true_labels: Series | None) -> Mapping[Any, Any]:
    if true_labels is None:
        return {}
    return {task: true_labels[task] for task in annotations.task_ids if task in true_labels.index}


def _by_worker(annotations: AnnotationSet, values: NDArray[np.float64], name: str) -> Series:
    import pandas as pd

    return pd.Series(values, index=pd.Index(annotations.worker_ids, name="worker"), name=name).sort_index()


def _of_workers(annotations: AnnotationSet, skills: Series) -> NDArray[np.float64]:
    """Return each worker's skill, NaN where there is none."""
    return np.asarray(skills.reindex(list(annotations.worker_ids)).to_numpy(dtype=np.float64))
