"""Where the logs of an engine's shards are, and the ways to open them that a copy needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crowdroute.router.adapters.kafka_beside import KafkaBeside, beside_owner
from crowdroute.router.adapters.kafka_copied import begin_with_key, mark_on_kafka
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_shards import require_no_shards_beyond
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_files import shards_in, snapshots_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.sqlite_reader import SqliteReader
from crowdroute.router.adapters.unfinished_copy import mark_directory, require_finished
from crowdroute.router.runtime.clustered import connection_to, place_on_kafka
from crowdroute.router.runtime.settings import Settings, load_settings

Log = SqliteLog | KafkaLog
Reader = SqliteReader | KafkaBeside

READ_INTO = "log-copy"
"""Folder, in the directory of a log on Kafka, that is read into beside its owner. One that an interrupted
copy left is gone on with by the next, and removed by the one that finishes."""


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

    @property
    def is_on_kafka(self) -> bool:
        """Tell whether the logs are on Kafka."""
        return self.settings.kafka is not None

    def shards(self) -> list[int]:
        """Give the numbers of the shards that there are here, ascending."""
        return list(range(self.settings.shards)) if self.is_on_kafka else shards_in(self.directory)

    def require_all_named(self) -> None:
        """See that a log on Kafka has no more shards than its settings say; blocks.

        Raises:
            ConfigurationError: it has, and they would be left behind.
            StorageError: the cluster does not answer.
        """
        kafka = self.settings.kafka
        if kafka is not None:
            require_no_shards_beyond(connection_to(kafka), kafka.name, self.settings.shards)

    def beside(self, shard: int) -> Reader:
        """Read a shard's log as far as it goes, whoever owns it; blocks.

        Raises:
            ConfigurationError: there is none, or it is itself a copy that was not finished.
        """
        if not self.is_on_kafka:
            require_finished(self.directory)
        reader = self._reader(shard)
        try:
            reader.bring()
            if isinstance(reader, KafkaBeside):
                reader.require_finished()
        except BaseException:
            reader.close()
            raise
        return reader

    def open_source(self, shard: int) -> Log:
        """Own a shard's log until it is closed, with the copy that `beside` made; blocks.

        An engine that runs on Kafka is fenced by it.
        """
        if not self.is_on_kafka:
            require_finished(self.directory)
        log = self._open(self.directory / READ_INTO, shard)
        if isinstance(log, KafkaLog):
            try:
                log.require_finished(self._on_kafka(self.directory, shard).claimed)
            except BaseException:
                log.close()
                raise
        return log

    def open_target(self, shard: int, content_key: bytes) -> Log:
        """Own a log that is a copy, or will be one, of another with this content key; blocks."""
        if self.is_on_kafka:
            begin_with_key(self._on_kafka(self.directory, shard), content_key)
        log = self._open(self.directory, shard)
        if isinstance(log, SqliteLog):
            try:
                log.adopt_key(content_key)
            except BaseException:
                log.close()
                raise
        return log

    def mark(self, shards: Iterable[int], *, unfinished: bool) -> None:
        """Say durably what engines must know: before any shard is written to, after the last was compared."""
        if not self.is_on_kafka:
            mark_directory(self.directory, unfinished)
        else:
            for shard in shards:
                mark_on_kafka(self._on_kafka(self.directory, shard), unfinished)

    def read_back(self, shard: int) -> Reader:
        """Read it from where it now is, what is on Kafka without the help of any copy; blocks.

        What was read into before is removed first, by `clear`.
        """
        return self._reader(shard)

    def snapshots(self, shard: int) -> SnapshotFiles:
        """Give the snapshots of an engine that has this directory."""
        return SnapshotFiles(snapshots_path(self.directory, shard))

    def clear(self) -> None:
        """Remove what was read into this place's directory beside an owner."""
        if self.is_on_kafka:
            shutil.rmtree(self.directory / READ_INTO, ignore_errors=True)

    def _reader(self, shard: int) -> Reader:
        if not self.is_on_kafka:
            return SqliteReader(self.directory, shard)
        return beside_owner(self._on_kafka(self.directory / READ_INTO, shard))

    def _open(self, copies: Path, shard: int) -> Log:
        if not self.is_on_kafka:
            return SqliteLog(self.directory, shard)
        return open_kafka_log(self._on_kafka(copies, shard), self.generation)

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
