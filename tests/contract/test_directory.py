"""What every directory must do, in this process and in a real Redis alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.redis_server import redis_server

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.ports import Directory, Kept, KeyspaceOwner, Notice

ME, NEXT, ELSEWHERE = KeyspaceOwner("log", 1), KeyspaceOwner("log", 2), KeyspaceOwner("another log", 9)
ROWS: Mapping[str, bytes] = {"a": b"1", "b": b"2"}

Open = Callable[[], Directory]
"""Another process' view of the same directory."""


@pytest.fixture(scope="module")
def redis_server_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.server


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.cluster)])
async def view(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    if request.param == "memory":
        one = MemoryDirectory()
        yield lambda: one
        return
    address = RedisConnection(request.getfixturevalue("redis_server_address"), timeout_seconds=5)
    opened: list[Directory] = []

    def open_another() -> Directory:
        opened.append(RedisDirectory(address, tmp_path.name))
        return opened[-1]

    yield open_another
    for directory in opened:
        await directory.close()


async def parts(*all_parts: Mapping[str, bytes]) -> AsyncIterator[Mapping[str, bytes]]:
    for part in all_parts:
        yield part


async def test_nothing_is_known_before_it_is_built(view: Open) -> None:
    directory = view()
    assert await directory.get("k", ["a"]) == {}
    assert await directory.put("k", ME, {"a": b"1"}) is Kept.LOST
    assert await directory.get("k", ["a"]) == {}


async def test_what_is_built_and_changed_is_read_by_everybody(view: Open) -> None:
    directory, other = view(), view()
    assert await directory.rebuild("k", ME, parts({"a": b"1"}, {"b": b"2"})) is Kept.DONE
    assert await other.get("k", ["a", "b", "absent"]) == ROWS

    assert await directory.put("k", ME, {"a": b"new", "b": None, "c": b"3"}) is Kept.DONE
    assert await other.get("k", ["a", "b", "c"]) == {"a": b"new", "c": b"3"}
    assert await other.get("another", ["a"]) == {}
    assert await other.get("k", []) == {}


async def test_a_rebuild_takes_the_place_of_all_rows(view: Open) -> None:
    directory = view()
    await directory.rebuild("k", ME, parts(ROWS))
    await directory.rebuild("k", ME, parts({"z": b"26"}))
    assert await directory.get("k", ["a", "b", "z"]) == {"z": b"26"}


async def test_many_rows_are_built_changed_and_read(view: Open) -> None:
    directory = view()
    rows = {f"row {number}": b"%d" % number for number in range(2500)}
    assert await directory.rebuild("k", ME, parts(rows)) is Kept.DONE
    assert await directory.get("k", list(rows)) == rows
    assert await directory.put("k", ME, {key: row + b"!" for key, row in rows.items()}) is Kept.DONE
    assert (await directory.get("k", ["row 2499"])) == {"row 2499": b"2499!"}


async def test_no_row_is_read_while_they_are_rebuilt(view: Open) -> None:
    directory, other = view(), view()
    await directory.rebuild("k", ME, parts(ROWS))
    read: list[dict[str, bytes]] = []

    async def looked_at() -> AsyncIterator[Mapping[str, bytes]]:
        yield {"a": b"new"}
        read.append(await other.get("k", ["a", "b"]))
        yield {"b": b"new"}

    assert await directory.rebuild("k", ME, looked_at()) is Kept.DONE
    assert read == [{}]
    assert await other.get("k", ["a", "b"]) == {"a": b"new", "b": b"new"}


async def test_a_later_owner_takes_over_and_the_earlier_one_writes_nothing_more(view: Open) -> None:
    zombie, successor = view(), view()
    await zombie.rebuild("k", ME, parts(ROWS))
    assert await successor.put("k", NEXT, {}) is Kept.LOST
    assert await successor.rebuild("k", NEXT, parts({"a": b"successor's"})) is Kept.DONE

    assert await zombie.put("k", ME, {"a": b"zombie's"}) is Kept.SUPERSEDED
    assert await zombie.rebuild("k", ME, parts(ROWS)) is Kept.SUPERSEDED
    assert await zombie.get("k", ["a", "b"]) == {"a": b"successor's"}


async def test_a_rebuild_that_was_overtaken_leaves_the_overtakers_rows(view: Open) -> None:
    slow, quick = view(), view()

    async def overtaken() -> AsyncIterator[Mapping[str, bytes]]:
        yield {"a": b"slow"}
        assert await quick.rebuild("k", NEXT, parts({"a": b"quick"})) is Kept.DONE
        yield {"b": b"slow"}

    assert await slow.rebuild("k", ME, overtaken()) in (Kept.LOST, Kept.SUPERSEDED)
    assert await slow.get("k", ["a", "b"]) == {"a": b"quick"}


async def test_another_log_is_refused_while_the_owner_lives(view: Open) -> None:
    directory, stranger = view(), view()
    await directory.rebuild("k", ME, parts(ROWS))
    assert await stranger.put("k", ELSEWHERE, {"a": b"x"}) in (Kept.LOST, Kept.FOREIGN)
    assert await stranger.rebuild("k", ELSEWHERE, parts({"a": b"x"})) is Kept.FOREIGN
    assert await directory.get("k", ["a"]) == {"a": b"1"}


async def test_the_latest_moment_at_which_somebody_was_seen_stands(view: Open) -> None:
    directory, other = view(), view()
    await directory.see("acme", {"ann": 5_000_000, "bob": 1_000_000})
    await other.see("acme", {"ann": 4_000_000, "eve": 6_000_000})
    await other.see("acme", {})
    assert await directory.seen("acme", 0) == {"ann": 5_000_000, "bob": 1_000_000, "eve": 6_000_000}
    assert await directory.seen("acme", 5_000_000) == {"ann": 5_000_000, "eve": 6_000_000}
    assert await directory.seen("another", 0) == {}


async def test_who_was_not_seen_for_long_is_forgotten(view: Open) -> None:
    directory = view()
    await directory.see("acme", {"ann": 1_000_000})
    await directory.see("acme", {"bob": 3_600 * 1_000_000})
    assert await directory.seen("acme", 0) == {"bob": 3_600 * 1_000_000}


async def test_a_bucket_is_spent_by_all_and_never_deeper_than_its_burst(view: Open) -> None:
    directory, other = view(), view()
    # So slow that nothing flows in while the test runs.
    assert await directory.settle("calls", {"ann": 4}, 1e-9, 10) == pytest.approx({"ann": 6})
    assert await other.settle("calls", {"ann": 4, "bob": 1}, 1e-9, 10) == pytest.approx({"ann": 2, "bob": 9})
    assert await directory.settle("calls", {"ann": 100}, 1e-9, 10) == pytest.approx({"ann": -10})
    assert await directory.settle("calls", {}, 1e-9, 10) == {}


async def test_changes_are_told_to_who_follows(view: Open) -> None:
    directory, other = view(), view()
    notices = other.notices()
    assert await anext(notices) == Notice("", ()), "what was before may have been missed"
    told = asyncio.ensure_future(anext(notices))
    while not told.done():  # a subscription says nothing of when it began
        await directory.rebuild("k", ME, parts(ROWS))
        await asyncio.wait([told], timeout=0.05)
    assert told.result() == Notice("k", ())

    await directory.put("k", ME, {"a": b"new", "b": None})
    while (notice := await anext(notices)) == Notice("k", ()):
        pass
    assert notice == Notice("k", ("a", "b"))
    await directory.put("k", ME, {})
    await directory.put("k", ME, {"c": b"3"})
    assert await anext(notices) == Notice("k", ("c",)), "a beat is no news"
    await notices.aclose()  # type: ignore[attr-defined]
