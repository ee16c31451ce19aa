"""When an SQLite log moves its WAL into the database: once nobody appends, or before what was erased stays
too long in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

IDLE_SECONDS = 2.0
"""After this long without an append the WAL is moved into the database, so that the next start is quick."""

ERASED_SECONDS = 60.0
"""So long at most what was erased stays in the WAL of a log that is never idle: only what comes later
overwrites it there, and little may reach so far."""


class CheckpointTimer:
    """Has a log checkpointed in time; belongs to the event loop of its appends."""

    def __init__(self, checkpoint: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for the first append."""
        self._checkpoint = checkpoint
        self.erased = False
        """Whether what was erased may still stand in the WAL."""
        self._erased_at = 0.0
        self._appended_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None
        """The checkpoint that was begun last."""

    def appended(self, erased: bool) -> None:
        """Learn of an append, and whether it erased something."""
        if erased and not self.erased:
            self.erased, self._erased_at = True, asyncio.get_running_loop().time()
        self._arm()

    def moved(self, whole: bool) -> None:
        """Learn that the WAL was moved; not whole, when somebody read beside it, so that it must be again."""
        if self.erased and not whole:
            self._arm()
        else:
            self.erased = False

    def stop(self) -> None:
        """Begin no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Begin a checkpoint if it is time, or look again when it will be."""
        loop = asyncio.get_running_loop()
        due = self._appended_at + IDLE_SECONDS
        if self.erased:
            due = min(due, self._erased_at + ERASED_SECONDS)
        remaining = due - loop.time()
        if remaining > 0:
            self._timer = loop.call_later(remaining, self.look)
        else:
            self._timer = None
            self.task = loop.create_task(self._checkpoint())

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._appended_at = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(IDLE_SECONDS, self.look)
