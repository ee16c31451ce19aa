"""A copied history is the same history; anything that is not one is refused, and nothing is written then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import AppendFailed, ConfigurationError, LogCorrupt
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime import copying
from crowdroute.router.runtime.copying import compare, contents_digest, copy_history

Open = Callable[[str], SqliteLog]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    logs: list[SqliteLog] = []

    def open_log(name: str) -> SqliteLog:
        logs.append(SqliteLog(tmp_path / name))
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()


async def append(log: SqliteLog, body: bytes, *contents: ContentChange) -> None:
    sequence, previous = log.head()
    await log.append(StoredBatch(sequence + 1, log.epoch, chain(previous, body), body), contents)


async def some_history(log: SqliteLog, batches: int = 5) -> None:
    for n in range(batches):
        await append(log, b"%d" % n, ContentChange(f"item/{n}", b"text %d" % n))


def empty_copy(source: SqliteLog, target: SqliteLog) -> SqliteLog:
    target.adopt_key(source.content_key)
    return target


async def test_a_copy_has_the_hashes_and_contents_of_its_source(opened: Open) -> None:
    source = opened("source")
    await some_history(source)
    await append(source, b"erasing", ContentChange("item/1", None))
    target = empty_copy(source, opened("target"))
    seen: list[tuple[int, int]] = []
    copied = await copy_history(source, target, lambda done, head: seen.append((done, head)))
    assert target.head() == source.head() == (copied.sequence, copied.chain)
    assert [stored.chain for stored in target.read()] == [stored.chain for stored in source.read()]
    assert target.select(["item/0", "item/1"]) == {"item/0": b"text 0"}
    assert seen == [(n, 6) for n in range(1, 7)]
    compare(source, target)


async def test_a_copied_log_is_still_a_copy_after_both_were_closed(opened: Open, tmp_path: Path) -> None:
    source = opened("source")
    await some_history(source)
    target = empty_copy(source, opened("target"))
    await copy_history(source, target)
    target.close()
    again = opened("target")
    assert again.content_key == source.content_key
    compare(source, again)


async def test_copying_again_appends_only_what_came_since(opened: Open) -> None:
    source = opened("source")
    await some_history(source)
    target = empty_copy(source, opened("target"))
    await copy_history(source, target)
    await append(source, b"more", ContentChange("item/0", b"new"), ContentChange("item/2", None))
    copied = await copy_history(source, target)
    assert (copied.batches, copied.contents) == (1, 2)
    assert (await copy_history(source, target)).batches == 0
    compare(source, target)


async def test_a_copy_that_was_interrupted_goes_on_where_it_was(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CONTENT_BYTES_PER_BATCH", 10)
    source = opened("source")
    await some_history(source)
    target = empty_copy(source, opened("target"))

    def stop(done: int, _head: int) -> None:
        if done == 3:
            raise AppendFailed("the copier was killed")

    with pytest.raises(AppendFailed, match="killed"):
        await copy_history(source, target, stop)
    assert target.head()[0] == 3
    assert (await copy_history(source, target)).batches == 2
    compare(source, target)


async def test_more_contents_than_pages_and_batches_all_arrive(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CONTENTS_AT_ONCE", 2)
    monkeypatch.setattr(copying, "CONTENT_BYTES_PER_BATCH", 1)
    source = opened("source")
    await append(source, b"one", *(ContentChange(f"item/{n}", b"x" * n) for n in range(9)))
    await append(source, b"two")
    target = empty_copy(source, opened("target"))
    assert (await copy_history(source, target)).contents == 9
    compare(source, target)


async def test_an_empty_log_is_copied_as_an_empty_log(opened: Open) -> None:
    source = opened("source")
    target = empty_copy(source, opened("target"))
    assert (await copy_history(source, target)).sequence == 0
    compare(source, target)


async def test_a_target_of_another_history_is_refused(opened: Open) -> None:
    source = opened("source")
    await some_history(source)
    other = opened("other")
    with pytest.raises(ConfigurationError, match="with a key of its own"):
        await copy_history(source, other)
    other.adopt_key(source.content_key)
    await append(other, b"its own")
    with pytest.raises(ConfigurationError, match="another history"):
        await copy_history(source, other)
    assert other.head()[0] == 1


async def test_a_target_that_went_on_is_refused(opened: Open) -> None:
    source = opened("source")
    await some_history(source)
    target = empty_copy(source, opened("target"))
    await copy_history(source, target)
    await append(target, b"served from the copy")
    with pytest.raises(ConfigurationError, match="copy the other way"):
        await copy_history(source, target)


async def test_a_log_that_holds_something_keeps_its_key(opened: Open) -> None:
    log = opened("log")
    await append(log, b"one")
    key = log.content_key
    with pytest.raises(ConfigurationError, match="not empty"):
        log.adopt_key(bytes(32))
    log.adopt_key(key)
    assert log.content_key == key


async def test_a_target_with_other_contents_is_found_out(opened: Open) -> None:
    source = opened("source")
    await append(source, b"one", ContentChange("item/1", b"text"))
    target = empty_copy(source, opened("target"))
    await append(target, b"one", ContentChange("item/1", b"forged"))
    with pytest.raises(LogCorrupt, match="item/1 differs"):
        await copy_history(source, target)
    with pytest.raises(LogCorrupt, match="contents of the copy"):
        compare(source, target)


async def test_comparing_names_the_first_batch_that_differs(opened: Open) -> None:
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


async def test_the_digest_of_contents_tells_keys_from_bodies(opened: Open) -> None:
    one, other = opened("one"), opened("other")
    await append(one, b"one", ContentChange("ab", b"c"))
    await append(other, b"one", ContentChange("a", b"bc"))
    assert contents_digest(one) != contents_digest(other)
