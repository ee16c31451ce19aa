"""The loop that owns one shard: nothing it decided is seen before the disk holds it.

    1 decide+apply    each command as it arrives, into the batch that is forming
    2 append          the batch, durably, while the next one forms
    3 reply, effects  to everyone who saw the batch: replies first, then whoever follows the log

Commands that arrive while an append is under way form the next batch; no time is spent waiting for more. A
refusal, a repeated reply and a query are answers too: each waits for the batches whose effects it may have
seen.

The first step stands here, the others in `runtime.commits`. The loop is crash-only: after a failed append, or
a defect in the core, nobody sees what is left in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from crowdroute.router.commands import Command, InputStep, Reply, Request
from crowdroute.router.errors import AppendFailed, AtCapacity, Refusal, RouterError, ShuttingDown
from crowdroute.router.events import Entry
from crowdroute.router.ports import Clock, ContentChange, Core, EventLog
from crowdroute.router.runtime.commits import WAITING_COMMANDS, Commits, no_erasures
from crowdroute.router.runtime.forming import Forming

GATHER_SECONDS, GATHER_STEP_SECONDS = 0.008, 0.001
"""How long a batch stays open for more while a crowd is at work: until a step brings no new command, and at
most so long. A COMMIT costs as much as several commands, most of it in changes of thread that slow the
reading of calls down too."""

CROWD = 4
"""Callers answered by one batch from which on more are expected; fewer never wait for one another."""

TICK_SECONDS = 1.0
"""Longest time between two looks at the clock. A suspended machine stops the timers but not logged time, so a
timer set far ahead would fire late."""

RETRY_SECONDS = 0.01
"""Shortest time between two looks when something is due but a step brought nothing about."""

OUTAGE_US = 10_000_000
"""Logged time between two looks from which on the engine counts as having been away: ten missed ticks."""

DONE, UNCHANGED = "DONE", "UNCHANGED"
"""Outcomes of commands that were not refused: something was logged, or there was nothing to log (no task for
who asked, or a repeated command)."""


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
        erasures: Callable[[Sequence[Entry]], Sequence[ContentChange]] = no_erasures,
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
        self._clock = clock
        self._outages = outages
        self._matters = matters
        self.commits = Commits(
            log, clock, last_us=last_us, erasures=erasures, waiting_commands=waiting_commands
        )
        """Makes durable what is decided here."""
        self._seen_us = self.commits.logged_us
        self._draining = False
        self._task: asyncio.Task[None] | None = None
        self.outcomes: defaultdict[tuple[type[Command], str], int] = defaultdict(int)
        """How often each kind of command ended how: DONE, UNCHANGED, or the code of the error."""

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
            await self.commits.observe()
            raise
        await self.commits.observe()
        return reply

    def decide(self, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Decide a command at once, as `submit` does, but leave the waiting to the caller.

        Nobody may be told of the reply, or of a refusal, before `commits.observe` has returned. What is
        decided between two awaits goes into one batch.

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
            self.commits.take(entries, contents if entries else ())
            self.commits.reach(step, now_us)
        except Refusal as refusal:
            self._count(request, refusal.code)
            raise
        except Exception as error:
            raise self._stopped_by(error, request) from error
        self._count(request, DONE if entries else UNCHANGED)
        await self.commits.observe()

    def _admit(self, request: Request | None) -> None:
        refused: RouterError
        commits = self.commits
        if commits.failure is not None:
            refused = commits.lost(commits.failure)
        elif self._draining:
            refused = ShuttingDown("this process is about to stop: call again")
        elif commits.room <= 0 or commits.room_bytes <= 0:
            refused = AtCapacity("too many commands wait for the disk: call again in a second")
        else:
            return
        self._count(request, refused.code)
        raise refused

    def _decide(self, request: Request, contents: Sequence[ContentChange]) -> Reply:
        try:
            entries, reply = self._core.handle(request, self._now())
            if entries:
                self.commits.take(entries, contents)
        except Refusal as refusal:
            self._count(request, refusal.code)
            raise
        except Exception as error:
            raise self._stopped_by(error, request) from error
        self._count(request, DONE if entries else UNCHANGED)
        return reply

    def _stopped_by(self, defect: Exception, request: Request | None) -> AppendFailed:
        """Stop for good, and give what the caller is told whose command came upon a defect."""
        self.commits.stop(defect)
        lost = self.commits.lost(defect)
        self._count(request, lost.code)
        return lost

    def _count(self, request: Request | None, outcome: str) -> None:
        """Count how a command ended; a step of an input that asks for nothing is none."""
        if request is not None:
            self.outcomes[type(request.command), outcome] += 1

    async def drain(self) -> None:
        """Take nothing new, make durable and answer what was taken, and stop.

        Raises:
            AppendFailed: not everything that was taken became durable.
        """
        self._draining = True
        self.commits.work.set()
        if self._task is not None:
            await self._task
        if self.commits.failure is not None:
            raise self.commits.lost(self.commits.failure)

    def wake(self) -> None:
        """Look at the clock now (after it was moved by hand)."""
        self.commits.work.set()

    async def _run(self) -> None:
        commits = self.commits
        try:
            while commits.failure is None:
                commits.work.clear()
                if not self._draining:
                    self._bring_about_due()
                if commits.queue:
                    if commits.answered >= CROWD:
                        await self._gather(commits.queue[-1])
                    await commits.append(commits.queue.popleft())
                elif self._draining:
                    commits.ended = True
                    return
                elif commits.silent() and self._matters():
                    await commits.append(Forming(commits.logged_us))
                else:
                    await self._wait()
        except asyncio.CancelledError:
            commits.stop(ShuttingDown("the loop was cancelled"))
            raise
        except Exception as error:
            commits.stop(error)

    def _now(self) -> int:
        """Read the clock; after an outage, first let the streams know of it."""
        now_us = self._clock.now_us()
        away_us, self._seen_us = now_us - self._seen_us, now_us
        if away_us > OUTAGE_US:
            for request in self._outages(away_us):
                with contextlib.suppress(Refusal):  # a stream with nothing to extend may say so
                    entries, _ = self._core.handle(request, now_us)
                    self.commits.take(entries, ())
        return now_us

    def _bring_about_due(self) -> None:
        """Take one bounded step of what time has made due."""
        now_us = self._now()
        due_us = self._core.next_due_us()
        if due_us is not None and due_us <= now_us:
            self.commits.take(self._core.due(now_us), ())

    async def _gather(self, batch: Forming) -> None:
        """Let the commands whose calls are on their way join a batch, rather than pay for a COMMIT of their
        own."""
        time, queue = asyncio.get_running_loop().time, self.commits.queue
        latest, size = time() + GATHER_SECONDS, -1
        while batch.size != size and queue[-1] is batch and time() < latest and not self._draining:
            size = batch.size
            await asyncio.sleep(GATHER_STEP_SECONDS)

    async def _wait(self) -> None:
        """Sleep until there is work, something may be due, or a tick has passed."""
        delay = TICK_SECONDS
        due_us = self._core.next_due_us()
        if due_us is not None:
            delay = min(max((due_us - self._clock.now_us()) / 1e6, RETRY_SECONDS), delay)
        timer = asyncio.get_running_loop().call_later(delay, self.commits.work.set)
        try:
            await self.commits.work.wait()
        finally:
            timer.cancel()
