"""Masks: which pixels of an image belong to an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    Pixels that somebody marked are the tasks, in or out the classes, one share of pixels that belong
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
        """Run EM from the votes; gold is the answer, and teaches.

        Pixels of an image that the same masks have are one pattern: O(patterns x masks) per iteration, after
        one sort of the marked pixels.
        """
        check_iteration(self.n_iter, self.tol)
        images = []
        for task, places in zip(annotations.task_ids, annotations.places_by_task(), strict=True):
            known = gold[task] if gold and task in gold else None
            masks = [annotations.answers[place] for place in places]
            images.append(_Image.of(annotations.workers[places], masks, known))
        chances = [image.seen.mean(axis=0) if image.truth is None else image.truth for image in images]
        size = max(sum(len(image.seen) * int(image.pixels.sum()) for image in images), 1)
        everybody: NDArray[np.float64] | None = None
        losses, converged = list[float](), False
        while not converged and len(losses) < self.n_iter:
            right, count = np.zeros((2, annotations.n_workers)), np.zeros((2, annotations.n_workers))
            for image, chance in zip(images, chances, strict=True):
                inside, outside = image.pixels * chance, image.pixels * (1.0 - chance)
                right[:, image.workers] += image.seen @ inside, (1.0 - image.seen) @ outside
                count[:, image.workers] += np.array([[inside.sum()], [outside.sum()]])
            if everybody is None:
                # Once, from the votes: drawn anew each time it would chase its own confidence.
                everybody = (right.sum(axis=1) + 4.0) / (count.sum(axis=1) + 5.0)
            prior = _PRIOR_PIXELS * everybody[:, np.newaxis]
            rates = np.clip((right + prior) / (count + _PRIOR_PIXELS), _SMALLEST, 1.0 - _SMALLEST)
            told = float((prior * np.log(rates) + (_PRIOR_PIXELS - prior) * np.log1p(-rates)).sum())
            for place, image in enumerate(images):
                chances[place], its = image.expect(chances[place], rates)
                told += its
            losses.append(told / size)
            converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        pictures = tuple(image.picture(chance) for image, chance in zip(images, chances, strict=True))
        self.task_ids_, self.probabilities_of_pixels_ = annotations.task_ids, pictures
        self.answers_ = tuple(np.asarray(picture > 0.5) for picture in pictures)
        self.sensitivity_, self.specificity_ = rates[0].copy(), rates[1].copy()
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """The pixels of one image that somebody marked, by pattern: by who marked them, and by the truth."""

    workers: NDArray[np.int32]
    marked: Mask
    pattern_of: NDArray[np.intp]
    """(marked pixels,): the pattern of each."""
    seen: NDArray[np.float64]
    """(masks, patterns): 1 where the mask has the pattern's pixels."""
    pixels: NDArray[np.int64]
    """(patterns,): how many pixels have it."""
    truth: NDArray[np.float64] | None
    """(patterns,): 1 where gold has them."""

    @classmethod
    def of(cls, workers: NDArray[np.int32], masks: list[Mask], known: Mask | None) -> Self:
        """Sort the pixels into patterns; refuse masks of several sizes."""
        layers = masks if known is None else [*masks, known]
        for mask in layers:
            mask_distance(masks[0], mask)
        stack = np.stack(layers)
        marked = np.asarray(stack.any(axis=0))
        codes = np.ascontiguousarray(np.packbits(stack[:, marked], axis=0).T)
        _, first, pattern_of, pixels = np.unique(
            codes, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        patterns = stack[:, marked][:, first].astype(np.float64)
        truth = None if known is None else patterns[-1]
        return cls(workers, marked, pattern_of.ravel(), patterns[: len(masks)], pixels, truth)

    def expect(
        self, chance: NDArray[np.float64], rates: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """Return P(pattern belongs), and the log-likelihood; ``rates`` are (2, workers)."""
        share = (float(self.pixels @ chance) + 1.0) / (float(self.pixels.sum()) + 2.0)
        its, unseen = rates[:, self.workers], 1.0 - self.seen
        inside = np.log(share) + np.log(its[0]) @ self.seen + np.log1p(-its[0]) @ unseen
        outside = np.log1p(-share) + np.log1p(-its[1]) @ self.seen + np.log(its[1]) @ unseen
        told = float(np.log(share) + np.log1p(-share))
        if self.truth is not None:
            return self.truth, told + float(
                self.pixels @ (self.truth * inside + (1.0 - self.truth) * outside)
            )
        told += float(self.pixels @ np.logaddexp(inside, outside))
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (inside - outside)))), told

    def picture(self, chance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(pixel belongs) as the masks are shaped."""
        picture = np.zeros(self.marked.shape)
        picture[self.marked] = chance[self.pattern_of]
        return picture
