"""Sets of labels: each label on its own, asked of everybody who answered the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.base import CategoricalEstimator
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import InvalidAnnotationsError
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.aggregation.nearest import AnswerEstimator
from crowdroute.aggregation.smoothed import SmoothedDawidSkene

Labels = frozenset[str]

_ABSENT, _PRESENT = 0, 1


class BinaryRelevance(AnswerEstimator[Labels]):
    """A model of two classes for every label: does it belong to the task or not?

    M.-L. Zhang and Z.-H. Zhou, "A Review on Multi-Label Learning Algorithms", IEEE TKDE 26 (2014), section
    3.1.1. Who answered a task without a label said that it does not belong. Labels are taken for independent.
    ``make`` makes the model of one label, anew each time.

    ``label_ids_``, sorted; ``probabilities_`` (tasks, labels): P(label belongs to the task), whose rows need
    not sum to 1; ``models_``: the fitted model of each label.
    """

    label_ids_: tuple[str, ...]
    probabilities_: NDArray[np.float64]
    models_: tuple[CategoricalEstimator, ...]

    def __init__(self, make: Callable[[], CategoricalEstimator] = SmoothedDawidSkene) -> None:
        self.make = make

    def fit(self, annotations: AnswerSet[Labels], gold: Mapping[Any, Labels] | None = None) -> Self:
        """Fit the model of every label. O(labels x one fit).

        A task with gold has these labels. Raises ``InvalidAnnotationsError`` where nobody gave any label, and
        for gold that names a label nobody gave.
        """
        labels = sorted({label for answer in annotations.answers for label in answer})
        if not labels:
            raise InvalidAnnotationsError("nobody gave any label; there is nothing to choose among")
        known = {task: gold[task] for task in annotations.task_ids if gold and task in gold}
        for task, truth in known.items():
            if not truth <= set(labels):
                raise InvalidAnnotationsError(
                    f"the gold of task {task!r} names {sorted(truth - set(labels))!r}, which nobody gave;"
                    " leave it out"
                )
        models = list[CategoricalEstimator]()
        self.probabilities_ = np.empty((annotations.n_tasks, len(labels)))
        for place, label in enumerate(labels):
            given = np.array([label in answer for answer in annotations.answers], dtype=np.int32)
            asked = AnnotationSet(
                annotations.tasks,
                annotations.workers,
                given,
                annotations.task_ids,
                annotations.worker_ids,
                (_ABSENT, _PRESENT),
            )
            truth_of: dict[Any, Identifier] = {task: int(label in truth) for task, truth in known.items()}
            models.append(self.make().fit(asked, truth_of))
            self.probabilities_[:, place] = models[-1].predict_proba()[:, _PRESENT]
        self.task_ids_, self.label_ids_, self.models_ = annotations.task_ids, tuple(labels), tuple(models)
        chosen = self.probabilities_ > 0.5
        self.answers_ = tuple(frozenset(labels[place] for place in np.flatnonzero(row)) for row in chosen)
        self.converged_ = all(model.converged_ for model in models)
        self.n_iter_ = max(model.n_iter_ for model in models)
        self.loss_history_ = ()
        return self

    def predict_proba(self) -> NDArray[np.float64]:
        """Return ``probabilities_`` (tasks, labels); raises ``NotFittedError`` before ``fit``."""
        self.predict()
        return self.probabilities_


class MultiLabelVote(BinaryRelevance):
    """The labels that more than half of those who answered the task gave it."""

    def __init__(self) -> None:
        super().__init__(MajorityVote)


def jaccard_distance(one: Labels, other: Labels) -> float:
    """Return 1 - shared labels over all labels; two empty sets are the same."""
    either = len(one | other)
    return 1.0 - len(one & other) / either if either else 0.0
