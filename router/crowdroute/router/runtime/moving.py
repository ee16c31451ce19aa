"""A whole log moved to another place, from a directory to Kafka or back, while its engine works on.

Rounds are copied, read back and compared beside the engine until one is short. Only then is the source taken,
for what came since: that is how long work is refused, and it does not grow with the history.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import NamedTuple, Protocol, TypeVar

from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.errors import ConfigurationError, Fenced
from crowdroute.router.runtime.carrying_snapshots import carry_snapshot
from crowdroute.router.runtime.copying import BesideLog, Copied, ShardCopy, SourceLog, common_sequence
from crowdroute.router.runtime.log_place import LogPlace

SHORT_SECONDS = 1.0
"""A round that took no longer is the last one beside the engine: what came while it lasted is what remains,
and takes about as long again."""

MOST_ROUNDS = 12
"""Rounds beside an engine before the source is taken all the same. Each takes what came during the one
before, so four are enough where the engine writes a tenth as fast as the copy takes."""

PAUSE_SECONDS = 0.2
"""Between two looks whether a directory's engine was stopped; each is a round as well."""


class Stage(StrEnum):
    """What a copy is doing."""

    ROUND = "round"
    """Copying beside the engine."""
    BEHIND = "behind"
    """The engine writes about as fast as the copy takes, so that rounds get no shorter; it waits as well."""
    WAITING = "waiting"
    """It has all but the newest batches, and waits until the engine is stopped."""
    HOLDING = "holding"
    """It has taken the source, and copies the rest."""


class Told(NamedTuple):
    """How far a copy is."""

    stage: Stage
    round: int
    """Rounds begun so far."""
    done: int
    """Batches of all shards that the target has."""
    head: int
    """Batches that it will have after this round."""
    round_s: float = 0.0
    """Seconds that the last round took: about as long as the rest will, as long as the engine works."""


@dataclass(frozen=True)
class Moved:
    """What a move took."""

    copied: dict[int, Copied]
    """By shard."""
    snapshots: dict[int, int]
    """By shard: the sequence of the snapshot that a first start begins with, 0 for none."""
    rounds: int
    """Beside the engine."""
    held_s: float
    """Seconds for which the source was held, and nobody could work on it."""


class Closable(Protocol):
    """Something that is closed; blocks."""

    def close(self) -> None:
        """Let go of it."""


def suffices(took_s: float, before_s: float) -> bool:
    """Tell whether a round was short, or shows that others would not be shorter.

    Args:
        took_s: what it took, in seconds.
        before_s: what the one before it took.
    """
    return took_s <= SHORT_SECONDS or took_s >= before_s


T = TypeVar("T")
C = TypeVar("C", bound=Closable)


async def move(
    source: LogPlace,
    target: LogPlace,
    told: Callable[[Told], None] = lambda _told: None,
    *,
    patience_s: float = 0.0,
) -> Moved:
    """Copy what the target lacks of every shard, read it back and compare it, mostly while an engine works.

    All shards are held before the last of each is copied, so that no copy has what crossed without its cause.
    Until all is compared the target is marked as unfinished, and no engine serves it: called again with the
    same places this goes on where it was.

    Args:
        source: whose logs are copied.
        target: where to.
        told: is told how far it is.
        patience_s: how long to go on with rounds beside an engine whose directory cannot be taken from it,
            until somebody stops it.

    Raises:
        ConfigurationError: there is nothing to copy, the source is itself a copy that was not finished, a log
            on Kafka has more shards than its settings say, or the target is not the beginning of the source;
            nothing was written to it then.
        Fenced: an engine has one of the directories open, or a later generation owns a log on Kafka.
        LogCorrupt: the source is damaged, or the copy is not the same.
        StorageError: the cluster or a disk does not answer; copying again goes on from where it is.
    """
    shards = source.shards()
    _require_apart(source, target, shards)
    for place in (source, target):
        await asyncio.to_thread(place.require_all_named)
    rounds = _Rounds(told)
    snapshots: dict[int, int] = {}
    until: float | None = None
    async with AsyncExitStack() as held:
        async with AsyncExitStack() as there:
            while True:
                async with AsyncExitStack() as beside:
                    readers = await _opened(beside, shards, source.beside)
                    if not rounds.copies:
                        rounds.copies = await _begun(there, source, target, readers)
                    await rounds.until_short(readers)
                for shard, copy in rounds.copies.items():
                    snapshots[shard] = await asyncio.to_thread(
                        carry_snapshot, source.snapshots(shard), target.snapshots(shard), copy.target
                    )
                began = time.monotonic()
                try:
                    logs = await _owned(held, shards, source)
                    break
                except Fenced:
                    until = until or began + patience_s
                    if source.is_on_kafka or began >= until:
                        raise
                rounds.tell(Stage.WAITING if rounds.caught_up else Stage.BEHIND)
                await asyncio.sleep(PAUSE_SECONDS)
            rounds.tell(Stage.HOLDING)
            copied = await rounds.last(logs)
        await _require_unclaimed(logs)
        await asyncio.to_thread(target.mark, shards, unfinished=False)
    held_s = time.monotonic() - began
    await asyncio.to_thread(source.clear)
    return Moved(copied, snapshots, rounds.count, held_s)


class _Rounds:
    """The copies of all shards, and how far they are."""

    def __init__(self, told: Callable[[Told], None]) -> None:
        self._told = told
        self.copies: dict[int, ShardCopy] = {}
        self.count = 0
        self._done = self._head = 0
        self._round_s = 0.0

    def tell(self, stage: Stage) -> None:
        """Tell how far they are."""
        self._told(Told(stage, self.count, self._done, self._head, self._round_s))

    async def until_short(self, readers: Mapping[int, BesideLog]) -> None:
        """Go on beside the engine until a round was short, or others would not be shorter."""
        before_s = inf
        for _ in range(MOST_ROUNDS):
            self.count += 1
            began = time.monotonic()
            await _all(asyncio.to_thread(reader.bring) for reader in readers.values())
            await self._go_on(readers, Stage.ROUND)
            self._round_s = took_s = time.monotonic() - began
            if suffices(took_s, before_s):
                return
            before_s = took_s

    @property
    def caught_up(self) -> bool:
        """Tell whether what remains is as little as a short round."""
        return self._round_s <= SHORT_SECONDS

    async def last(self, logs: Mapping[int, SourceLog]) -> dict[int, Copied]:
        """Copy the rest of logs that nobody writes to any more."""
        return await self._go_on(logs, Stage.HOLDING)

    async def _go_on(self, logs: Mapping[int, SourceLog], stage: Stage) -> dict[int, Copied]:
        """Copy one shard after the other."""
        copied: dict[int, Copied] = {}
        before, self._head = 0, sum(log.head()[0] for log in logs.values())

        def progress(done: int, _head: int) -> None:
            self._done = before + done
            self.tell(stage)

        for shard, log in logs.items():
            copied[shard] = await self.copies[shard].go_on(log, progress, is_last=stage is Stage.HOLDING)
            before += copied[shard].sequence
        return copied


async def _begun(
    there: AsyncExitStack, source: LogPlace, target: LogPlace, readers: Mapping[int, BesideLog]
) -> dict[int, ShardCopy]:
    """Open a target for each shard, none of which was written to yet, and what reads it back."""
    if not any(reader.head()[0] for reader in readers.values()):
        raise ConfigurationError(f"the log of {source.directory} is empty: there is nothing to copy")
    targets = await _opened(
        there, readers, lambda shard: target.open_target(shard, readers[shard].content_key)
    )
    for shard, reader in readers.items():
        common_sequence(reader, targets[shard])
    await asyncio.to_thread(target.mark, readers, unfinished=True)
    await asyncio.to_thread(target.clear)
    there.push_async_callback(asyncio.to_thread, target.clear)
    again = await _opened(there, readers, target.read_back)
    return {shard: ShardCopy(targets[shard], again[shard]) for shard in readers}


async def _owned(held: AsyncExitStack, shards: Iterable[int], source: LogPlace) -> dict[int, SourceLog]:
    """Own the logs of all shards, or of none.

    The lock of a file keeps others out. A shard on Kafka could be claimed by another while the next was being
    opened, and what it then tells that next one would stand there without its cause: an append of each log
    after the last claim shows that none was.

    Raises:
        Fenced: an engine has the directory, or one claimed a shard.
    """
    async with AsyncExitStack() as mine:
        logs = await _opened(mine, shards, source.open_source)
        for log in logs.values():
            if isinstance(log, KafkaLog):
                await log.hand_over()
        held.push_async_callback(mine.pop_all().aclose)
    return dict(logs)


async def _require_unclaimed(logs: Mapping[int, object]) -> None:
    """See that the source stood still until all of it was copied: an engine may have been started on it.

    Raises:
        Fenced: one was; what it acknowledged is not in the target.
    """
    for log in logs.values():
        if isinstance(log, KafkaLog):
            await asyncio.to_thread(log.require_unclaimed)


async def _opened(stack: AsyncExitStack, shards: Iterable[int], open_one: Callable[[int], C]) -> dict[int, C]:
    """Open all shards at once, for each waits until the query lease of the owner before it is over."""

    async def opened(shard: int) -> tuple[int, C]:
        one = await asyncio.to_thread(open_one, shard)
        stack.push_async_callback(asyncio.to_thread, one.close)
        return shard, one

    return dict(sorted(await _all(opened(shard) for shard in shards), key=lambda each: each[0]))


async def _all(works: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """Give what all come to; the first error is raised when the last has ended, for threads cannot be
    cancelled."""
    ends = await asyncio.gather(*works, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return [end for end in ends if not isinstance(end, BaseException)]


def _require_apart(source: LogPlace, target: LogPlace, shards: list[int]) -> None:
    """See that there are shards to copy, and room for them elsewhere."""
    if source.directory.resolve() == target.directory.resolve():
        raise ConfigurationError(
            f"{source.directory} is the directory of both: give the target another, for what it keeps itself"
        )
    if not shards:
        raise ConfigurationError(f"there is no log in {source.directory}: name the directory of one")
    if target.is_on_kafka and shards[-1] >= target.settings.shards:
        raise ConfigurationError(
            f"the source has a shard {shards[-1]}, and the target has shards 0 to"
            f" {target.settings.shards - 1}: set shards = {shards[-1] + 1} there",
            {"field": "shards"},
        )
