"""Texts chosen by their vectors: RASA, and HRRASA, which also looks at how far texts of one task agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.base import check_iteration
from crowdroute.aggregation.encoders import Encoder, HashingEncoder
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError
from crowdroute.aggregation.nearest import AnswerEstimator
from crowdroute.aggregation.texts import word_distance, words_of

_LEAST = 1e-5
"""Smallest sum of squared distances of a worker: one who is always at the mean is not infinitely sure."""


def word_similarity(one: str, other: str) -> float:
    """Return 1 - the word edit distance over the longer text, in 0..1."""
    return 1.0 - word_distance(words_of(one), words_of(other))


class RASA(AnswerEstimator[str]):
    """Reliability-aware sequence aggregation: the text whose vector is nearest to a weighted mean of all.

    J. Li and F. Fukumoto, "A Dataset of Crowdsourced Word Sequences: Collections and Answer Aggregation for
    Ground Truth Creation", AnnoNLP 2019. In turn: e_i = sum_w b_w e_iw / sum_w b_w, and b_w =
    chi2(1 - alpha / 2; n_w) / sum_i |e_iw - e_i|^2, n_w being the worker's texts. Nearest by the cosine; of
    equals, the first given. With the vectors of an ``encoder`` that crowd-kit is given too, weights and
    choice are crowd-kit 1.4.2's. ``tol`` is a relative square step of the mean vectors.

    ``reliability_`` (workers,): b_w, above 0; ``vectors_`` (tasks, dimensions): e_i.
    """

    reliability_: NDArray[np.float64]
    vectors_: NDArray[np.float64]

    def __init__(
        self, encoder: Encoder | None = None, alpha: float = 0.05, n_iter: int = 100, tol: float = 1e-9
    ) -> None:
        self.encoder = encoder
        self.alpha = alpha
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: AnswerSet[str], gold: Mapping[Any, str] | None = None) -> Self:
        """Weigh workers and mean vectors in turn. O(annotations x dimensions) per iteration.

        A task with gold has that text, and its vector. Raises ``InvalidAnnotationsError`` where the encoder
        does not give one finite vector per text.
        """
        check_iteration(self.n_iter, self.tol)
        if not 0.0 < self.alpha < 1.0:
            raise InvalidParameterError(f"alpha is {self.alpha}; it must lie strictly between 0 and 1")
        from scipy.special import chdtri

        encoder = HashingEncoder() if self.encoder is None else self.encoder
        vectors = _checked(encoder(annotations.answers), len(annotations))
        known = {code: gold[task] for code, task in enumerate(annotations.task_ids) if gold and task in gold}
        true_vectors = _checked(encoder(list(known.values())), len(known)) if known else None
        local = self._local(annotations, vectors)
        tasks, workers = annotations.tasks, annotations.workers
        counts = np.bincount(workers)
        quantile = chdtri(counts, self.alpha / 2)
        reliability, last, history = np.ones(annotations.n_workers), None, list[float]()
        converged = False
        while True:
            weights = reliability[workers] * local
            means = np.zeros((annotations.n_tasks, vectors.shape[1]))
            np.add.at(means, tasks, weights[:, np.newaxis] * vectors)
            means /= np.bincount(tasks, weights)[:, np.newaxis]
            if true_vectors is not None:
                means[list(known)] = true_vectors
            if last is not None:
                step = float(((means - last) ** 2).sum() / max(float((means**2).sum()), 1e-300))
                history.append(-step)
                converged = step < self.tol
            if converged or len(history) == self.n_iter:
                break
            apart = ((vectors - means[tasks]) ** 2).sum(axis=1) / local
            reliability = quantile / np.maximum(np.bincount(workers, apart), _LEAST)
            last = means
        self.task_ids_, self.reliability_, self.vectors_ = annotations.task_ids, reliability, means
        self.answers_ = tuple(
            known.get(task, annotations.answers[place])
            for task, place in enumerate(_nearest(annotations, vectors, means))
        )
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(history), tuple(history)
        return self

    def _local(self, annotations: AnswerSet[str], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each text weighs within its task: here, all the same."""
        return np.ones(len(annotations))


class HRRASA(RASA):
    """RASA, a text counting more the more it is like the other texts of its task.

    J. Li, "Crowdsourced Text Sequence Aggregation based on Hybrid Reliability and Representation", SIGIR
    2020: weights b_w g_iw, g_iw = share x mean exp(-|e - e'|^2 / (|e|^2 |e'|^2)) + (1 - share) x mean
    similarity over the others' texts e' of the task, and squared distances divided by g_iw. A text alone has
    g = 1. ``similarity`` is of two texts, in 0..1 (crowd-kit 1.4.2's hands texts to NLTK as lists of
    characters, and the whole fails with pandas 3).
    """

    def __init__(
        self,
        encoder: Encoder | None = None,
        similarity: Callable[[str, str], float] = word_similarity,
        vector_share: float = 0.5,
        alpha: float = 0.05,
        n_iter: int = 100,
        tol: float = 1e-9,
    ) -> None:
        super().__init__(encoder, alpha, n_iter, tol)
        self.similarity = similarity
        self.vector_share = vector_share

    def _local(self, annotations: AnswerSet[str], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        if not 0.0 <= self.vector_share <= 1.0:
            raise InvalidParameterError(f"vector_share is {self.vector_share}; it must lie in 0..1")
        local = np.ones(len(annotations))
        for places in annotations.places_by_task():
            if len(places) == 1:
                continue
            here = vectors[places]
            squares = (here**2).sum(axis=1)
            apart = ((here[:, np.newaxis] - here[np.newaxis]) ** 2).sum(axis=2)
            alike = np.exp(-apart / np.maximum(np.outer(squares, squares), _LEAST))
            texts = [annotations.answers[place] for place in places]
            said = np.array([[self.similarity(one, other) for other in texts] for one in texts])
            both = self.vector_share * alike + (1.0 - self.vector_share) * said
            np.fill_diagonal(both, 0.0)
            local[places] = np.maximum(both.sum(axis=1) / (len(places) - 1), _LEAST)
        return local


def _checked(vectors: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    checked = np.asarray(vectors, dtype=np.float64)
    if checked.ndim != 2 or len(checked) != count or not np.isfinite(checked).all():
        raise InvalidAnnotationsError(
            f"the encoder gave an array of shape {checked.shape} for {count} texts, or one that is not"
            " finite; it must give one vector per text"
        )
    return checked


def _nearest(
    annotations: AnswerSet[str], vectors: NDArray[np.float64], means: NDArray[np.float64]
) -> list[int]:
    """Return the place of the text nearest to its task's mean by the cosine, null vectors last."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(means, axis=1)[annotations.tasks]
    products = (vectors * means[annotations.tasks]).sum(axis=1)
    cosines = np.where(lengths > 0.0, products / np.where(lengths > 0.0, lengths, 1.0), -2.0).round(12)
    return [int(places[np.argmax(cosines[places])]) for places in annotations.places_by_task()]
