"""One process that owns a shard: decides at once, appends in batches, answers what is durable, can die.

It is the shell of the engine in miniature, and synchronous: each step of an append is taken by hand, so that
the simulation can stop between any two of them.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from tests.simulation.knowledge import Held, Worker

from crowdroute.router.adapters.codec import chain, encode_batch
from crowdroute.router.adapters.memory import MemoryDisk, MemoryLog
from crowdroute.router.commands import Reply, Request
from crowdroute.router.errors import Refusal
from crowdroute.router.events import Batch, Entry
from crowdroute.router.machine.shard import Shard
from crowdroute.router.model.ids import Id
from crowdroute.router.ports import StoredBatch

Outcome = Reply | Refusal
"""What a caller is told."""


@dataclass(eq=False)
class Call:
    """One request of one client, until the client knows what became of it."""

    request: Request
    worker: Worker | None = None
    """Who asks, when it is a worker."""
    registered: bool = False
    """Whether the worker was durable at home when they asked, as whoever has a session is."""
    held: Held | None = None
    """The lease that it is about."""
    told: Outcome | None = None
    """What the client was told; every later answer is compared with it once it is binding."""
    decided_us: int = 0
    """When that was decided."""
    binding: bool = False
    """Whether what was told must be told again: the answer to a submit, or one that is kept under a key."""
    kept: bool = False
    """Whether the log holds an entry under the call's key."""


class Answer(NamedTuple):
    """What a caller is told once the batch is durable."""

    call: Call
    outcome: Outcome
    keeps: bool
    """Whether the batch holds an entry under the call's key."""
    decided_us: int


@dataclass
class Forming:
    """Entries that one append will make durable, and who waits for them."""

    entries: list[Entry] = field(default_factory=list)
    waiting: list[Answer] = field(default_factory=list)


class Process:
    """Owns the disk from its start to its end."""

    def __init__(self, disk: MemoryDisk, core: Shard) -> None:
        """Take the disk over with a core that was folded from it."""
        self.disk = disk
        self.core = core
        self.log = MemoryLog(disk)
        self.sequence, self.chain = self.log.head()
        self.forming = Forming()
        self.appending: Forming | None = None
        self._stored: StoredBatch | None = None
        self._append: Coroutine[Any, Any, None] | None = None

    @property
    def idle(self) -> bool:
        """Whether everything that was decided is durable and told."""
        return self.appending is None and not self.forming.entries and not self.forming.waiting

    def take(self, call: Call, now_us: int, entropy: Id) -> None:
        """Decide a call; its caller waits for the batch that is forming, whatever the answer is.

        The random bytes are fresh each time a call comes, as a server draws them and not its client.
        """
        outcome: Outcome
        try:
            request = msgspec.structs.replace(call.request, entropy=entropy)
            entries, outcome = self.core.handle(request, now_us)
        except Refusal as refusal:
            entries, outcome = (), refusal
        self.forming.entries += entries
        key = call.request.key
        keeps = bool(key) and any(entry.cause.key == key for entry in entries)
        self.forming.waiting.append(Answer(call, outcome, keeps, now_us))

    def bring_about_due(self, now_us: int) -> bool:
        """Take one step of what time made due; says whether there was anything."""
        due_us = self.core.next_due_us()
        if due_us is None or due_us > now_us:
            return False
        entries = self.core.due(now_us)
        self.forming.entries += entries
        return bool(entries)

    def begin_append(self) -> bool:
        """Send the batch that is forming to the disk, unless one is under way or nobody waits."""
        if self.appending is not None or not (self.forming.entries or self.forming.waiting):
            return False
        self.appending, self.forming = self.forming, Forming()
        if self.appending.entries:
            body = encode_batch(Batch(self.sequence + 1, tuple(self.appending.entries)))
            self._stored = StoredBatch(self.sequence + 1, self.log.epoch, chain(self.chain, body), body)
            self._append = self.log.append(self._stored, ())
            self._append.send(None)
        return True

    def finish_append(self) -> list[Answer]:
        """Wait for the append under way, and give the answers that may be told now.

        Raises:
            StorageError: the append failed; this process must end.
        """
        if self.appending is None:
            return []
        if self._append is not None and self._stored is not None:
            try:
                self._append.send(None)
            except StopIteration:
                self.sequence, self.chain = self._stored.sequence, self._stored.chain
            self._append = self._stored = None
        answers, self.appending = self.appending.waiting, None
        for answer in answers:
            answer.call.kept |= answer.keeps
        return answers

    def end(self, *, in_flight_survives: bool = False) -> list[Call]:
        """Die now; gives the calls whose callers will never hear from this process."""
        waiting = [call for batch in (self.appending, self.forming) if batch for call, *_ in batch.waiting]
        if self._append is not None:
            if in_flight_survives:
                self.log.crash(in_flight_survives=True)
            self._append.close()
        self.log.crash()
        self.appending, self.forming, self._append = None, Forming(), None
        return waiting

    def undecided(self, now_us: int) -> list[Entry]:
        """Give the entries that the core holds and the disk does not; asks for those it still owes first."""
        if self.core.next_due_us() is not None:
            self.forming.entries += self.core.due(now_us)
        return [*(self.appending.entries if self.appending else ()), *self.forming.entries]
