"""Dawid-Skene with a single number per worker: how often they are right, whatever the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import vote_shares
from crowdroute.aggregation.grouping import group_by_task, right_or_wrong
from crowdroute.aggregation.iterative import IterativeEstimator, Known


class OneCoinDawidSkene(IterativeEstimator):
    """Maximum likelihood of an accuracy per worker and of the class shares, by EM from the votes.

    P(label | truth) is the worker's accuracy s where they are the same and (1 - s) / (K - 1) elsewhere: the
    homogeneous model of Y. Zhang, X. Chen, D. Zhou and M. I. Jordan, "Spectral Methods Meet EM", JMLR 17
    (2016). Good where workers have few labels per class; wrong where some classes are harder than others.

    Every convention is crowd-kit 1.4.2's, its objective and floor included (see ``DawidSkene``), hence the
    same posteriors to 1e-9 in as many iterations; it takes no gold there. An iteration is O(annotations +
    tasks K).

    ``skills_`` (workers,); ``confusion_`` (workers, truth, label) is what they imply; ``class_shares_``
    (labels,).
    """

    skills_: NDArray[np.float64]
    confusion_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]

    def __init__(self, n_iter: int = 100, tol: float = 1e-5) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        from crowdroute.aggregation.one_coin_kernels import expect_and_count
        from crowdroute.aggregation.posterior_kernels import SMALLEST

        n_classes = annotations.n_classes
        grouped = group_by_task(annotations)
        given = np.bincount(annotations.workers, minlength=annotations.n_workers).astype(np.float64)
        posteriors = vote_shares(annotations, known.gold)
        task_sums, annotation_sums = posteriors.sum(axis=0), np.zeros(n_classes)
        believed = posteriors[annotations.tasks, annotations.labels]
        right = np.bincount(annotations.workers, believed, annotations.n_workers).astype(np.float64)

        def log_class_shares() -> NDArray[np.float64]:
            return np.asarray(np.log(np.maximum(task_sums / task_sums.sum(), SMALLEST)))

        def log_labels() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            """Return ln P of the right label, and of one certain wrong one, per worker, bounded away from
            0."""
            skills = right / given
            wrong = (1.0 - skills) / max(n_classes - 1, 1)
            return (
                np.log(np.clip(skills, SMALLEST, 1.0 - SMALLEST)),
                np.log(np.clip(wrong, SMALLEST, 1.0 - SMALLEST)),
            )

        def step() -> float:
            log_right, log_wrong = log_labels()
            entropy = expect_and_count(
                *grouped,
                *known,
                log_class_shares(),
                log_right - log_wrong,
                posteriors,
                right,
                task_sums,
                annotation_sums,
            )
            log_right, log_wrong = log_labels()
            expected = float(right @ log_right + (given - right) @ log_wrong)
            expected += float(annotation_sums @ log_class_shares())
            return (expected + entropy) / len(annotations)

        self._iterate(step)
        self.posteriors_ = posteriors
        self.skills_ = np.minimum(right / given, 1.0)
        self.confusion_ = right_or_wrong(self.skills_, n_classes)
        self.class_shares_ = np.exp(log_class_shares())
