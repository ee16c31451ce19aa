"""A whole log moved to another place, from a directory to Kafka or back, and verified there."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, begin_with_key, open_kafka_log
from crowdroute.router.adapters.sqlite_files import shards_in
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.clustered import place_on_kafka
from crowdroute.router.runtime.copying import Copied, compare, copy_history
from crowdroute.router.runtime.settings import Settings, load_settings


@dataclass(frozen=True)
class LogPlace:
    """Where the log of an engine of one shard is."""

    settings: Settings
    generation: int
    """With which a log on Kafka is claimed: not below that of its last owner."""

    @property
    def directory(self) -> Path:
        """Where its file is, or the copy of what is on Kafka."""
        return self.settings.directory

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[SqliteLog | KafkaLog]:
        """Own the log for the length of the block; an engine that runs on Kafka is fenced by it."""
        log = await asyncio.to_thread(self._open, self.directory)
        try:
            yield log
        finally:
            await asyncio.to_thread(log.close)

    @asynccontextmanager
    async def opened_as_new(self, content_key: bytes) -> AsyncIterator[SqliteLog | KafkaLog]:
        """Do as `opened` with a log that is a copy, or will be one, of another with this content key."""
        if self.settings.kafka is not None:
            await asyncio.to_thread(begin_with_key, self._on_kafka(self.directory), content_key)
        async with self.opened() as log:
            if isinstance(log, SqliteLog):
                log.adopt_key(content_key)
            yield log

    @asynccontextmanager
    async def read_back(self) -> AsyncIterator[SqliteLog | KafkaLog]:
        """Open it once more, what is on Kafka without the help of any copy."""
        with tempfile.TemporaryDirectory(prefix="crowdroute-") as empty:
            directory = self.directory if self.settings.kafka is None else Path(empty)
            with closing(await asyncio.to_thread(self._open, directory)) as log:
                yield log

    def _open(self, directory: Path) -> SqliteLog | KafkaLog:
        if self.settings.kafka is None:
            return SqliteLog(directory)
        return open_kafka_log(self._on_kafka(directory), self.generation)

    def _on_kafka(self, directory: Path) -> KafkaPlace:
        kafka = self.settings.kafka
        assert kafka is not None
        return place_on_kafka(kafka, directory, 0, 1)


def place_of(named: Path, generation: int) -> LogPlace:
    """Give the place of an engine's directory, or of its settings file.

    Raises:
        ConfigurationError: the file is none of settings, or those of several shards.
    """
    if not named.is_file():
        # What the environment says of Kafka is meant for engines, not for a directory that somebody names.
        return LogPlace(load_settings(directory=named).model_copy(update={"kafka": None}), generation)
    settings = load_settings(named)
    if settings.shards > 1:
        raise ConfigurationError(
            f"{named} is of {settings.shards} shards, and a log is copied for an engine of one: name settings"
            " of one",
            {"field": "shards"},
        )
    return LogPlace(settings, generation)


async def move(
    source: LogPlace, target: LogPlace, progress: Callable[[int, int], None] = lambda _done, _head: None
) -> Copied:
    """Copy what the target lacks, then read the target back and compare it with the source.

    Raises:
        ConfigurationError: there is nothing to copy, or the target is not the beginning of the source.
        Fenced: an engine has one of the directories open, or a later generation owns a log on Kafka.
        LogCorrupt: the source is damaged, or the copy is not the same.
        StorageError: the cluster or a disk does not answer; copying again goes on from where it is.
    """
    if source.directory.resolve() == target.directory.resolve():
        raise ConfigurationError(
            f"{source.directory} is the directory of both: give the target another, for what it keeps itself"
        )
    if source.settings.kafka is None:
        shards = shards_in(source.directory)
        if not shards:
            raise ConfigurationError(f"there is no log in {source.directory}: name the directory of one")
        if len(shards) > 1:
            raise ConfigurationError(
                f"{source.directory} holds {len(shards)} shards, and a log is copied for an engine of one"
            )
    async with source.opened() as from_log:
        if not from_log.head()[0]:
            raise ConfigurationError(f"the log of {source.directory} is empty: there is nothing to copy")
        async with target.opened_as_new(from_log.content_key) as to_log:
            copied = await copy_history(from_log, to_log, progress)
        async with target.read_back() as again:
            await asyncio.to_thread(compare, from_log, again)
    return copied
