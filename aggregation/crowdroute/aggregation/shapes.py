"""Boxes, keypoints and spans: how far two answers lie apart, and what several make together.

A. Braylan, M. Marabella, O. Alonso and M. Lease, "A General Model for Aggregating Annotations Across Simple,
Complex, and Multi-Object Annotation Tasks", JAIR 78 (2023), arXiv 2312.13437: a distance per type of answer,
workers weighed by it, and parts merged that belong together.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidAnnotationsError
from crowdroute.aggregation.numeric import weighted_median

Box = tuple[float, float, float, float]
"""Left, top, width, height, in pixels."""

Boxes = tuple[Box, ...]
"""The boxes of the objects in an image, in no order."""

Points = tuple[tuple[float, float] | None, ...]
"""The places of named points in their order; None for one that cannot be seen."""

Span = tuple[int, int, str]
"""First place, place after the last, label."""

Spans = tuple[Span, ...]
"""Spans of a text, in no order."""

_SAME_OBJECT = 0.3
"""Overlap from which two workers' boxes may be of one object: below that, neighbours would be joined."""


def box_overlap(one: Box, other: Box) -> float:
    """Return intersection over union, in 0..1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0.0 or height <= 0.0:
        return float(one == other)
    shared = width * height
    return min(shared / (one[2] * one[3] + other[2] * other[3] - shared), 1.0)


def box_distance(one: Boxes, other: Boxes) -> float:
    """Return 1 - twice the overlaps of the boxes, matched as well as can be, over the number of all."""
    if not one or not other:
        return float(bool(one or other))
    overlaps = np.array([[box_overlap(a, b) for b in other] for a in one])
    return 1.0 - 2.0 * float(overlaps[_matched(overlaps)].sum()) / (len(one) + len(other))


def merge_boxes(answers: list[Boxes], weights: NDArray[np.float64]) -> Boxes:
    """Return the objects that more than half of all weight has boxed, each at the weighted median edges.

    Boxes join objects answer by answer, matched as well as can be, where they overlap enough with what the
    object is so far; an answer has one box of an object at most.
    """
    objects: list[tuple[list[Box], list[float]]] = []
    for boxes, weight in zip(answers, weights.tolist(), strict=True):
        joined: set[int] = set()
        if boxes and objects:
            so_far = [_median_box(*thing) for thing in objects]
            overlaps = np.array([[box_overlap(box, thing) for thing in so_far] for box in boxes])
            for mine, thing in zip(*_matched(overlaps), strict=True):
                if overlaps[mine, thing] >= _SAME_OBJECT:
                    objects[thing][0].append(boxes[mine])
                    objects[thing][1].append(weight)
                    joined.add(int(mine))
        objects += [([box], [weight]) for place, box in enumerate(boxes) if place not in joined]
    half = float(weights.sum()) / 2
    return tuple(sorted(_median_box(*thing) for thing in objects if sum(thing[1]) > half))


def point_distance(one: Points, other: Points) -> float:
    """Return the mean distance of the points as a share of the diagonal that holds all, in 0..1.

    A point that only one has counts 1. Raises ``InvalidAnnotationsError`` where one has more points.
    """
    _check_points([one, other])
    seen = [point for point in (*one, *other) if point is not None]
    if not one or not seen:
        return 0.0
    columns, rows = zip(*seen, strict=True)
    diagonal = math.hypot(max(columns) - min(columns), max(rows) - min(rows)) or 1.0
    apart = [
        float(a is not b) if a is None or b is None else min(math.dist(a, b) / diagonal, 1.0)
        for a, b in zip(one, other, strict=True)
    ]
    return sum(apart) / len(apart)


def merge_points(answers: list[Points], weights: NDArray[np.float64]) -> Points:
    """Return each point at its weighted median column and row; None where at least half saw none."""
    _check_points(answers)
    merged: list[tuple[float, float] | None] = []
    for places in zip(*answers, strict=True):
        kept = [(place, weight) for place, weight in zip(places, weights.tolist(), strict=True) if place]
        its = np.array([weight for _, weight in kept])
        if its.sum() <= weights.sum() / 2:
            merged.append(None)
            continue
        columns, rows = np.array([place for place, _ in kept]).T
        merged.append((weighted_median(columns, its), weighted_median(rows, its)))
    return tuple(merged)


def span_distance(one: Spans, other: Spans) -> float:
    """Return 1 - twice the shared labelled places over those of both: 1 - F1 by characters."""
    mine, others = _places(one), _places(other)
    both = len(mine) + len(others)
    return 1.0 - 2.0 * len(mine & others) / both if both else 0.0


def merge_spans(answers: list[Spans], weights: NDArray[np.float64]) -> Spans:
    """Return, label by label, the runs of places that more than half of all weight has marked.

    Spans of one label that touch or overlap become one.
    """
    marked: defaultdict[tuple[str, int], float] = defaultdict(float)
    for spans, weight in zip(answers, weights.tolist(), strict=True):
        for key in _places(spans):
            marked[key] += weight
    half = float(weights.sum()) / 2
    merged: list[Span] = []
    for label, place in sorted(key for key, weight in marked.items() if weight > half):
        if merged and merged[-1][1:] == (place, label):
            merged[-1] = (merged[-1][0], place + 1, label)
        else:
            merged.append((place, place + 1, label))
    return tuple(sorted(merged))


def _matched(overlaps: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    return rows, columns


def _median_box(boxes: list[Box], weights: list[float]) -> Box:
    left, top, width, height = np.array(boxes).T
    its = np.array(weights)
    edges = [weighted_median(edge, its) for edge in (left, top, left + width, top + height)]
    return edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1]


def _places(spans: Spans) -> set[tuple[str, int]]:
    return {(label, place) for start, end, label in spans for place in range(start, end)}


def _check_points(answers: list[Points]) -> None:
    if len({len(points) for points in answers}) > 1:
        raise InvalidAnnotationsError(
            f"answers to one task have {sorted({len(points) for points in answers})} points; give every point"
            " in each, null for one that cannot be seen"
        )
