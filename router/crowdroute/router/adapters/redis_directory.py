"""The directory in Redis; see `redis_scripts` for how it is laid out there.

Every call has a deadline and goes through a circuit breaker, so that a Redis that is slow, frozen or gone
costs at most one deadline per pause and nothing else. What a script did whose answer never came is unknown:
writes say the same again, and the count of writes allows for either.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import structlog

from crowdroute.router.adapters import redis_scripts as scripts
from crowdroute.router.adapters.breaker import Breaker
from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.ports import Kept, KeyspaceOwner, Notice

STALE_US = 10_000_000
"""An owner who did not write for so long is gone, and its rows are not told any more: ten beats."""

LIFETIME_MS = 3_600_000
"""Everything goes by itself an hour after its owner does, so that no namespace grows for ever."""

STAGING_MS = 60_000
"""For the rows of a rebuild that nobody finishes."""

BUCKET_MS = 120_000
"""A bucket that was full for long is no different from none."""

SEEN_US = 900 * 1_000_000
"""Who was seen longer ago is forgotten."""

MOST_ROWS = 1000
"""Rows per script: what Redis does in about a millisecond, and others wait for."""

NOTICE_SECONDS = 0.5
"""How long a reader of notices waits before it asks whether anybody is there."""

SILENCE_SECONDS = 2.0
"""After so long without an answer a reader of notices connects anew."""

EVERYTHING = Notice("", ())

_log = structlog.get_logger("crowdroute.directory")


class Keyspace(NamedTuple):
    """How a keyspace stands, for people."""

    name: str
    state: Literal["present", "rebuilding", "absent"]
    """Whether its rows are read: absent are those whose owner is gone, or that an old dump brought back."""
    rows: int
    epoch: int
    """The ownership of the log under which it was written."""
    age_seconds: float
    """Since its owner wrote last."""


class _Built:
    """What this process wrote into a keyspace."""

    __slots__ = ("fewest", "generation", "most", "owner")

    def __init__(self, owner: KeyspaceOwner, generation: str) -> None:
        self.owner = owner
        self.generation = generation
        self.fewest = 0
        self.most = 0


class RedisDirectory:
    """Shares with every process that has the same namespace."""

    has_others = True

    def __init__(self, connection: RedisConnection, namespace: str, breaker: Breaker | None = None) -> None:
        """Connect to nobody yet.

        Args:
            connection: where, and as whom.
            namespace: beginning of every key.
            breaker: decides when to leave Redis alone; None for one of its own.
        """
        self._connection = connection
        self._namespace = namespace
        self._client = connection.client()
        self.breaker = breaker or Breaker()
        self._built: dict[str, _Built] = {}
        self._channel = f"{namespace}:notices"
        self._scripts = {
            text: self._client.register_script(text)
            for text in (
                *(scripts.READ, scripts.BEGIN, scripts.STAGE),
                *(scripts.FINISH, scripts.WRITE, scripts.SETTLE),
            )
        }

    @property
    def answers(self) -> bool:
        """Whether the last call was answered; see `Directory.answers`."""
        return self.breaker.closed

    async def put(self, keyspace: str, owner: KeyspaceOwner, changes: Mapping[str, bytes | None]) -> Kept:
        """Change rows; see `Directory.put`."""
        built = self._built.get(keyspace)
        if built is None or built.owner != owner:
            return Kept.LOST
        items = list(changes.items())
        for begin in range(0, max(len(items), 1), MOST_ROWS):
            kept = await self._write(keyspace, built, dict(items[begin : begin + MOST_ROWS]))
            if kept is not Kept.DONE:
                return kept
        return Kept.DONE

    async def _write(self, keyspace: str, built: _Built, changes: Mapping[str, bytes | None]) -> Kept:
        rows = {key: row for key, row in changes.items() if row is not None}
        built.most += 1
        said = await self._run(
            scripts.WRITE,
            [self._stamp(keyspace)],
            [
                *(self._rows(keyspace), built.owner.log, built.owner.epoch, built.generation),
                *(built.fewest, built.most - 1, LIFETIME_MS, self._channel),
                _notice(keyspace, tuple(changes)) if changes else "",
                len(rows),
                *(part for item in rows.items() for part in item),
                *(key for key, row in changes.items() if row is None),
            ],
        )
        if said is None:
            return Kept.UNREACHABLE
        text = said.decode()
        if text.isdigit():
            built.fewest = built.most = int(text)
            return Kept.DONE
        self._built.pop(keyspace, None)
        return Kept(text)

    async def rebuild(
        self, keyspace: str, owner: KeyspaceOwner, rows: AsyncIterable[Mapping[str, bytes]]
    ) -> Kept:
        """Put rows in the place of all there are; see `Directory.rebuild`."""
        self._built.pop(keyspace, None)
        claim = secrets.token_hex(8)
        stamp, prefix = [self._stamp(keyspace)], self._rows(keyspace)
        said = await self._run(
            scripts.BEGIN, stamp, [prefix, owner.log, owner.epoch, claim, STALE_US, LIFETIME_MS]
        )
        count = 0
        if said == b"done":
            async for part in rows:
                said = await self._stage(stamp, prefix, claim, list(part.items()))
                count += len(part)
                if said != b"done":
                    break
        if said == b"done":
            notice = _notice(keyspace, ())
            said = await self._run(scripts.FINISH, stamp, [prefix, claim, count, self._channel, notice])
        if said is None:
            return Kept.UNREACHABLE
        kept = Kept(said.decode())
        if kept is Kept.DONE:
            self._built[keyspace] = _Built(owner, claim)
        return kept

    async def _stage(self, stamp: list[str], prefix: str, claim: str, items: list[tuple[str, bytes]]) -> Any:
        said: Any = b"done"
        for begin in range(0, len(items), MOST_ROWS):
            some = items[begin : begin + MOST_ROWS]
            parts = [part for item in some for part in item]
            said = await self._run(scripts.STAGE, stamp, [prefix, claim, STAGING_MS, *parts])
            if said != b"done":
                break
        return said

    async def get(self, keyspace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Give those of the rows that are known; see `Directory.get`."""
        found: dict[str, bytes] = {}
        for begin in range(0, len(keys), MOST_ROWS):
            some = keys[begin : begin + MOST_ROWS]
            rows = await self._run(
                scripts.READ, [self._stamp(keyspace)], [self._rows(keyspace), STALE_US, *some]
            )
            found.update((key, row) for key, row in zip(some, rows or (), strict=False) if row is not None)
        return found

    async def see(self, group: str, seen: Mapping[str, int]) -> None:
        """Note when somebody was seen, and forget who was not for long."""
        key = f"{self._namespace}:seen:{group}"
        newest = max(seen.values(), default=0)

        async def note() -> bool:
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.zadd(key, dict(seen), gt=True)
                pipeline.zremrangebyscore(key, "-inf", newest - SEEN_US)
                pipeline.pexpire(key, SEEN_US // 1000)
                await pipeline.execute()
            return True

        if seen:
            await self._ask(note)

    async def seen(self, group: str, since_us: int) -> dict[str, int]:
        """Give who was seen since."""
        key = f"{self._namespace}:seen:{group}"
        found = await self._ask(
            lambda: self._client.zrange(key, since_us, "+inf", byscore=True, withscores=True)
        )
        return {name.decode(): int(moment) for name, moment in found or ()}

    async def settle(
        self, group: str, spent: Mapping[str, int], per_second: float, burst: float
    ) -> dict[str, float]:
        """Take from shared buckets; see `Directory.settle`."""
        prefix, items, left = f"{self._namespace}:spent:{group}:", list(spent.items()), dict[str, float]()
        for begin in range(0, len(items), MOST_ROWS):
            some = items[begin : begin + MOST_ROWS]
            parts = [part for item in some for part in item]
            levels = await self._run(scripts.SETTLE, [], [prefix, per_second, burst, BUCKET_MS, *parts])
            left.update((name, float(level)) for (name, _), level in zip(some, levels or (), strict=False))
        return left

    async def notices(self) -> AsyncIterator[Notice]:
        """Yield what changes, for as long as it is read; after every gap, that anything may have."""
        while True:
            yield EVERYTHING
            pubsub = self._client.pubsub(ignore_subscribe_messages=True)
            try:
                async with asyncio.timeout(self._connection.timeout_seconds):
                    await pubsub.subscribe(self._channel)
                clock = asyncio.get_running_loop().time
                heard = clock()
                while True:
                    message = await pubsub.get_message(timeout=NOTICE_SECONDS)
                    if message is not None:
                        heard = clock()
                    elif clock() - heard > SILENCE_SECONDS:
                        raise TimeoutError
                    else:
                        await pubsub.ping()
                    if message is not None and message["type"] == "message":
                        keyspace, keys = json.loads(message["data"])
                        yield Notice(keyspace, tuple(keys))
            except _failures():
                await asyncio.sleep(NOTICE_SECONDS)
            finally:
                await pubsub.aclose()

    async def keyspaces(self) -> list[Keyspace]:
        """Give what there is in the namespace, in the order of names; empty when nobody answers."""
        beginning = self._stamp("")

        async def look() -> list[Keyspace]:
            server = (await self._client.info("server"))["run_id"].encode()
            seconds, micros = await self._client.time()
            found = []
            for key in sorted(
                [key async for key in self._client.scan_iter(f"{beginning}*", count=MOST_ROWS)]
            ):
                stamp = await self._client.hgetall(key)
                # Between the listing and the look it may have gone.
                if stamp:
                    age_us = seconds * 1_000_000 + micros - int(stamp[b"beat"])
                    found.append(_keyspace(key.decode().removeprefix(beginning), stamp, server, age_us))
            return found

        return await self._ask(look) or []

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    # Asking

    async def _run(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        """Give what a script says, or None when there is no answer."""
        return await self._ask(lambda: self._scripts[script](keys=keys, args=arguments))

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        if not self.breaker.admits():
            return None
        try:
            async with asyncio.timeout(self._connection.timeout_seconds):
                said = await call()
        except _failures() as error:
            why = str(error) or type(error).__name__
            if self.breaker.failed(why):
                _log.warning("redis does not answer", server=self._connection.server, reason=why)
            return None
        except BaseException:
            self.breaker.dropped()
            raise
        if self.breaker.succeeded():
            _log.info("redis answers again", server=self._connection.server)
        return said

    def _stamp(self, keyspace: str) -> str:
        return f"{self._namespace}:stamp:{keyspace}"

    def _rows(self, keyspace: str) -> str:
        return f"{self._namespace}:rows:{keyspace}:"


def _keyspace(name: str, stamp: Mapping[bytes, bytes], server: bytes, age_us: int) -> Keyspace:
    state: Literal["present", "rebuilding", "absent"] = "present"
    if stamp[b"server"] != server or age_us > STALE_US:
        state = "absent"
    elif b"generation" not in stamp:
        state = "rebuilding"
    return Keyspace(name, state, int(stamp.get(b"rows", b"0")), int(stamp[b"epoch"]), age_us / 1e6)


def _failures() -> tuple[type[BaseException], ...]:
    from redis.exceptions import RedisError

    return (RedisError, OSError, TimeoutError)


def _notice(keyspace: str, keys: tuple[str, ...]) -> str:
    return json.dumps((keyspace, keys if len(keys) <= MOST_ROWS else ()))
