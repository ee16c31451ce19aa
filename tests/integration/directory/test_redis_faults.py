"""A Redis that is killed, frozen, emptied and put back to an old dump: what is read is right, or absent."""

from __future__ import annotations

import asyncio
import inspect
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.redis_server import RedisServer, redis_server

from crowdroute.router.adapters import redis_directory, redis_scripts
from crowdroute.router.adapters.breaker import Breaker
from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.ports import Kept, KeyspaceOwner

pytestmark = pytest.mark.cluster

ME = KeyspaceOwner("log", 1)
KEYS = ("a", "b", "c")
TIMEOUT_S = 2.0
"""So long that a machine under load is not taken for a server that is gone."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


class Hurried(Breaker):
    """A breaker that lets every call through, so that no pause hides what Redis would have said."""

    def admits(self) -> bool:
        return True


def connect(server: RedisServer, breaker: Breaker | None = None) -> RedisDirectory:
    return RedisDirectory(RedisConnection(server.server, timeout_seconds=TIMEOUT_S), "test", breaker)


Open = Callable[..., RedisDirectory]
"""Connects to a server as `connect` does; the connection is closed when the test ends, however it ends."""


@pytest.fixture
async def open_directory() -> AsyncIterator[Open]:
    opened: list[RedisDirectory] = []

    def open_one(server: RedisServer, breaker: Breaker | None = None) -> RedisDirectory:
        opened.append(connect(server, breaker))
        return opened[-1]

    yield open_one
    for directory in opened:
        await directory.close()


async def answered(write: Callable[[], Awaitable[Kept]]) -> Kept:
    """Write until there is an answer: connections that a restart cut are found one by one."""
    while (kept := await write()) is Kept.UNREACHABLE:
        pass
    return kept


async def rows_of(state: Mapping[str, bytes]) -> AsyncIterator[Mapping[str, bytes]]:
    yield dict(state)


async def test_a_frozen_redis_costs_one_timeout_and_then_nothing(
    server: RedisServer, open_directory: Open
) -> None:
    directory = open_directory(server)
    await directory.rebuild("k", ME, rows_of({"a": b"1"}))
    server.freeze()
    began = monotonic()
    assert await directory.get("k", ["a"]) == {}
    first = monotonic() - began
    assert not directory.answers
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
    assert directory.answers
    assert await directory.get("k", ["a"]) == {"a": b"2"}, "its rows outlive a freeze: nothing is rebuilt"


async def test_a_restart_without_a_dump_is_noticed_and_rebuilt(
    server: RedisServer, open_directory: Open
) -> None:
    directory = open_directory(server, Hurried())
    await directory.rebuild("k", ME, rows_of({"a": b"1"}))
    server.kill()
    assert await directory.put("k", ME, {"a": b"2"}) is Kept.UNREACHABLE
    server.start()
    assert await directory.get("k", ["a"]) == {}
    assert await directory.put("k", ME, {"a": b"2"}) is Kept.LOST
    assert await directory.rebuild("k", ME, rows_of({"a": b"2"})) is Kept.DONE
    assert await directory.get("k", ["a"]) == {"a": b"2"}


async def test_a_restart_from_an_old_dump_brings_no_old_row_back(
    server: RedisServer, open_directory: Open
) -> None:
    directory, other = open_directory(server, Hurried()), open_directory(server, Hurried())
    await directory.rebuild("k", ME, rows_of({"a": b"old"}))
    server.dump("old.rdb")
    await directory.put("k", ME, {"a": b"new"})
    server.restart_from("old.rdb")
    assert await other.get("k", ["a"]) == {}
    assert await answered(lambda: directory.put("k", ME, {})) is Kept.LOST


async def test_a_dump_loaded_into_the_running_server_is_noticed_by_the_next_write(
    server: RedisServer,
    open_directory: Open,
) -> None:
    directory = open_directory(server, Hurried())
    await directory.rebuild("k", ME, rows_of({"a": b"old"}))
    server.dump("old.rdb")
    await directory.put("k", ME, {"a": b"new"})
    server.load("old.rdb")
    assert await directory.put("k", ME, {}) is Kept.LOST
    await directory.rebuild("k", ME, rows_of({"a": b"new"}))
    assert await directory.get("k", ["a"]) == {"a": b"new"}


async def test_an_owner_of_a_lower_epoch_takes_over_once_the_later_one_is_silent(
    server: RedisServer, open_directory: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that was copied counts its owners anew."""
    before, after = open_directory(server), open_directory(server)
    await before.rebuild("k", KeyspaceOwner("log", 50), rows_of({"a": b"1"}))
    assert await after.rebuild("k", ME, rows_of({"a": b"2"})) is Kept.SUPERSEDED
    monkeypatch.setattr(redis_directory, "STALE_US", 0)
    assert await after.rebuild("k", ME, rows_of({"a": b"2"})) is Kept.DONE


async def test_rows_that_redis_evicted_are_noticed_by_the_next_write(
    server: RedisServer, open_directory: Open
) -> None:
    directory = open_directory(server)
    await directory.rebuild("k", ME, rows_of({"a": b"1"}))
    assert server.evaluate("return redis.call('UNLINK', unpack(redis.call('KEYS', 'test:rows:*')))") == 1
    assert await directory.get("k", ["a"]) == {}
    assert await directory.put("k", ME, {}) is Kept.LOST


async def test_who_follows_learns_after_a_restart_that_anything_may_have_changed(
    server: RedisServer,
    open_directory: Open,
) -> None:
    directory = open_directory(server, Hurried())
    notices = directory.notices()
    first = await anext(notices)
    again = asyncio.ensure_future(anext(notices))
    while not server.evaluate("return #redis.call('PUBSUB', 'CHANNELS', 'test:notices')"):
        await asyncio.sleep(0.01)
    server.kill()
    server.start()
    assert await again == first
    await notices.aclose()  # type: ignore[attr-defined]


GUARDS = {
    "the server's run": (
        ("READ", "or stamp[2] ~= server()", ""),
        test_a_restart_from_an_old_dump_brings_no_old_row_back,
    ),
    "the count of writes": (
        ("WRITE", "or writes < tonumber(ARGV[5]) or writes > tonumber(ARGV[6])", ""),
        test_a_dump_loaded_into_the_running_server_is_noticed_by_the_next_write,
    ),
    "the count of rows": (
        ("WRITE", "redis.call('HLEN', rows) ~= tonumber(stamp[6])", "false"),
        test_rows_that_redis_evicted_are_noticed_by_the_next_write,
    ),
    "the age of another's beat": (
        ("BEGIN", "now_us() - tonumber(stamp[5]) <= tonumber(ARGV[5])", "true"),
        test_an_owner_of_a_lower_epoch_takes_over_once_the_later_one_is_silent,
    ),
}
"""Each guard in a script, without which a test must fail."""


@pytest.mark.parametrize("guard", GUARDS)
async def test_each_guard_of_a_stamp_is_needed(
    server: RedisServer, open_directory: Open, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    (script, sound, broken), scenario = GUARDS[guard]
    text = getattr(redis_scripts, script)
    assert sound in text
    monkeypatch.setattr(redis_scripts, script, text.replace(sound, broken))
    given = {"server": server, "open_directory": open_directory, "monkeypatch": monkeypatch}
    wanted = {name: given[name] for name in inspect.signature(scenario).parameters}
    with pytest.raises(AssertionError):
        await scenario(**wanted)


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
    writer, reader = connect(server, Hurried()), connect(server, Hurried())

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
                owner = KeyspaceOwner(owner.log, owner.epoch + 1)
                await writer.close()
                writer = connect(server, Hurried())
                await rebuild()
        read = await reader.get("k", KEYS)
        assert read in ({}, told), f"after {step} read {read} where {told} was told"
    if await answered(lambda: writer.put("k", owner, {})) is not Kept.DONE:
        await rebuild()
    assert await reader.get("k", KEYS) == state
    await writer.close()
    await reader.close()
