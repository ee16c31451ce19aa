"""Carrying out the refits that rules have fall due, beside the shard whose log says so.

A refit that is due stands in the project's state until it is in force. So whoever comes to serve the shard,
after a crash or a move, finds it there and begins it, and nobody needs to remember anything. It is in force
once: the log takes its version one time, and from then on it is due no more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from crowdroute.router.errors import RouterError, WrongState
from crowdroute.router.events import Entry
from crowdroute.router.events.project import RefitFellDue
from crowdroute.router.ports import Jobs
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.refit_outcomes import RefitOutcome
from crowdroute.router.runtime.refitting import begin_refit

FIRST_WAIT_S = 1.0
"""After a refit came to nothing: what made it stale or lost its process is mostly over in a moment."""

LONGEST_WAIT_S = 3600.0
"""Between tries at last: what has failed for hours mostly needs a person, who reads the log's warnings."""

_log = structlog.get_logger("crowdroute.refits")


class DueRefits:
    """Those of one shard, done one after the other: each holds a copy of all answers while it waits."""

    def __init__(self, engine: Engine, jobs: Jobs) -> None:
        """Begin what is due already, and what falls due from now on."""
        self._engine = engine
        self._jobs = jobs
        self._outcomes = engine.scheduled_refits
        self._due = deque(stream for stream, state in engine.projects() if state.refits.due)
        self._failures: dict[str, int] = {}
        """How often in a row, by stream."""
        self._put_off: set[asyncio.TimerHandle] = set()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe = engine.subscribe(self._note)
        self._go_on()

    async def stop(self) -> None:
        """Begin no more, and end the one under way."""
        self._unsubscribe()
        for timer in self._put_off:
            timer.cancel()
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait([task])

    def _note(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            # Nothing else brings one about, and this is asked of every entry there is.
            if entry.cause.command == "due" and any(type(one) is RefitFellDue for one in entry.events):
                self._add(entry.stream)

    def _add(self, stream: str) -> None:
        self._due.append(stream)
        self._go_on()

    def _go_on(self) -> None:
        if self._due and self._task is None:
            self._task = asyncio.create_task(self._carry_out_all(), name="due refits")

    async def _carry_out_all(self) -> None:
        try:
            while self._due:
                stream = self._due.popleft()
                try:
                    await self._carry_out(stream)
                except WrongState as error:
                    self._try_later(stream, RefitOutcome.STALE, code=error.code, why=error.message)
                except RouterError as error:
                    self._try_later(stream, RefitOutcome.FAILED, code=error.code, why=error.message)
                except Exception as error:  # a defect of ours, which must not end the others' refits
                    self._try_later(stream, RefitOutcome.FAILED, exc_info=error)
                else:
                    self._failures.pop(stream, None)
        finally:
            self._task = None

    async def _carry_out(self, stream: str) -> None:
        engine = self._engine
        if not self._is_due(stream):
            return
        refitting = await begin_refit(engine, stream, self._jobs)
        try:
            command = await refitting.found()
        finally:
            refitting.cancel()
        if not self._is_due(stream):
            return
        await engine.submit(engine.request(stream, command))
        self._outcomes[RefitOutcome.DONE] += 1
        _log.info("a refit that was due is in force", stream=stream, version=command.version)

    def _is_due(self, stream: str) -> bool:
        """Say whether one is due still: another may have come into force, or rules that want none."""
        return self._engine.shard.project_state(stream).refits.due > 0

    def _try_later(self, stream: str, outcome: RefitOutcome, **cause: object) -> None:
        self._outcomes[outcome] += 1
        failures = self._failures[stream] = self._failures.get(stream, 0) + 1
        wait_s = min(FIRST_WAIT_S * 2 ** (failures - 1), LONGEST_WAIT_S)
        _log.warning("a refit that is due came to nothing", stream=stream, again_in_s=wait_s, **cause)

        def again() -> None:
            self._put_off.discard(timer)
            self._add(stream)

        timer = asyncio.get_running_loop().call_later(wait_s, again)
        self._put_off.add(timer)


def refit_when_due(jobs: Jobs) -> Callable[[Engine], Callable[[], Awaitable[None]]]:
    """Give what a group has run beside each of its shards; see `ShardGroup.accompany`."""
    return lambda engine: DueRefits(engine, jobs).stop
