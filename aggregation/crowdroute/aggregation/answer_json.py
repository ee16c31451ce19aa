"""Masks, boxes, keypoints and spans as they are written in files: JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from crowdroute.aggregation.masks import Mask
from crowdroute.aggregation.shapes import Boxes, Points, Span, Spans

_MOST_PIXELS = 1 << 28
"""Pixels of the largest mask that is read: 256 MB, far above any photograph that people mark."""


def read_mask(value: Any) -> Mask:
    """Return the mask of a run-length code as COCO writes it: ``{"size": [rows, columns], "counts": [...]}``.

    The counts are of pixels out and in by turns, column by column. Raises ``ValueError``.
    """
    code = _json(value)
    try:
        (rows, columns), counts = code["size"], np.array(code["counts"], dtype=np.int64)
        whole = (
            type(rows) is type(columns) is int and rows > 0 and columns > 0 and rows * columns <= _MOST_PIXELS
        )
        sound = whole and counts.ndim == 1 and (counts >= 0).all() and counts.sum() == rows * columns
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'is no {{"size": [rows, columns], "counts": [...]}}: {error!r}') from error
    if not sound:
        raise ValueError("has counts that do not add up to its rows times its columns")
    pixels = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return np.ascontiguousarray(pixels.reshape(columns, rows).T)


def write_mask(mask: Mask) -> str:
    """Return the run-length code of a mask, as text."""
    pixels = mask.T.ravel()
    edges = np.flatnonzero(np.diff(pixels)) + 1
    counts = np.diff(np.concatenate([[0], edges, [len(pixels)]])).tolist()
    return json.dumps({"size": list(mask.shape), "counts": [0, *counts] if pixels[:1].any() else counts})


def read_boxes(value: Any) -> Boxes:
    """Return boxes of ``[[left, top, width, height], ...]``, or of one box alone. Raises ``ValueError``."""
    given = _list(value)
    if given and not isinstance(given[0], list):
        given = [given]
    boxes = [_numbers(box, 4, "a box is [left, top, width, height]") for box in given]
    if any(width <= 0.0 or height <= 0.0 for _, _, width, height in boxes):
        raise ValueError("holds a box whose width or height is not above 0")
    return tuple((left, top, width, height) for left, top, width, height in boxes)


def read_points(value: Any) -> Points:
    """Return points of ``[[column, row], null, ...]``. Raises ``ValueError``."""
    points: list[tuple[float, float] | None] = []
    for point in _list(value):
        if point is None:
            points.append(None)
            continue
        column, row = _numbers(point, 2, "a point is [column, row] or null")
        points.append((column, row))
    return tuple(points)


def read_spans(value: Any) -> Spans:
    """Return spans of ``[[first, after the last, label], ...]``; the label may be left out. Raises
    ``ValueError``."""
    spans: list[Span] = []
    for span in _list(value):
        sound = (
            isinstance(span, list) and len(span) in (2, 3) and all(type(place) is int for place in span[:2])
        )
        if not sound or not 0 <= span[0] < span[1] or not isinstance([*span, ""][2], str):
            raise ValueError(
                f"holds {span!r}; a span is [first, after the last] or with a label, whole numbers"
            )
        spans.append((span[0], span[1], [*span, ""][2]))
    return tuple(spans)


def write_list(answer: Boxes | Points | Spans) -> str:
    """Return boxes, points or spans as JSON text."""
    return json.dumps(answer)


def _json(value: Any) -> Any:
    if value is None:
        raise ValueError("is empty; every row needs one")
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"is not JSON ({error})") from error


def _list(value: Any) -> list[Any]:
    given = _json(value)
    if not isinstance(given, list):
        raise ValueError(f"is {given!r}; it must be a list, empty for none")
    return given


def _numbers(value: Any, count: int, what: str) -> list[float]:
    numbers = value if isinstance(value, list) and len(value) == count else ()
    sound = [float(number) for number in numbers if type(number) in (int, float) and math.isfinite(number)]
    if len(sound) != count:
        raise ValueError(f"holds {value!r}; {what}")
    return sound
