"""A Redis that is killed, frozen, emptied and put back to an old dump: what is read is right, or absent."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from tests.support.redis_server import RedisServer, redis_server

from crowdroute.router.adapters.breaker import Breaker
from crowdroute.router.adapters.redis_connecting import RedisAddress
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.ports import Kept, Owner

pytestmark = pytest.mark.cluster

ME = Owner("log", 1)
KEYS = ("a", "b", "c")
TIMEOUT_S = 0.25


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


class Hurried(Breaker):
    """A breaker that lets every call through, so that no pause hides what Redis would have said."""

    def admits(self) -> bool:
        return True


def open_directory(server: RedisServer, breaker: Breaker | None = None) -> RedisDirectory:
    return RedisDirectory(RedisAddress(server.url, timeout_seconds=TIMEOUT_S), "test", breaker)


async def answered(write: Callable[[], Awaitable[Kept]]) -> Kept:
    """Write until there is an answer: connections that a restart cut are found one by one."""
    while (kept := await write()) is Kept.UNREACHABLE:
        pass
    return kept


async def rows_of(state: Mapping[str, bytes]) -> AsyncIterator[Mapping[str, bytes]]:
    yield dict(state)


async def test_a_frozen_redis_costs_one_timeout_and_then_nothing(server: RedisServer) -> None:
    directory = open_directory(server)
    await directory.rebuild("k", ME, rows_of({"a": b"1"}))
    server.freeze()
    began = monotonic()
    assert await directory.get("k", ["a"]) == {}
    first = monotonic() - began
    began = monotonic()
    for _ in range(1000):
        assert await directory.get("k", ["a"]) == {}
        assert await directory.put("k", ME, {"a": b"2"}) is Kept.UNREACHABLE
        if directory.breaker.admits():  # the pause is over: a call would be tried
            directory.breaker.dropped()
            break
    assert monotonic() - began < first + 2 * TIMEOUT_S
    server.thaw()
    while await directory.put("k", ME, {"a": b"2"}) is not Kept.DONE:
        await asyncio.sleep(0.02)
    assert await directory.get("k", ["a"]) == {"a": b"2"}, "its rows outlive a freeze: nothing is rebuilt"
    await directory.close()


async def test_a_restart_without_a_dump_is_noticed_and_rebuilt(server: RedisServer) -> None:
    directory = open_directory(server, Hurried())
    await directory.rebuild("k", ME, rows_of({"a": b"1"}))
    server.kill()
    assert await directory.put("k", ME, {"a": b"2"}) is Kept.UNREACHABLE
    server.start()
    assert await directory.get("k", ["a"]) == {}
    assert await directory.put("k", ME, {"a": b"2"}) is Kept.LOST
    assert await directory.rebuild("k", ME, rows_of({"a": b"2"})) is Kept.DONE
    assert await directory.get("k", ["a"]) == {"a": b"2"}
    await directory.close()


async def test_a_restart_from_an_old_dump_brings_no_old_row_back(server: RedisServer) -> None:
    directory, other = open_directory(server, Hurried()), open_directory(server, Hurried())
    await directory.rebuild("k", ME, rows_of({"a": b"old"}))
    server.dump("old.rdb")
    await directory.put("k", ME, {"a": b"new"})
    server.restart_from("old.rdb")
    assert await other.get("k", ["a"]) == {}
    assert await answered(lambda: directory.put("k", ME, {})) is Kept.LOST
    await directory.close()
    await other.close()


async def test_a_dump_loaded_into_the_running_server_is_noticed_by_the_next_write(
    server: RedisServer,
) -> None:
    directory = open_directory(server, Hurried())
    await directory.rebuild("k", ME, rows_of({"a": b"old"}))
    server.dump("old.rdb")
    await directory.put("k", ME, {"a": b"new"})
    server.load("old.rdb")
    assert await directory.put("k", ME, {}) is Kept.LOST
    await directory.rebuild("k", ME, rows_of({"a": b"new"}))
    assert await directory.get("k", ["a"]) == {"a": b"new"}
    await directory.close()


async def test_rows_that_redis_evicted_are_noticed_by_the_next_write(server: RedisServer) -> None:
    directory = open_directory(server)
    await directory.rebuild("k", ME, rows_of({"a": b"1"}))
    with Redis.from_url(server.url) as beside:
        assert beside.delete(*beside.keys("test:rows:*")) == 1
    assert await directory.get("k", ["a"]) == {}
    assert await directory.put("k", ME, {}) is Kept.LOST
    await directory.close()


async def test_who_follows_learns_after_a_restart_that_anything_may_have_changed(
    server: RedisServer,
) -> None:
    directory = open_directory(server, Hurried())
    notices = directory.notices()
    first = await anext(notices)
    again = asyncio.ensure_future(anext(notices))
    with Redis.from_url(server.url) as beside:
        while beside.pubsub_numsub("test:notices") != [(b"test:notices", 1)]:
            await asyncio.sleep(0.01)
    server.kill()
    server.start()
    assert await again == first
    await notices.aclose()  # type: ignore[attr-defined]
    await directory.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(KEYS), st.binary(min_size=1, max_size=3)),
        st.tuples(st.just("delete"), st.sampled_from(KEYS)),
        st.tuples(st.sampled_from(["flush", "dump", "restart", "outage", "rebuild", "successor"])),
    ),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_what_is_read_is_of_the_present_generation_or_absent(
    shared_server: RedisServer, steps: list[tuple[str, ...]]
) -> None:
    asyncio.run(_live(shared_server, steps))


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as running:
        running.dump("old.rdb")
        yield running


async def _live(server: RedisServer, steps: list[tuple[str, ...]]) -> None:
    """Carry out what may happen, and read after every step what the state at the last write says."""
    server.flush()
    server.dump("old.rdb")
    owner = ME
    state: dict[str, bytes] = {}
    told: dict[str, bytes] = {}
    writer, reader = open_directory(server, Hurried()), open_directory(server, Hurried())

    async def put(key: str, row: bytes | None) -> None:
        nonlocal told
        if await answered(lambda: writer.put("k", owner, {key: row})) is Kept.DONE:
            told = dict(state)

    async def rebuild() -> None:
        nonlocal told
        assert await answered(lambda: writer.rebuild("k", owner, rows_of(state))) is Kept.DONE
        told = dict(state)

    await rebuild()
    server.dump("old.rdb")
    for step in steps:
        match step:
            case ("put", key, row):
                state[key] = row  # type: ignore[assignment]
                await put(key, state[key])
            case ("delete", key):
                state.pop(key, None)
                await put(key, None)
            case ("flush",):
                server.flush()
            case ("dump",):
                server.dump("old.rdb")
            case ("restart",):
                server.restart_from("old.rdb")
            case ("outage",):
                server.kill()
                assert await writer.put("k", owner, {}) is not Kept.DONE
                assert await reader.get("k", KEYS) == {}
                server.start()
            case ("rebuild",):
                await rebuild()
            case ("successor",):
                owner = Owner(owner.log, owner.epoch + 1)
                await writer.close()
                writer = open_directory(server, Hurried())
                await rebuild()
        read = await reader.get("k", KEYS)
        assert read in ({}, told), f"after {step} read {read} where {told} was told"
    if await answered(lambda: writer.put("k", owner, {})) is not Kept.DONE:
        await rebuild()
    assert await reader.get("k", KEYS) == state
    await writer.close()
    await reader.close()
