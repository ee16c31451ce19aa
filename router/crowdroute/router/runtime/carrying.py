"""Contents on their way from one log to another: which differ, and as many at once as there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

from crowdroute.router.ports import ContentChange

CONTENTS_AT_ONCE = 64
"""Contents read in one look: 256 MiB if every one is as large as the shard loop lets a batch's be."""


class Contents(Protocol):
    """Contents that can be walked through."""

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist."""

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Give up to `limit` contents whose keys come after `key`, in the order of their keys."""


def differences(
    source: Contents, target: Contents, keys: Iterable[str] | None = None
) -> Iterator[ContentChange]:
    """Yield the changes that make the target's contents those of the source.

    Args:
        source: whose contents are right.
        target: whose contents are looked at.
        keys: of those that may differ; None: any may, and both are read whole.
    """
    if keys is None:
        yield from _all_differences(source, target)
        return
    rest = iter(sorted(keys))
    while page := list(islice(rest, CONTENTS_AT_ONCE)):
        right, there = source.select(page), target.select(page)
        for key in page:
            if right.get(key) != there.get(key):
                yield ContentChange(key, right.get(key))


def _all_differences(source: Contents, target: Contents) -> Iterator[ContentChange]:
    key = ""
    while page := source.contents_after(key, CONTENTS_AT_ONCE):
        there = target.select([name for name, _ in page])
        yield from (ContentChange(name, body) for name, body in page if there.get(name) != body)
        key = page[-1][0]
    key = ""
    while page := target.contents_after(key, CONTENTS_AT_ONCE):
        kept = source.select([name for name, _ in page])
        yield from (ContentChange(name, None) for name, _ in page if name not in kept)
        key = page[-1][0]


def take_some(changes: Iterator[ContentChange], room: int | None) -> list[ContentChange]:
    """Take changes until they fill so many bytes; all of them for None."""
    some: list[ContentChange] = []
    size = 0
    while room is None or size < room:
        change = next(changes, None)
        if change is None:
            break
        some.append(change)
        size += len(change.body or b"") + len(change.key)
    return some
