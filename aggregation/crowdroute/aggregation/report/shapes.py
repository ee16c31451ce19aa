"""Shapes of SVG text, coloured by the classes of the page they stand in, so that light and dark both read.

Classes: ``ink``, ``quiet`` text; ``axis``, ``grid`` lines; ``a``, ``b``, ``c`` fills of the first to third
meaning; ``line-a``, ``line-b`` strokes; ``band`` the soft fill of an interval. All text is escaped here.
"""

from __future__ import annotations

from html import escape


def frame(width: float, height: float, title: str, body: str) -> str:
    """Wrap shapes into a picture that scales with the page."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title, quote=True)}"'
        f' style="max-width:{width:g}px">{body}</svg>'
    )


def text(x: float, y: float, words: str, kind: str, anchor: str) -> str:
    """Write words at a point; ``anchor`` is start, middle or end."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def dot(x: float, y: float, radius: float, kind: str, told: str = "") -> str:
    """Draw a point; ``told`` is shown while the pointer rests on it."""
    return f'<circle class="{kind}" cx="{x:.2f}" cy="{y:.1f}" r="{radius:.2f}">{_told(told)}</circle>'


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    kind: str,
    told: str = "",
    radius: float = 2.0,
    opacity: float | None = None,
) -> str:
    """Draw a rectangle with round corners; ``told`` is shown while the pointer rests on it."""
    deep = "" if opacity is None else f' fill-opacity="{opacity:.3f}"'
    return (
        f'<rect class="{kind}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
        f' rx="{radius:g}"{deep}>{_told(told)}</rect>'
    )


def shorten(words: str, most: int) -> str:
    """Cut a text to so many characters, the last one saying that it was cut."""
    return words if len(words) <= most else words[: max(most - 1, 1)] + "…"


def _told(told: str) -> str:
    return f"<title>{escape(told)}</title>" if told else ""
