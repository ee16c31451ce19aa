"""Votes, plain and weighed, by crowd-kit's names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation import majority_vote, weighted_votes
from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.crowdkit.frames import (
    Results,
    Unsupervised,
    annotations_of,
    by_worker,
    no_gold,
    of_workers,
)
from crowdroute.aggregation.weighted_votes import agreement_with, weighted_shares

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]


@dataclass
class MajorityVote(Results):
    """The label with the most votes, or with the highest sum of given skills."""

    on_missing_skill: Literal["error", "ignore", "value"] = "error"
    default_skill: float | None = None
    skills_: Series = field(init=False, repr=False)

    def fit(self, data: pd.DataFrame, skills: Series | None = None) -> Self:
        """Count; raises ``ValueError`` for a skill that is missing, as ``on_missing_skill`` says."""
        annotations = annotations_of(data)
        if skills is None:
            posteriors = majority_vote.MajorityVote().fit(annotations).predict_proba()
        else:
            annotations, weights = self._weights(annotations, skills)
            posteriors = weighted_shares(annotations, no_gold(annotations), weights)
        self._keep(annotations, posteriors)
        self.skills_ = by_worker(annotations, agreement_with(annotations, posteriors.argmax(axis=1)), "skill")
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
        weights = of_workers(annotations, skills)
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
        return known, of_workers(known, skills)


@dataclass
class _WithSkills(Unsupervised):
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
        if len(data) == 0:
            self._keep_nothing()
            return self
        annotations = annotations_of(data)
        weights = of_workers(annotations, self.skills_)
        if np.isnan(weights).any():
            raise ValueError("a worker has no skill; fit on labels of every worker first")
        self._keep(annotations, weighted_shares(annotations, no_gold(annotations), weights))
        return self


@dataclass
class Wawa(_WithSkills):
    """Votes weighed by agreement with the plain vote."""

    def fit(self, data: pd.DataFrame) -> Self:
        """Learn ``skills_``."""
        annotations = annotations_of(data)
        self.skills_ = by_worker(annotations, weighted_votes.Wawa().fit(annotations).skills_, "skill")
        return self


@dataclass
class ZeroBasedSkill(_WithSkills):
    """Votes weighed by agreement with the weighted vote, until that rests."""

    n_iter: int = 100
    lr_init: float = 1.0

    def fit(self, data: pd.DataFrame) -> Self:
        """Learn ``skills_``."""
        annotations = annotations_of(data)
        if self.n_iter == 0:
            skills = weighted_votes.first_skills(annotations)
        else:
            skills = weighted_votes.ZeroBasedSkill(self.n_iter, self.lr_init).fit(annotations).skills_
        self.skills_ = by_worker(annotations, skills, "skill")
        return self


@dataclass
class GoldMajorityVote(_WithSkills):
    """Votes weighed by how often each worker was right on gold."""

    def fit(self, data: pd.DataFrame, true_labels: Series | None = None) -> Self:
        """Learn ``skills_`` from gold, a series indexed by task; a task may have several truths.

        Raises ``ValueError`` where there are labels and none is of a task with gold.
        """
        import pandas as pd

        truths = pd.Series(dtype=object) if true_labels is None else true_labels.dropna()
        checked = data[data["task"].isin(truths.index)]
        if len(data) and not len(checked):
            raise ValueError("no labelled task has gold; give true_labels of some")
        if len(data):
            # Refuses what is missing or stands twice.
            annotations_of(data)
        answers = pd.MultiIndex.from_frame(checked[["task", "label"]])
        right = answers.isin(pd.MultiIndex.from_arrays([truths.index, truths]))
        workers = pd.Index(checked["worker"], name="worker")
        self.skills_ = pd.Series(right, workers, float, name="skill").groupby(level=0).mean()
        return self

    def fit_predict(self, data: pd.DataFrame, true_labels: Series | None = None) -> Series:
        """Fit, and return the weighted vote on the same labels."""
        return self.fit(data, true_labels).predict(data)

    def fit_predict_proba(self, data: pd.DataFrame, true_labels: Series | None = None) -> pd.DataFrame:
        """Fit, and return the shares of the weighted vote on the same labels."""
        return self.fit(data, true_labels).predict_proba(data)
