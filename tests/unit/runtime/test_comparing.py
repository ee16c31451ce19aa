"""What differs between two logs is named: the first batch, or the content."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.histories import append, some_history

from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import LogCorrupt
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime.comparing import compare, compare_batches

Open = Callable[[str], SqliteLog]


async def test_the_first_batch_that_differs_is_named(opened: Open) -> None:
    source, short, long, other = (opened(name) for name in ("source", "short", "long", "other"))
    await some_history(source, 3)
    await some_history(short, 2)
    await some_history(long, 4)
    await append(other, b"0")
    await append(other, b"something else")
    with pytest.raises(LogCorrupt, match="batch 3 of the copy"):
        compare(source, short)
    with pytest.raises(LogCorrupt, match="goes on after batch 3"):
        compare(source, long)
    with pytest.raises(LogCorrupt, match="batch 2 of the copy"):
        compare(source, other)


async def test_a_copy_that_ends_where_comparing_begins_must_end_with_the_same_batch(opened: Open) -> None:
    source, other = opened("source"), opened("other")
    await append(source, b"one")
    await append(other, b"another")
    with pytest.raises(LogCorrupt, match="batch 1 of the copy"):
        compare_batches(source, other, 1)


async def test_keys_are_told_from_bodies(opened: Open) -> None:
    one, other = opened("one"), opened("other")
    await append(one, b"one", ContentChange("ab", b"c"))
    await append(other, b"one", ContentChange("a", b"bc"))
    with pytest.raises(LogCorrupt, match="content ab of the copy"):
        compare(one, other)


async def test_a_content_that_the_copy_has_besides_is_named(opened: Open) -> None:
    one, other = opened("one"), opened("other")
    await append(one, b"one")
    await append(other, b"one", ContentChange("erased", b"still there"))
    with pytest.raises(LogCorrupt, match="content erased of the copy"):
        compare(one, other)
