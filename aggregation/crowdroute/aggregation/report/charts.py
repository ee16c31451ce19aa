"""The charts of a report, each a function from figures to SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crowdroute.aggregation.report.shapes import box, dot, frame, rule, shorten, text

WIDTH, HALF = 720, 348
"""Width of a chart across the page, and of one of two beside each other, in the units of the drawing."""

_CHARACTER = 6.6
"""Width of a character of the labels, about."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """One row of a chart of intervals."""

    label: str
    value: float
    lower: float
    upper: float
    told: str
    """The figures as text."""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix to draw: ``shares`` and what to tell of each, rows by truth, columns by label."""

    name: str
    shares: Sequence[Sequence[float]]
    told: Sequence[Sequence[str]]


def histogram(title: str, shares: Sequence[float], edges: Sequence[float], told: Sequence[str]) -> str:
    """Draw the share of each bin as a column; ``edges`` (one more) are written below as percentages."""
    height, left, bottom, top = 220, 40, 30, 12
    right, room = HALF - 8, height - bottom - top
    most = max([*shares, 1e-9])
    step = (right - left) / len(shares)
    body = []
    for mark in (0.5, 1.0):
        body.append(_level(left, right, top + room * (1 - mark), f"{most * mark:.0%}"))
    for place, share in enumerate(shares):
        tall = room * share / most
        body.append(box(left + place * step + 1, top + room - tall, max(step - 2, 1), tall, "a", told[place]))
    body.append(rule(left, top + room, right, top + room, "axis"))
    for mark, anchor in ((0, "start"), (len(shares) // 2, "middle"), (len(shares), "end")):
        body.append(text(left + mark * step, height - 10, f"{edges[mark]:.0%}", "quiet", anchor))
    return frame(HALF, height, title, "".join(body))


def reliability(title: str, bins: Sequence[tuple[float, float, float, float, int]]) -> str:
    """Draw told confidence beside the share that was right: (told, right, lower, upper, tasks) per bin."""
    height, left, bottom, top = 220, 40, 30, 12
    right, room = HALF - 12, height - bottom - top
    low = min([0.5, *(told for told, *_ in bins), *(lower for _, _, lower, _, _ in bins)])
    low = int(low * 5) / 5

    def x(share: float) -> float:
        return left + (right - left) * (share - low) / (1 - low)

    def y(share: float) -> float:
        return top + room * (1 - (share - low) / (1 - low))

    body = []
    for mark in (low, (1 + low) / 2, 1.0):
        body.append(_level(left, right, y(mark), f"{mark:.0%}"))
        body.append(text(x(mark), height - 10, f"{mark:.0%}", "quiet", "middle" if mark < 1 else "end"))
    body.append(rule(x(low), y(low), x(1), y(1), "dashed"))
    most = max([count for *_, count in bins], default=1)
    for told, share, lower, upper, count in bins:
        body.append(rule(x(told), y(lower), x(told), y(upper), "line-b"))
        said = f"told {told:.1%}, right {share:.1%} of {count:,} tasks"
        body.append(dot(x(told), y(share), 2.5 + 5 * (count / most) ** 0.5, "b", said))
    return frame(HALF, height, title, "".join(body))


def whiskers(title: str, rows: Sequence[Whisker], low: float, high: float, percent: bool = True) -> str:
    """Draw values with their intervals, one row each, on one axis from ``low`` to ``high``."""
    left = min(16 + max([len(row.label) for row in rows], default=0) * _CHARACTER, 260)
    right = WIDTH - 12 - max([len(row.told) for row in rows], default=0) * _CHARACTER
    step, top, bottom = 24, 6, 26
    height = top + bottom + step * len(rows)

    def x(value: float) -> float:
        return left + (right - left) * (min(max(value, low), high) - low) / (high - low)

    body = []
    for mark in range(5):
        value = low + (high - low) * mark / 4
        body.append(rule(x(value), top, x(value), height - bottom, "grid"))
        told = f"{value:.0%}" if percent else f"{value:.2f}".rstrip("0").rstrip(".")
        body.append(text(x(value), height - 8, told, "quiet", "middle"))
    for place, row in enumerate(rows):
        y = top + step * (place + 0.5)
        kind = "a" if row.strong else "b"
        ink = "ink strong" if row.strong else "ink"
        body.append(text(left - 10, y + 4, shorten(row.label, 38), ink, "end"))
        body.append(rule(x(row.lower), y, x(row.upper), y, f"line-{kind} thick"))
        body.append(dot(x(row.value), y, 5, kind, f"{row.label}: {row.told}"))
        body.append(text(right + 12, y + 4, row.told, "quiet", "start"))
    return frame(WIDTH, height, title, "".join(body))


def caterpillar(title: str, rows: Sequence[tuple[float, float, float, str]]) -> str:
    """Draw many (value, lower, upper, name) side by side, in the order given, as dots over their
    intervals."""
    height, left, bottom, top = 240, 40, 14, 10
    right, room = WIDTH - 8, height - bottom - top
    # Fifths, so that the quarters of the axis are round.
    low = int(min([lower for _, lower, _, _ in rows], default=0.0) * 5) / 5
    step = (right - left) / max(len(rows), 1)
    thick = min(max(step * 0.6, 0.8), 10)

    def y(share: float) -> float:
        return top + room * (1 - (share - low) / (1 - low))

    body = []
    for quarter in range(5):
        mark = low + (1 - low) * quarter / 4
        body.append(_level(left, right, y(mark), f"{mark:.0%}"))
    for place, (value, lower, upper, name) in enumerate(rows):
        x = left + step * (place + 0.5)
        told = f"{name}: {value:.1%} ({lower:.1%} – {upper:.1%})"
        tall = max(y(lower) - y(upper), 0.5)
        body.append(box(x - thick / 2, y(upper), thick, tall, "band", told, min(thick / 2, 3)))
        body.append(dot(x, y(value), min(max(thick / 2, 1), 4), "a", told))
    return frame(WIDTH, height, title, "".join(body))


def pairs_of_bars(title: str, names: Sequence[str], first: Sequence[float], second: Sequence[float]) -> str:
    """Draw two shares for each name, one above the other."""
    left = min(16 + max([len(name) for name in names], default=0) * _CHARACTER, 200)
    step, top = 38, 4
    most = max([*first, *second, 1e-9])
    body = []
    for place, (name, one, other) in enumerate(zip(names, first, second, strict=True)):
        y = top + step * place
        body.append(text(left - 10, y + 20, shorten(name, 28), "ink", "end"))
        for offset, share, kind in ((4, one, "a"), (18, other, "c")):
            long = (WIDTH - left - 60) * share / most
            body.append(box(left, y + offset, max(long, 1), 11, kind, f"{name}: {share:.1%}"))
            body.append(text(left + long + 6, y + offset + 10, f"{share:.1%}", "quiet small", "start"))
    return frame(WIDTH, top + step * len(names), title, "".join(body))


def matrix(title: str, names: Sequence[str], drawn: Matrix) -> str:
    """Draw a confusion matrix: truths down, labels across, deeper where the share is larger."""
    k = len(names)
    side = min(64.0, max(26.0, 420.0 / k))
    left, top = min(20 + max(len(name) for name in names) * _CHARACTER, 150), 40
    body = [text(left + side * k / 2, 14, "label given", "quiet", "middle")]
    for place, name in enumerate(names):
        fitting = shorten(name, max(int(side / _CHARACTER), 2))
        body.append(text(left + side * (place + 0.5), top - 8, fitting, "ink", "middle"))
        body.append(text(left - 8, top + side * (place + 0.5) + 4, shorten(name, 20), "ink", "end"))
    body.append(_cells(drawn, left, top, side, 2, 4))
    if side >= 30:
        for down, row in enumerate(drawn.shares):
            for across, share in enumerate(row):
                x, y = left + side * (across + 0.5), top + side * (down + 0.5) + 4
                body.append(text(x, y, f"{share * 100:.0f}", "on-deep" if share > 0.55 else "ink", "middle"))
    return frame(left + side * k + 8, top + side * k + 8, title, "".join(body))


def small_matrices(title: str, matrices: Sequence[Matrix]) -> str:
    """Draw many confusion matrices beside each other, without names of labels."""
    across, side, gap, below = 6, 92, 28, 44
    body = []
    for place, drawn in enumerate(matrices):
        x, y = (place % across) * (side + gap) + 14, (place // across) * (side + below) + 24
        body.append(text(x, y - 8, shorten(drawn.name, 14), "ink small", "start"))
        body.append(_cells(drawn, x, y, side / len(drawn.shares), 1, 2))
    return frame(WIDTH, -(-len(matrices) // across) * (side + below), title, "".join(body))


def votes_bar(shares: Sequence[float], told: Sequence[str]) -> str:
    """Draw how the votes of one task are split, for a cell of a table."""
    width, height, x = 150.0, 12.0, 0.0
    body = []
    for place, (share, name) in enumerate(zip(shares, told, strict=True)):
        body.append(box(x, 0, max(width * share - 1, 0.5), height, f"share-{min(place, 4)}", name))
        x += width * share
    return frame(width, height, ", ".join(told), "".join(body))


def interval_bar(value: float, lower: float, upper: float) -> str:
    """Draw a share with its interval on 0..1, for a cell of a table."""
    width, height = 120.0, 12.0
    told = f"{value:.1%} ({lower:.1%} – {upper:.1%})"
    body = [
        rule(0, height / 2, width, height / 2, "grid"),
        rule(width * lower, height / 2, width * upper, height / 2, "line-a thick"),
        dot(min(max(width * value, 4), width - 4), height / 2, 4, "a", told),
    ]
    return frame(width, height, told, "".join(body))


def _cells(drawn: Matrix, left: float, top: float, side: float, gap: float, radius: float) -> str:
    body = []
    inner = max(side - gap, 0.5)
    for down, row in enumerate(drawn.shares):
        for across, share in enumerate(row):
            x, y = left + side * across + gap / 2, top + side * down + gap / 2
            kind = "a" if down == across else "b"
            body.append(box(x, y, inner, inner, "cell", "", radius))
            body.append(box(x, y, inner, inner, kind, drawn.told[down][across], radius, share))
    return "".join(body)


def _level(left: float, right: float, y: float, told: str) -> str:
    return rule(left, y, right, y, "grid") + text(left - 6, y + 4, told, "quiet", "end")
