"""A whole log moved to another place, from a directory to Kafka or back, and verified there."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from crowdroute.router.adapters.kafka_copied import begin_with_key, mark_on_kafka
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.sqlite_files import shards_in
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.unfinished_copy import mark_directory, require_finished
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.clustered import place_on_kafka
from crowdroute.router.runtime.copying import Copied, common_sequence, compare, copy_history
from crowdroute.router.runtime.settings import Settings, load_settings

Log = SqliteLog | KafkaLog

READ_BACK = 4
"""Shards that are read back and compared at once: each takes the disk that its log takes, for a while."""

T = TypeVar("T")


@dataclass(frozen=True)
class LogPlace:
    """Where the logs of an engine's shards are."""

    settings: Settings
    generation: int
    """With which logs on Kafka are claimed: not below that of their last owner."""

    @property
    def directory(self) -> Path:
        """Where their files are, or the copies of what is on Kafka."""
        return self.settings.directory

    def shards(self) -> list[int]:
        """Give the numbers of the shards that there are here, ascending."""
        return shards_in(self.directory) if self.settings.kafka is None else list(range(self.settings.shards))

    def open_source(self, shard: int) -> Log:
        """Own a shard's log until it is closed; an engine that runs on Kafka is fenced by it. Blocks."""
        if self.settings.kafka is None:
            require_finished(self.directory)
        log = self._open(self.directory, shard)
        if isinstance(log, KafkaLog):
            try:
                log.require_finished(self._on_kafka(self.directory, shard).claimed)
            except ConfigurationError:
                log.close()
                raise
        return log

    def open_target(self, shard: int, content_key: bytes) -> Log:
        """Own a log that is a copy, or will be one, of another with this content key; blocks."""
        if self.settings.kafka is not None:
            begin_with_key(self._on_kafka(self.directory, shard), content_key)
        log = self._open(self.directory, shard)
        if isinstance(log, SqliteLog):
            log.adopt_key(content_key)
        return log

    def mark(self, shards: Iterable[int], *, unfinished: bool) -> None:
        """Say durably what engines must know: before any shard is written to, after the last was compared."""
        if self.settings.kafka is None:
            mark_directory(self.directory, unfinished)
        else:
            for shard in shards:
                mark_on_kafka(self._on_kafka(self.directory, shard), unfinished)

    @contextmanager
    def read_back(self, shard: int) -> Iterator[Log]:
        """Open it once more, what is on Kafka without the help of any copy; blocks."""
        with tempfile.TemporaryDirectory(prefix="crowdroute-") as empty:
            directory = self.directory if self.settings.kafka is None else Path(empty)
            with closing(self._open(directory, shard)) as log:
                yield log

    def _open(self, directory: Path, shard: int) -> Log:
        if self.settings.kafka is None:
            return SqliteLog(directory, shard)
        return open_kafka_log(self._on_kafka(directory, shard), self.generation)

    def _on_kafka(self, directory: Path, shard: int) -> KafkaPlace:
        kafka = self.settings.kafka
        assert kafka is not None
        return place_on_kafka(kafka, directory, shard, self.settings.shards)


def place_of(named: Path, generation: int) -> LogPlace:
    """Give the place of an engine's directory, or of its settings file.

    Raises:
        ConfigurationError: the file is none of settings.
    """
    if not named.is_file():
        # What the environment says of Kafka is meant for engines, not for a directory that somebody names.
        return LogPlace(load_settings(directory=named).model_copy(update={"kafka": None}), generation)
    return LogPlace(load_settings(named), generation)


async def move(
    source: LogPlace, target: LogPlace, progress: Callable[[int, int], None] = lambda _done, _head: None
) -> dict[int, Copied]:
    """Copy what the target lacks of every shard, then read it back and compare it with the source.

    All shards are held before the first is copied, so that no copy has what crossed without its cause. Until
    the last is compared the target is marked as unfinished, and no engine serves it: called again with the
    same places this goes on where it was.

    Args:
        source: whose logs are copied.
        target: where to.
        progress: is told how many batches of all shards the target has, and how many it will.

    Returns:
        What was copied, by shard.

    Raises:
        ConfigurationError: there is nothing to copy, the source is itself a copy that was not finished, or
            the target is not the beginning of the source; nothing was written to it then.
        Fenced: an engine has one of the directories open, or a later generation owns a log on Kafka.
        LogCorrupt: the source is damaged, or the copy is not the same.
        StorageError: the cluster or a disk does not answer; copying again goes on from where it is.
    """
    shards = source.shards()
    _require_apart(source, target, shards)
    async with AsyncExitStack() as held:
        logs = await _held(held, shards, source.open_source)
        if not any(log.head()[0] for log in logs.values()):
            raise ConfigurationError(f"the log of {source.directory} is empty: there is nothing to copy")
        await _still(logs)
        async with AsyncExitStack() as there:
            targets = await _held(
                there, shards, lambda shard: target.open_target(shard, logs[shard].content_key)
            )
            for shard in shards:
                common_sequence(logs[shard], targets[shard])
            await asyncio.to_thread(target.mark, shards, unfinished=True)
            copied = await _copy(logs, targets, progress)
        room = asyncio.Semaphore(READ_BACK)

        async def look_at(shard: int) -> None:
            async with room:
                await asyncio.to_thread(_compare, target, shard, logs[shard])

        await _all(look_at(shard) for shard in shards)
        await asyncio.to_thread(target.mark, shards, unfinished=False)
    return copied


async def _copy(
    logs: dict[int, Log], targets: dict[int, Log], progress: Callable[[int, int], None]
) -> dict[int, Copied]:
    """Copy one shard after the other."""
    copied: dict[int, Copied] = {}
    total, before = sum(log.head()[0] for log in logs.values()), 0
    for shard, log in logs.items():
        copied[shard] = await copy_history(log, targets[shard], _beyond(before, total, progress))
        before += log.head()[0]
    return copied


def _compare(target: LogPlace, shard: int, log: Log) -> None:
    with target.read_back(shard) as again:
        compare(log, again)


async def _held(
    stack: AsyncExitStack, shards: Iterable[int], open_one: Callable[[int], Log]
) -> dict[int, Log]:
    """Open all shards at once, for each waits until the query lease of the owner before it is over."""

    async def hold(shard: int) -> tuple[int, Log]:
        log = await asyncio.to_thread(open_one, shard)
        stack.push_async_callback(asyncio.to_thread, log.close)
        return shard, log

    return dict(sorted(await _all(hold(shard) for shard in shards)))


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
    if target.settings.kafka is not None and shards[-1] >= target.settings.shards:
        raise ConfigurationError(
            f"the source has a shard {shards[-1]}, and the target has shards 0 to"
            f" {target.settings.shards - 1}: set shards = {shards[-1] + 1} there",
            {"field": "shards"},
        )


async def _still(logs: dict[int, Log]) -> None:
    """See, once all are open, that nobody has written to any since it was opened, and nobody will.

    The lock of a file keeps others out. A shard on Kafka could be claimed by another while the next was being
    opened, and what it then tells that next one would stand there without its cause: an append of each log
    after the last claim shows that none was.

    Raises:
        Fenced: one was.
    """
    for log in logs.values():
        if isinstance(log, KafkaLog):
            await log.hand_over()


def _beyond(before: int, total: int, progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Give what tells of a shard's batches as some of all."""
    return lambda done, _head: progress(before + done, total)
