"""A shard on Kafka in memory: what its owners write, in their order, and readers that others come between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.kafka_beside import KafkaBeside
from crowdroute.router.adapters.kafka_content import (
    Version,
    encode_key,
    encode_value,
    secret_key,
)
from crowdroute.router.adapters.kafka_opening import KafkaPlace
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim, Epoch, encode_batch, encode_claim
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.errors import StorageError

TOPIC = bytes(range(16))
SECRET = b"s" * 32


@dataclass
class FakePartition:
    """Records by offset, None where compaction took one away; something may happen right after each look."""

    kept: list[Found | None] = field(default_factory=list)
    start: int = 0
    looked: Callable[[], None] = lambda: None

    def add(self, value: bytes | None, key: bytes | None = None) -> int:
        self.kept.append(Found(len(self.kept), key, value))
        return len(self.kept) - 1

    def compact(self) -> None:
        last = {found.key: found.offset for found in self.kept if found is not None}
        for offset, found in enumerate(self.kept[:-1]):
            if found is not None and last[found.key] != offset:
                self.kept[offset] = None

    def bounds(self) -> tuple[int, int]:
        bounds = self.start, len(self.kept)
        self.looked()
        return bounds

    def records(self, first: int, last: int) -> Iterator[Found]:
        for offset in range(first, last + 1):
            if offset < self.start:
                raise StorageError(f"offset {offset} is out of range")
            found = self.kept[offset]
            if found is not None:
                yield found
                self.looked()

    def values(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        for found in self.records(first, last):
            yield found.offset, found.value or b""

    def close(self) -> None:
        """Nothing is held."""


class FakeShard:
    """The shard's two partitions, and whoever owns it at the moment."""

    def __init__(self) -> None:
        self.log, self.contents = FakePartition(), FakePartition()
        self.contents.add(SECRET, secret_key())
        self.now: dict[str, bytes] = {}
        """The contents as the log has them."""
        self.chains = [CHAIN_START]
        """Chain hash of each batch."""
        self._versions: dict[str, Version] = {}
        self._claims = 0
        self.claim()

    def claim(self) -> None:
        """Let another owner begin."""
        self._claims += 1
        nonce = self._claims.to_bytes(16, "big")
        self.epoch = Epoch(self.log.add(encode_claim(Claim("cluster/0", 1, nonce))), nonce)

    def append(
        self, body: bytes, changes: Mapping[str, bytes | None] | None = None, *, dies: bool = False
    ) -> None:
        """Append as an owner does: contents, batch, then tombstones; if it dies, the next sends them."""
        changes = changes or {}
        version = self._write(changes, self.epoch)
        self._batch(body, self.epoch)
        superseded = [encode_key(key, self._versions[key]) for key in changes if key in self._versions]
        erased = [encode_key(key, version) for key, new in changes.items() if new is None]
        if dies:
            self.claim()
        for name in (*superseded, *erased):
            self.contents.add(None, name)
        for key, new in changes.items():
            if new is None:
                self.now.pop(key, None)
                self._versions.pop(key, None)
            else:
                self.now[key] = new
                self._versions[key] = version

    def begin_in_vain(self, changes: Mapping[str, bytes | None]) -> None:
        """Write contents of a batch that never comes: their owner is replaced before."""
        self._write(changes, self.epoch)
        self.claim()

    def write_too_late(self, before: Epoch, changes: Mapping[str, bytes | None], body: bytes) -> None:
        """Write contents and a batch as an owner that was replaced meanwhile."""
        self._write(changes, before)
        self.log.add(self._encoded(body, before))

    def reader(self, directory: Path, archive: LogArchive | None = None) -> KafkaBeside:
        """Read beside the owner, into a directory."""
        place = KafkaPlace(cast(Any, None), "cluster", 0, 1, Durability.SINGLE_BROKER, directory)
        return KafkaBeside(place, TOPIC, self.log, self.contents, archive)

    def _write(self, changes: Mapping[str, bytes | None], epoch: Epoch) -> Version:
        version = Version(epoch.offset, len(self.chains))
        for key, new in changes.items():
            self.contents.add(encode_value(new), encode_key(key, version))
        return version

    def _encoded(self, body: bytes, epoch: Epoch) -> bytes:
        following = chain(self.chains[-1], body)
        return encode_batch(BatchRecord(epoch, len(self.chains), False, following, body))

    def _batch(self, body: bytes, epoch: Epoch) -> None:
        self.log.add(self._encoded(body, epoch))
        self.chains.append(chain(self.chains[-1], body))
