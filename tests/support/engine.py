"""A shard as tests drive it: time moves by hand, ids come in order, every entry is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import pytest

from crowdroute.router.adapters.codec import CHAIN_START, chain, decode_batch, encode_batch
from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.errors import Refusal
from crowdroute.router.events import Batch, Entry, Event
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.ports import StoredBatch

TENANT = "acme"
ORGANISATION = organisation_stream(TENANT)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
START = 1_700_000_000 * SECOND

MOST_STEPS = 1_000
"""Calls of `due` after which a test gives up: something becomes due again and again."""


class Engine:
    """One shard, the moment it is, and every batch so far as a log would hold it."""

    def __init__(self, name: str = "test") -> None:
        """Begin with an organisation; engines of one name count through the same ids."""
        self._name = name.encode()
        self._ids = 0
        self.shard = Shard()
        self.now_us = START
        self.entries: list[Entry] = []
        self.batches: list[StoredBatch] = []
        self.send_to(ORGANISATION, CreateOrganisation(TENANT))

    def new_id(self) -> Id:
        """Give the next id; ids have no order, as real ones have none."""
        self._ids += 1
        return blake2b(self._ids.to_bytes(8, "big"), key=self._name, digest_size=16).digest()

    def send_to(
        self,
        stream: str,
        command: Command,
        *,
        principal: str = "tok_manager",
        key: str = "",
        digest: bytes = b"",
        entropy: Id | None = None,
    ) -> Reply:
        """Carry out a command, verify every invariant, and give the reply."""
        entropy = self.new_id() if entropy is None else entropy
        request = Request(stream, command, entropy, principal, key=key, digest=digest)
        entries, reply = self.shard.handle(request, self.now_us)
        self._keep(entries)
        return reply

    def refusal_from(
        self, stream: str, command: Command, error: type[Refusal] = Refusal, **how: object
    ) -> Refusal:
        """Give the refusal of a command, sure that it changed nothing."""
        before, length = self.shard.digest(), len(self.entries)
        with pytest.raises(error) as caught:
            self.send_to(stream, command, **how)
        assert error is Refusal or type(caught.value) is error
        assert (self.shard.digest(), len(self.entries)) == (before, length)
        return caught.value

    def wait(self, length_us: int = 0) -> list[Event]:
        """Let time pass, bring about all that became due, and give it."""
        self.now_us += length_us
        length = len(self.entries)
        for _ in range(MOST_STEPS):
            due_us = self.shard.next_due_us()
            if due_us is None or due_us > self.now_us:
                return [event for entry in self.entries[length:] for event in entry.events]
            self._keep(self.shard.due(self.now_us))
        raise AssertionError(f"still something due after {MOST_STEPS} steps")

    def events(self, kind: type[Event] | tuple[type[Event], ...] = ()) -> list[Event]:
        """Give everything that happened, or what is of some kinds."""
        happened = (event for entry in self.entries for event in entry.events)
        return [event for event in happened if not kind or isinstance(event, kind)]

    def folded(self) -> Shard:
        """Give the shard that the log's bytes alone lead to, ready to decide."""
        shard = Shard()
        for batch in read_back(self.batches):
            shard.apply(batch)
        shard.settle()
        return shard

    def unpacked(self) -> Shard:
        """Give the shard that a snapshot of the log leads to, ready to decide."""
        shard = Shard()
        shard.unpack(self.folded().pack())
        shard.settle()
        return shard

    def _keep(self, entries: tuple[Entry, ...]) -> None:
        if entries:
            self.entries += entries
            self.batches.append(store(self.batches, entries))
        self.verify()

    def verify(self) -> None:
        """Verify every invariant; after each command, unless a subclass has a cheaper moment."""
        self.shard.check()


def store(batches: list[StoredBatch], entries: tuple[Entry, ...]) -> StoredBatch:
    """Give the batch that a log would hold next."""
    sequence = len(batches) + 1
    body = encode_batch(Batch(sequence, entries))
    return StoredBatch(sequence, 1, chain(batches[-1].chain if batches else CHAIN_START, body), body)


def read_back(batches: Iterable[StoredBatch]) -> Iterator[Batch]:
    """Give batches as they are read from the bytes of a log."""
    for stored in batches:
        yield decode_batch(stored.body, stored.sequence)
