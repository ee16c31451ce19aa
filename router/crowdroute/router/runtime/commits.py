"""What a shard decided becomes durable, batch after batch, and whoever waits or follows is told.

The commands of a batch are decided in memory already: after an append that failed, or a defect in the core,
the state there is ahead of the disk by an unknown amount. Every waiter is told, `failed` is set, and the
process must end and fold the log again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter, time_ns

from crowdroute.router.adapters.codec import assemble, chain, encode_entry
from crowdroute.router.adapters.system import lease_clock_us
from crowdroute.router.commands import InputStep
from crowdroute.router.errors import AppendFailed, RouterError, ShuttingDown
from crowdroute.router.events import Entry, InputOffset
from crowdroute.router.ports import Clock, ContentChange, EventLog, StoredBatch
from crowdroute.router.runtime.forming import Forming
from crowdroute.router.runtime.histogram import Histogram
from crowdroute.router.runtime.tracing import current

WAITING_COMMANDS = 4096
"""Answers that may wait for the disk at once; beyond it callers are told to come again."""

WAITING_BYTES = 64 << 20
"""Entries and contents that may wait for the disk at once."""

ALIVE_US = 5_000_000
"""Logged time without a batch after which a sign of life is logged while leases are live: an outage seems to
be at most so much longer than it was. Once the last lease of a quiet engine has run out there are no more."""

APPEND_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bounds for how long an append takes: from a memory disk to one that stalls."""

BATCH_ENTRIES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Bounds for how many entries one batch has."""


def no_erasures(_entries: Sequence[Entry]) -> Sequence[ContentChange]:
    """Name no contents: nothing is ever deleted."""
    return ()


class Commits:
    """The batches of one shard: forming, on their way to the disk, durable."""

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        *,
        last_us: int | None = None,
        erasures: Callable[[Sequence[Entry]], Sequence[ContentChange]] = no_erasures,
        waiting_commands: int = WAITING_COMMANDS,
    ) -> None:
        """Begin behind the head of a log; the arguments are those of `ShardLoop`."""
        self._log = log
        self._clock = clock
        self._erasures = erasures
        self.sequence, self._chain = log.head()
        """Sequence of the last durable batch."""
        self.logged_us = clock.now_us() if last_us is None else last_us
        """Logged time of the last entry or sign of life."""
        self.room = waiting_commands
        self.room_bytes = WAITING_BYTES
        """How many more answers, and bytes, may wait for the disk."""
        self.queue: deque[Forming] = deque()
        """Batches that are not on their way yet; only the last one is not closed."""
        self._appending: Forming | None = None
        self.answered = 0
        """How many waited for the last batch that went to the disk."""
        self.work = asyncio.Event()
        """Set when there is something to append, or to look at."""
        self.failure: RouterError | None = None
        """Why nothing will be durable any more."""
        self.ended = False
        """Whether nobody appends any more, though nothing failed."""
        self._followers: list[Callable[[Sequence[Entry]], None]] = []
        self._feeds: list[Callable[[StoredBatch], None]] = []
        self.append_seconds = Histogram(APPEND_SECONDS)
        self.batch_entries = Histogram(BATCH_ENTRIES)
        self.failed: asyncio.Future[RouterError] = asyncio.get_running_loop().create_future()
        """Done, with the reason, once the shard can never go on; the process must then exit."""

    def subscribe(self, on_durable: Callable[[Sequence[Entry]], None]) -> Callable[[], None]:
        """Have the entries of each batch told once they are durable, in order; gives what ends it.

        A follower must not raise: it is part of the engine, and its defect stops the loop.
        """
        self._followers.append(on_durable)
        return lambda: self._followers.remove(on_durable)

    def feed(self, on_appended: Callable[[StoredBatch], None]) -> None:
        """Have each durable batch handed on as the log holds it (to the snapshotter)."""
        self._feeds.append(on_appended)

    def take(self, entries: Sequence[Entry], contents: Sequence[ContentChange]) -> None:
        """Put what one decision brought about into the forming batch, whole."""
        if not entries:
            return
        self.logged_us = max(self.logged_us, entries[-1].at_us)
        encoded = [encode_entry(entry) for entry in entries]
        size = sum(map(len, encoded))
        changes = (*contents, *self._erasures(entries))
        content_size = sum(len(body) for _, body in changes if body is not None)
        if not self.queue or not self.queue[-1].fits(size, content_size):
            self.queue.append(Forming())
        forming = self.queue[-1]
        forming.entries += entries
        forming.encoded += encoded
        forming.size += size
        forming.contents += changes
        forming.content_size += content_size
        self.room_bytes -= size + content_size
        self.work.set()

    def reach(self, step: InputStep, now_us: int) -> None:
        """Put an input's new offset into the batch that holds what its records asked for, if anything."""
        if not self.queue:
            self.queue.append(Forming(now_us))
        reached = InputOffset(step.topic, step.partition, step.next_offset, step.lane)
        self.queue[-1].inputs[step.topic, step.partition, step.lane] = reached
        self.work.set()

    async def observe(self) -> None:
        """Return when everything that was applied so far is durable; a query awaits this before it answers.

        Raises:
            AppendFailed: it never will be in this process; the answer must not be given.
        """
        asked_us = lease_clock_us()
        while True:
            if self.failure is not None:
                raise self.lost(self.failure)
            newest = self.queue[-1] if self.queue else self._appending
            if newest is not None:
                await self._durable(newest)
            if self._log.vouches(asked_us):
                return
            if self.ended:
                raise self.lost(ShuttingDown("this process has stopped"))
            if not self.queue and self._appending is None:
                # Nothing to log, but only an append shows that nobody else owns the log meanwhile.
                self.queue.append(Forming(self._clock.now_us()))
                self.work.set()

    async def _durable(self, newest: Forming) -> None:
        """Return when a batch that is not durable yet is."""
        span = current.get()
        asked_ns = 0 if span is None else time_ns()
        waiter = asyncio.get_running_loop().create_future()
        newest.waiters.append(waiter)
        self.room -= 1
        try:
            await waiter
        finally:
            self.room += 1
        if span is not None:
            told = {"crowdroute.batch.sequence": newest.sequence}
            if asked_ns < newest.began_ns:
                span.step("wait in the queue", asked_ns, newest.began_ns, told)
            told["crowdroute.batch.entries"] = len(newest.entries)
            span.step("commit", max(asked_ns, newest.began_ns), newest.ended_ns, told)

    async def append(self, batch: Forming) -> None:
        """Make a batch durable; then answer whoever waits for it, and tell whoever follows.

        Raises:
            StorageError: the log does not hold it for certain.
        """
        self._appending = batch
        self.answered = len(batch.waiters)
        sequence = self.sequence + 1
        inputs = tuple(batch.inputs.values())
        body = assemble(sequence, batch.encoded, inputs, alive_us=batch.alive_us)
        stored = StoredBatch(sequence, self._log.epoch, chain(self._chain, body), body)
        batch.sequence, batch.began_ns, began = sequence, time_ns(), perf_counter()
        await self._log.append(stored, batch.contents)
        batch.ended_ns = time_ns()
        self.append_seconds.observe(perf_counter() - began)
        self.batch_entries.observe(len(batch.entries))
        self.sequence, self._chain = sequence, stored.chain
        self._appending = None
        self.room_bytes += batch.size + batch.content_size
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_result(None)
        for follower in tuple(self._followers):
            follower(batch.entries)
        for on_appended in self._feeds:
            on_appended(stored)

    def silent(self) -> bool:
        """Say whether nothing was logged for a while; it is asked again only after as long."""
        now_us = self._clock.now_us()
        if now_us - self.logged_us < ALIVE_US:
            return False
        self.logged_us = now_us
        return True

    def stop(self, error: Exception) -> None:
        """Stop for good and tell everyone who waits."""
        if self.failure is not None:
            return
        self.failure = (
            error if isinstance(error, RouterError) else RouterError(f"a defect stopped the shard: {error!r}")
        )
        self.work.set()
        waiting = [*self.queue] if self._appending is None else [self._appending, *self.queue]
        for batch in waiting:
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_exception(self.lost(error))
        if not self.failed.done():
            self.failed.set_result(self.failure)

    def lost(self, error: BaseException) -> AppendFailed:
        """Say to one waiter that the outcome is unknown here; each gets an error of its own."""
        lost = AppendFailed(
            f"the shard stopped ({error}): call again with the same idempotency key",
            {"cause": error.code if isinstance(error, RouterError) else type(error).__name__},
        )
        lost.__cause__ = error
        return lost
