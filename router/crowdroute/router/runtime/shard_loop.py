"""The loop that owns one shard: nothing it decided is seen before the disk holds it.

    1 decide+apply    each command as it arrives, into the batch that is forming
    2 append          the batch, durably, while the next one forms
    3 reply, effects  to everyone who saw the batch: replies first, then whoever follows the log

Commands that arrive while an append is under way form the next batch; no time is spent waiting for more. A
refusal, a repeated reply and a query are answers too: each waits for the batches whose effects it may have
seen.

The loop is crash-only. After a failed append, or a defect in the core, the state in memory is ahead of the
disk by an unknown amount: every waiter is told, `failed` is set, and the process must end and fold the log
again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter, time_ns

from crowdroute.router.adapters.codec import assemble, chain, encode_entry
from crowdroute.router.adapters.system import lease_clock_us
from crowdroute.router.commands import Command, InputStep, Reply, Request
from crowdroute.router.errors import AppendFailed, AtCapacity, Refusal, RouterError, ShuttingDown
from crowdroute.router.events import Entry, InputOffset
from crowdroute.router.ports import Clock, ContentChange, Core, EventLog, StoredBatch
from crowdroute.router.runtime.histogram import Histogram
from crowdroute.router.runtime.tracing import current

BATCH_BYTES = 512 * 1024
"""Encoded entries at which a batch is closed: what one Kafka record and one COMMIT carry without a stall."""

BATCH_CONTENT_BYTES = 4 << 20
"""Contents at which a batch is closed, so that an import of large texts does not hold up everybody else."""

GATHER_SECONDS, GATHER_STEP_SECONDS = 0.008, 0.001
"""How long a batch stays open for more while a crowd is at work: until a step brings no new command, and at
most so long. A COMMIT costs as much as several commands, most of it in changes of thread that slow the
reading of calls down too."""

CROWD = 4
"""Callers answered by one batch from which on more are expected; fewer never wait for one another."""

WAITING_COMMANDS = 4096
"""Answers that may wait for the disk at once; beyond it callers are told to come again."""

WAITING_BYTES = 64 << 20
"""Entries and contents that may wait for the disk at once."""

TICK_SECONDS = 1.0
"""Longest time between two looks at the clock. A suspended machine stops the timers but not logged time, so a
timer set far ahead would fire late."""

RETRY_SECONDS = 0.01
"""Shortest time between two looks when something is due but a step brought nothing about."""

ALIVE_US = 5_000_000
"""Logged time without a batch after which a sign of life is logged while leases are live: an outage seems to
be at most so much longer than it was. Once the last lease of a quiet engine has run out there are no more."""

OUTAGE_US = 10_000_000
"""Logged time between two looks from which on the engine counts as having been away: ten missed ticks."""

DONE, UNCHANGED = "DONE", "UNCHANGED"
"""Outcomes of commands that were not refused: something was logged, or there was nothing to log (no task for
who asked, or a repeated command)."""

APPEND_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bounds for how long an append takes: from a memory disk to one that stalls."""

BATCH_ENTRIES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Bounds for how many entries one batch has."""


class _Forming:
    """A batch that is not durable yet: what it holds and who waits for it."""

    __slots__ = (
        *("alive_us", "began_ns", "content_size", "contents", "encoded", "ended_ns", "entries", "inputs"),
        *("sequence", "size", "waiters"),
    )

    def __init__(self, alive_us: int = 0) -> None:
        self.alive_us = alive_us
        self.entries: list[Entry] = []
        self.encoded: list[bytes] = []
        self.size = 0
        self.inputs: dict[tuple[str, int, str], InputOffset] = {}
        self.contents: list[ContentChange] = []
        self.content_size = 0
        self.waiters: list[asyncio.Future[None]] = []
        # For whoever traces a call that waited for it:
        self.sequence = 0
        self.began_ns = 0
        self.ended_ns = 0


def _no_erasures(_entries: Sequence[Entry]) -> Sequence[ContentChange]:
    return ()


def _no_outages(_length_us: int) -> Iterable[Request]:
    return ()


def _never() -> bool:
    return False


class ShardLoop:
    """Decides, appends and answers for one shard; `start` it inside a running event loop."""

    def __init__(
        self,
        core: Core,
        log: EventLog,
        clock: Clock,
        *,
        last_us: int | None = None,
        erasures: Callable[[Sequence[Entry]], Sequence[ContentChange]] = _no_erasures,
        outages: Callable[[int], Iterable[Request]] = _no_outages,
        matters: Callable[[], bool] = _never,
        waiting_commands: int = WAITING_COMMANDS,
    ) -> None:
        """Take over a core that has folded `log` to its head.

        Args:
            core: ready to decide (settled).
            log: opened by this process.
            clock: logged time; at least `last_us`.
            last_us: logged time of the last entry or sign of life in the log; what passed since counts as an
                outage.
            erasures: names the contents that entries delete; they go in the transaction of those entries.
            outages: gives the commands that tell the streams of an outage of so many microseconds; they are
                decided before anything else after it.
            matters: tells whether an outage would extend anything now, so that signs of life are worth their
                place in the log.
            waiting_commands: answers that may wait for the disk at once.
        """
        self._core = core
        self._log = log
        self._clock = clock
        self._erasures = erasures
        self._outages = outages
        self._matters = matters
        self._sequence, self._chain = log.head()
        self._seen_us = clock.now_us() if last_us is None else last_us
        self._logged_us = self._seen_us
        self._room = waiting_commands
        self._room_bytes = WAITING_BYTES
        self._queue: deque[_Forming] = deque()
        self._appending: _Forming | None = None
        self._work = asyncio.Event()
        self._crowded = False
        self._draining = False
        self._failure: RouterError | None = None
        self._task: asyncio.Task[None] | None = None
        self._followers: list[Callable[[Sequence[Entry]], None]] = []
        self._feeds: list[Callable[[StoredBatch], None]] = []
        self.outcomes: defaultdict[tuple[type[Command], str], int] = defaultdict(int)
        """How often each kind of command ended how: DONE, UNCHANGED, or the code of the error."""
        self.append_seconds = Histogram(APPEND_SECONDS)
        self.batch_entries = Histogram(BATCH_ENTRIES)
        self.failed: asyncio.Future[RouterError] = asyncio.get_running_loop().create_future()
        """Done, with the reason, once the loop can never go on; the process must then exit."""

    @property
    def sequence(self) -> int:
        """Sequence of the last durable batch."""
        return self._sequence

    def subscribe(self, on_durable: Callable[[Sequence[Entry]], None]) -> Callable[[], None]:
        """Have the entries of each batch told once they are durable, in order; gives what ends it.

        A follower must not raise: it is part of the engine, and its defect stops the loop.
        """
        self._followers.append(on_durable)
        return lambda: self._followers.remove(on_durable)

    def feed(self, on_appended: Callable[[StoredBatch], None]) -> None:
        """Have each durable batch handed on as the log holds it (to the snapshotter)."""
        self._feeds.append(on_appended)

    def start(self) -> None:
        """Begin to append and to bring about what is due."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="shard-loop")

    async def submit(self, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Decide a command and answer when its effect is durable.

        Args:
            request: the command with its envelope.
            contents: what the content store must hold with it; not written when the command changes nothing.

        Raises:
            Refusal: nothing changed; every fact that it rests on is durable.
            AtCapacity: too much waits for the disk; the command was not looked at.
            ShuttingDown: the loop drains; likewise.
            AppendFailed: whether the command took effect is unknown until the log is folded again.
        """
        self._admit(request)
        try:
            reply = self._decide(request, contents)
        except Refusal:
            await self.observe()
            raise
        await self.observe()
        return reply

    def decide(self, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Decide a command at once, as `submit` does, but leave the waiting to the caller.

        Nobody may be told of the reply, or of a refusal, before `observe` has returned. What is decided
        between two awaits goes into one batch.

        Raises:
            Refusal, AtCapacity, ShuttingDown, AppendFailed: as `submit`.
        """
        self._admit(request)
        return self._decide(request, contents)

    async def take_in(
        self, step: InputStep, request: Request | None, contents: Sequence[ContentChange] = ()
    ) -> None:
        """Take in records of an input: what they ask for and the input's new offset, in one batch.

        Args:
            step: which records; it must begin where the last step of that partition ended.
            request: what they ask for; None when they ask for nothing.
            contents: as in `submit`.

        Raises:
            Refusal, AtCapacity, ShuttingDown, AppendFailed: as `submit`; `WrongState` when the step begins
                elsewhere.
        """
        self._admit(request)
        try:
            now_us = self._now()
            entries = self._core.take_in(step, request, now_us)
            self._take(entries, contents if entries else ())
            if not entries and not self._queue:
                self._queue.append(_Forming(now_us))
            reached = InputOffset(step.topic, step.partition, step.next_offset, step.lane)
            self._queue[-1].inputs[step.topic, step.partition, step.lane] = reached
            self._work.set()
        except Refusal as refusal:
            self._count(request, refusal.code)
            raise
        except Exception as error:
            self.stop(error)
            lost = self._lost(error)
            self._count(request, lost.code)
            raise lost from error
        self._count(request, DONE if entries else UNCHANGED)
        await self.observe()

    def _admit(self, request: Request | None) -> None:
        refused: RouterError
        if self._failure is not None:
            refused = self._lost(self._failure)
        elif self._draining:
            refused = ShuttingDown("this process is about to stop: call again")
        elif self._room <= 0 or self._room_bytes <= 0:
            refused = AtCapacity("too many commands wait for the disk: call again in a second")
        else:
            return
        self._count(request, refused.code)
        raise refused

    def _decide(self, request: Request, contents: Sequence[ContentChange]) -> Reply:
        try:
            entries, reply = self._core.handle(request, self._now())
            if entries:
                self._take(entries, contents)
        except Refusal as refusal:
            self._count(request, refusal.code)
            raise
        except Exception as error:
            self.stop(error)
            lost = self._lost(error)
            self._count(request, lost.code)
            raise lost from error
        self._count(request, DONE if entries else UNCHANGED)
        return reply

    def _count(self, request: Request | None, outcome: str) -> None:
        """Count how a command ended; a step of an input that asks for nothing is none."""
        if request is not None:
            self.outcomes[type(request.command), outcome] += 1

    async def observe(self) -> None:
        """Return when everything that was applied so far is durable; a query awaits this before it answers.

        Raises:
            AppendFailed: it never will be in this process; the answer must not be given.
        """
        asked_us = lease_clock_us()
        while True:
            if self._failure is not None:
                raise self._lost(self._failure)
            newest = self._queue[-1] if self._queue else self._appending
            if newest is not None:
                await self._durable(newest)
            if self._log.vouches(asked_us):
                return
            if self._task is not None and self._task.done():
                raise self._lost(ShuttingDown("this process has stopped"))
            if not self._queue and self._appending is None:
                # Nothing to log, but only an append shows that nobody else owns the log meanwhile.
                self._queue.append(_Forming(self._clock.now_us()))
                self._work.set()

    async def _durable(self, newest: _Forming) -> None:
        """Return when a batch that is not durable yet is."""
        span = current.get()
        asked_ns = 0 if span is None else time_ns()
        waiter = asyncio.get_running_loop().create_future()
        newest.waiters.append(waiter)
        self._room -= 1
        try:
            await waiter
        finally:
            self._room += 1
        if span is not None:
            told = {"crowdroute.batch.sequence": newest.sequence}
            if asked_ns < newest.began_ns:
                span.step("wait in the queue", asked_ns, newest.began_ns, told)
            told["crowdroute.batch.entries"] = len(newest.entries)
            span.step("commit", max(asked_ns, newest.began_ns), newest.ended_ns, told)

    async def drain(self) -> None:
        """Take nothing new, make durable and answer what was taken, and stop.

        Raises:
            AppendFailed: not everything that was taken became durable.
        """
        self._draining = True
        self._work.set()
        if self._task is not None:
            await self._task
        if self._failure is not None:
            raise self._lost(self._failure)

    def wake(self) -> None:
        """Look at the clock now (after it was moved by hand)."""
        self._work.set()

    async def _run(self) -> None:
        try:
            while self._failure is None:
                self._work.clear()
                if not self._draining:
                    self._bring_about_due()
                if self._queue:
                    if self._crowded:
                        await self._gather(self._queue[-1])
                    await self._append(self._queue.popleft())
                elif self._draining:
                    return
                elif self._silent() and self._matters():
                    await self._append(_Forming(self._logged_us))
                else:
                    await self._wait()
        except asyncio.CancelledError:
            self.stop(ShuttingDown("the loop was cancelled"))
            raise
        except Exception as error:
            self.stop(error)

    def _now(self) -> int:
        """Read the clock; after an outage, first let the streams know of it."""
        now_us = self._clock.now_us()
        away_us, self._seen_us = now_us - self._seen_us, now_us
        if away_us > OUTAGE_US:
            for request in self._outages(away_us):
                with contextlib.suppress(Refusal):  # a stream with nothing to extend may say so
                    entries, _ = self._core.handle(request, now_us)
                    self._take(entries, ())
        return now_us

    def _bring_about_due(self) -> None:
        """Take one bounded step of what time has made due."""
        now_us = self._now()
        due_us = self._core.next_due_us()
        if due_us is not None and due_us <= now_us:
            self._take(self._core.due(now_us), ())

    def _silent(self) -> bool:
        """Say whether nothing was logged for a while; it is asked again only after as long."""
        now_us = self._clock.now_us()
        if now_us - self._logged_us < ALIVE_US:
            return False
        self._logged_us = now_us
        return True

    def _take(self, entries: Sequence[Entry], contents: Sequence[ContentChange]) -> None:
        """Put what one decision brought about into the forming batch, whole."""
        if not entries:
            return
        self._logged_us = max(self._logged_us, entries[-1].at_us)
        encoded = [encode_entry(entry) for entry in entries]
        size = sum(map(len, encoded))
        changes = (*contents, *self._erasures(entries))
        content_size = sum(len(body) for _, body in changes if body is not None)
        if not self._queue or not _fits(self._queue[-1], size, content_size):
            self._queue.append(_Forming())
        forming = self._queue[-1]
        forming.entries += entries
        forming.encoded += encoded
        forming.size += size
        forming.contents += changes
        forming.content_size += content_size
        self._room_bytes -= size + content_size
        self._work.set()

    async def _gather(self, batch: _Forming) -> None:
        """Let the commands whose calls are on their way join a batch, rather than pay for a COMMIT of their
        own."""
        time = asyncio.get_running_loop().time
        latest, size = time() + GATHER_SECONDS, -1
        while batch.size != size and self._queue[-1] is batch and time() < latest and not self._draining:
            size = batch.size
            await asyncio.sleep(GATHER_STEP_SECONDS)

    async def _append(self, batch: _Forming) -> None:
        self._appending = batch
        self._crowded = len(batch.waiters) >= CROWD
        sequence = self._sequence + 1
        inputs = tuple(batch.inputs.values())
        body = assemble(sequence, batch.encoded, inputs, alive_us=batch.alive_us)
        stored = StoredBatch(sequence, self._log.epoch, chain(self._chain, body), body)
        batch.sequence, batch.began_ns, began = sequence, time_ns(), perf_counter()
        await self._log.append(stored, batch.contents)
        batch.ended_ns = time_ns()
        self.append_seconds.observe(perf_counter() - began)
        self.batch_entries.observe(len(batch.entries))
        self._sequence, self._chain = sequence, stored.chain
        self._appending = None
        self._room_bytes += batch.size + batch.content_size
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_result(None)
        for follower in tuple(self._followers):
            follower(batch.entries)
        for on_appended in self._feeds:
            on_appended(stored)

    async def _wait(self) -> None:
        """Sleep until there is work, something may be due, or a tick has passed."""
        delay = TICK_SECONDS
        due_us = self._core.next_due_us()
        if due_us is not None:
            delay = min(max((due_us - self._clock.now_us()) / 1e6, RETRY_SECONDS), delay)
        timer = asyncio.get_running_loop().call_later(delay, self._work.set)
        try:
            await self._work.wait()
        finally:
            timer.cancel()

    def stop(self, error: Exception) -> None:
        """Stop for good and tell everyone who waits."""
        if self._failure is not None:
            return
        self._failure = (
            error if isinstance(error, RouterError) else RouterError(f"a defect stopped the shard: {error!r}")
        )
        self._work.set()
        waiting = [*self._queue] if self._appending is None else [self._appending, *self._queue]
        for batch in waiting:
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_exception(self._lost(error))
        if not self.failed.done():
            self.failed.set_result(self._failure)

    def _lost(self, error: BaseException) -> AppendFailed:
        """Say to one waiter that the outcome is unknown here; each gets an error of its own."""
        lost = AppendFailed(
            f"the shard stopped ({error}): call again with the same idempotency key",
            {"cause": error.code if isinstance(error, RouterError) else type(error).__name__},
        )
        lost.__cause__ = error
        return lost


def _fits(batch: _Forming, size: int, content_size: int) -> bool:
    return batch.size + size <= BATCH_BYTES and batch.content_size + content_size <= BATCH_CONTENT_BYTES
