"""Masks: which pixels of an image belong to an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.base import check_iteration
from crowdroute.aggregation.errors import InvalidAnnotationsError
from crowdroute.aggregation.nearest import AnswerEstimator, MergedAnswer, odds_of

Mask = NDArray[np.bool_]

_PRIOR_PIXELS = 10.0
"""Pixels that every worker's two rates begin with, at the rates of everybody."""

_SMALLEST = 1e-5
"""Keeps rates and distances off 0 and 1."""


def mask_distance(one: Mask, other: Mask) -> float:
    """Return 1 - intersection over union, 0 for two empty masks; refuse masks of two sizes."""
    if one.shape != other.shape:
        raise InvalidAnnotationsError(
            f"two masks of one task have shapes {one.shape} and {other.shape}; scale them to one image"
        )
    union = np.count_nonzero(one | other)
    return 1.0 - np.count_nonzero(one & other) / union if union else 0.0


def vote_on_pixels(masks: list[Mask], weights: NDArray[np.float64]) -> Mask:
    """Return the pixels that masks of at least half of all weight have."""
    shares = np.tensordot(weights / weights.sum(), np.stack(masks), axes=1)
    # A share that misses half by rounding alone has reached it.
    return np.asarray(shares >= 0.5 - 1e-12)


class MaskVote(MergedAnswer[Mask]):
    """Every pixel by vote, a worker weighing as much as its masks are near to those of others.

    With equal weights (``alike``) it is crowd-kit's ``SegmentationMajorityVote``: half of the votes is
    enough.
    """

    def __init__(self, weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]] = odds_of) -> None:
        super().__init__(mask_distance, vote_on_pixels, weigh=weigh)


class MaskRASA(AnswerEstimator[Mask]):
    """Within each image in turn: vote on the pixels, then weigh each mask by how near it is to the result.

    weight = ln(1 / (1 - IoU + 1e-5) + 1), as crowd-kit's ``SegmentationRASA``, whose results these are; two
    empty masks are the same here, and break it there. Nothing is learnt of a worker from other images.
    """

    def __init__(self, n_iter: int = 10, tol: float = 1e-5) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: AnswerSet[Mask], gold: Mapping[Any, Mask] | None = None) -> Self:
        """Weigh the masks of every image. O(pixels of all masks) per iteration; gold is the answer."""
        check_iteration(self.n_iter, self.tol)
        found = list[Mask]()
        self.n_iter_, self.converged_, self.loss_history_ = 0, True, ()
        for task, places in zip(annotations.task_ids, annotations.places_by_task(), strict=True):
            if gold and task in gold:
                found.append(gold[task])
                continue
            masks = [annotations.answers[place] for place in places]
            weights, last = np.full(len(masks), 1.0 / len(masks)), None
            for number in range(1, self.n_iter + 1):
                result = vote_on_pixels(masks, weights)
                shares = np.tensordot(weights, np.stack(masks), axes=1)
                weights = np.log(
                    1.0 / (np.array([mask_distance(mask, result) for mask in masks]) + _SMALLEST) + 1.0
                )
                weights /= weights.sum()
                still = last is not None and ((shares - last) ** 2).sum() <= self.tol * max(
                    (shares**2).sum(), 1e-300
                )
                self.n_iter_ = max(self.n_iter_, number)
                if still:
                    break
                last = shares
            self.converged_ &= bool(still)
            found.append(result)
        self.task_ids_, self.answers_ = annotations.task_ids, tuple(found)
        return self


class MaskEM(AnswerEstimator[Mask]):
    """Dawid-Skene over pixels: how often each worker marks what belongs, and leaves out what does not.

    ``Mask`` pixels that somebody marked are the tasks, in or out the classes, one share of pixels that belong
    per image, two rates per worker over all images, with Beta priors at the rates of everybody (the model of
    S. K. Warfield et al., "Simultaneous truth and performance level estimation (STAPLE)", IEEE TMI 23, 2004).
    Pixels that nobody marked are out and teach nothing. crowd-kit's ``SegmentationEM`` has one rate per
    worker and image, and puts each result in place of the prior, which counts every mask once per iteration;
    this does not.

    ``probabilities_of_pixels_``: of each task, P(pixel belongs), as the masks are shaped. ``sensitivity_``,
    ``specificity_`` (workers,), among pixels that somebody marked. ``loss_history_`` is the log-posterior per
    pixel and mask up to a constant; it never falls.
    """

    probabilities_of_pixels_: tuple[NDArray[np.float64], ...]
    sensitivity_: NDArray[np.float64]
    specificity_: NDArray[np.float64]

    def __init__(self, n_iter: int = 100, tol: float = 1e-6) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: AnswerSet[Mask], gold: Mapping[Any, Mask] | None = None) -> Self:
        """Run EM from the votes. O(marked pixels x masks) per iteration; gold is the answer, and teaches."""
        check_iteration(self.n_iter, self.tol)
        images = []
        for task, places in zip(annotations.task_ids, annotations.places_by_task(), strict=True):
            masks = [annotations.answers[place] for place in places]
            known = gold[task] if gold and task in gold else None
            for mask in (*masks, *(() if known is None else (known,))):
                mask_distance(masks[0], mask)
            stack = np.stack(masks)
            marked = stack.any(axis=0) if known is None else stack.any(axis=0) | known
            truth = None if known is None else known[marked].astype(np.float64)
            images.append((annotations.workers[places], stack[:, marked].astype(np.float64), marked, truth))
        chances = [seen.mean(axis=0) if truth is None else truth for _, seen, _, truth in images]
        size = max(sum(seen.size for _, seen, _, _ in images), 1)
        everybody: NDArray[np.float64] | None = None
        losses, converged = list[float](), False
        while not converged and len(losses) < self.n_iter:
            right, count = np.zeros((2, annotations.n_workers)), np.zeros((2, annotations.n_workers))
            for (workers, seen, _, _), chance in zip(images, chances, strict=True):
                right[:, workers] += seen @ chance, (1.0 - seen) @ (1.0 - chance)
                count[:, workers] += np.array([[chance.sum()], [(1.0 - chance).sum()]])
            if everybody is None:
                # Once, from the votes: drawn anew each time it would chase its own confidence.
                everybody = (right.sum(axis=1) + 4.0) / (count.sum(axis=1) + 5.0)
            prior = _PRIOR_PIXELS * everybody[:, np.newaxis]
            rates = np.clip((right + prior) / (count + _PRIOR_PIXELS), _SMALLEST, 1.0 - _SMALLEST)
            told = float((prior * np.log(rates) + (_PRIOR_PIXELS - prior) * np.log1p(-rates)).sum())
            for place, (workers, seen, _, truth) in enumerate(images):
                share = (chances[place].sum() + 1.0) / (len(chances[place]) + 2.0)
                its = rates[:, workers, np.newaxis]
                inside = np.log(share) + (seen * np.log(its[0]) + (1.0 - seen) * np.log1p(-its[0])).sum(
                    axis=0
                )
                outside = np.log1p(-share) + (seen * np.log1p(-its[1]) + (1.0 - seen) * np.log(its[1])).sum(
                    axis=0
                )
                told += float(np.log(share) + np.log1p(-share))
                if truth is None:
                    told += float(np.logaddexp(inside, outside).sum())
                    chances[place] = 0.5 * (1.0 + np.tanh(0.5 * (inside - outside)))
                else:
                    told += float((truth * inside + (1.0 - truth) * outside).sum())
            losses.append(told / size)
            converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        pictures = []
        for (_, _, marked, _), chance in zip(images, chances, strict=True):
            picture = np.zeros(marked.shape)
            picture[marked] = chance
            pictures.append(picture)
        self.task_ids_, self.probabilities_of_pixels_ = annotations.task_ids, tuple(pictures)
        self.answers_ = tuple(np.asarray(picture > 0.5) for picture in pictures)
        self.sensitivity_, self.specificity_ = rates[0].copy(), rates[1].copy()
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self
