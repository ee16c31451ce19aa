"""A copied history is the same history; anything that is not one is refused, and nothing is written then."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.histories import append, some_history

from crowdroute.router.adapters.sqlite_files import database_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.sqlite_reader import SqliteReader
from crowdroute.router.errors import AppendFailed, ConfigurationError, LogCorrupt
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime import carrying, copying
from crowdroute.router.runtime.comparing import compare
from crowdroute.router.runtime.copying import ShardCopy, copy_history

Open = Callable[[str], SqliteLog]


def empty_copy(source: SqliteLog, target: SqliteLog) -> SqliteLog:
    target.adopt_key(source.content_key)
    return target


async def test_a_copy_has_the_hashes_and_contents_of_its_source(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened("source")
    await some_history(source)
    await append(source, b"erasing", ContentChange("item/1", None))
    target = empty_copy(source, opened("target"))
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(copying, "BATCHES_AT_ONCE", 2)
    copied = await copy_history(source, target, lambda done, head: seen.append((done, head)))
    assert target.head() == source.head() == (copied.sequence, copied.chain)
    assert [stored.chain for stored in target.read()] == [stored.chain for stored in source.read()]
    assert target.select(["item/0", "item/1"]) == {"item/0": b"text 0"}
    assert seen == [(2, 6), (4, 6), (6, 6)]
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
    monkeypatch.setattr(copying, "CONTENT_BYTES_AT_ONCE", 10)
    monkeypatch.setattr(copying, "BATCHES_AT_ONCE", 1)
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
    monkeypatch.setattr(carrying, "CONTENTS_AT_ONCE", 2)
    monkeypatch.setattr(copying, "CONTENT_BYTES_AT_ONCE", 1)
    monkeypatch.setattr(copying, "BATCHES_AT_ONCE", 1)
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
    with pytest.raises(LogCorrupt, match="content item/1 of the copy"):
        compare(source, target)


@pytest.fixture
def copy(opened: Open, tmp_path: Path) -> Iterator[tuple[SqliteLog, SqliteReader, ShardCopy]]:
    """A source, who reads it beside its owner, and a copy of it."""
    source = opened("source")
    target = empty_copy(source, opened("target"))
    with (
        closing(SqliteReader(tmp_path / "source")) as beside,
        closing(SqliteReader(tmp_path / "target")) as again,
    ):
        yield source, beside, ShardCopy(target, again)


async def test_a_round_takes_what_came_since_the_last_and_looks_at_no_other_content(
    copy: tuple[SqliteLog, SqliteReader, ShardCopy], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, beside, rounds = copy
    await some_history(source)
    beside.bring()
    assert (await rounds.go_on(beside)).batches == 5
    await append(source, b"more", ContentChange("item/0", b"new"), ContentChange("item/2", None))
    looked_at: list[str] = []

    def select(keys: Iterable[str]) -> dict[str, bytes]:
        looked_at.extend(keys)
        return SqliteReader.select(beside, keys)

    monkeypatch.setattr(beside, "select", select)
    monkeypatch.setattr(beside, "contents_after", None)
    beside.bring()
    copied = await rounds.go_on(beside)
    assert (copied.batches, copied.contents, copied.sequence) == (6, 7, 6)
    assert set(looked_at) == {"item/0", "item/2"}
    await rounds.go_on(source, is_last=True)


async def test_contents_that_change_while_a_round_lasts_are_right_after_the_last(
    copy: tuple[SqliteLog, SqliteReader, ShardCopy], tmp_path: Path
) -> None:
    source, beside, rounds = copy
    await some_history(source)
    beside.bring()
    await append(source, b"erasing", ContentChange("item/0", None), ContentChange("item/4", b"new"))
    await rounds.go_on(beside)
    await append(source, b"back", ContentChange("item/0", b"back"), ContentChange("item/4", None))
    await rounds.go_on(source, is_last=True)
    with closing(SqliteReader(tmp_path / "target")) as target:
        target.bring()
        compare(source, target)


async def test_a_round_without_batches_leaves_to_the_next_what_changed_meanwhile(
    copy: tuple[SqliteLog, SqliteReader, ShardCopy], tmp_path: Path
) -> None:
    source, beside, rounds = copy
    await some_history(source)
    beside.bring()
    await rounds.go_on(beside)
    await append(source, b"erasing", ContentChange("item/0", None))
    await rounds.go_on(beside)  # whose head is still the one before
    await rounds.go_on(source, is_last=True)
    with closing(SqliteReader(tmp_path / "target")) as target:
        assert target.select(["item/0"]) == {}


@pytest.mark.parametrize("is_last", [False, True])
async def test_a_content_that_arrives_as_another_one_is_found_out(
    copy: tuple[SqliteLog, SqliteReader, ShardCopy], monkeypatch: pytest.MonkeyPatch, is_last: bool
) -> None:
    source, beside, rounds = copy
    await some_history(source)
    beside.bring()
    monkeypatch.setattr(rounds._again, "select", lambda keys: dict.fromkeys(keys, b"damaged"))
    with pytest.raises(LogCorrupt, match="content item/0 of the copy"):
        await rounds.go_on(source if is_last else beside, is_last=is_last)


async def test_when_too_much_changed_to_be_told_all_contents_are_looked_at_again(
    copy: tuple[SqliteLog, SqliteReader, ShardCopy], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, beside, rounds = copy
    await some_history(source)
    beside.bring()
    await rounds.go_on(beside)
    await append(source, b"erasing", ContentChange("item/0", None))
    with monkeypatch.context() as forgotten:
        forgotten.setattr(beside, "touched", lambda _mark: None)
        beside.bring()
        assert (await rounds.go_on(beside)).contents == 6
    await rounds.go_on(source, is_last=True)


async def test_the_last_round_forgives_nothing(
    copy: tuple[SqliteLog, SqliteReader, ShardCopy], tmp_path: Path
) -> None:
    source, beside, rounds = copy
    await some_history(source)
    beside.bring()
    await rounds.go_on(beside)
    rounds._owed = {"item/3"}
    with closing(sqlite3.connect(database_path(tmp_path / "target"), isolation_level=None)) as other:
        other.execute("DELETE FROM content WHERE key = 'item/3'")
    with pytest.raises(LogCorrupt, match="content item/3 of the copy"):
        await rounds.go_on(source, is_last=True)
