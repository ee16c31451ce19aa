"""Where a value stands in a document: keys and places in lists, from the outside in."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[\w-]+")


def write_path(path: Path) -> str:
    """Write a path as people read it, for example `quality.overlap.minimum` or `fields[0].labels[2]`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN.fullmatch(step):
            parts.append(f".{step}")
        else:
            parts.append(f"[{step[:64]!r}]")
    return "".join(parts).removeprefix(".")
