"""Engines with one promise broken each, to prove that the tests would notice."""

from __future__ import annotations

import asyncio
from typing import Any

from crowdroute.router.ports import Clock, Core, EventLog
from crowdroute.router.runtime.commits import Commits
from crowdroute.router.runtime.forming import Forming
from crowdroute.router.runtime.shard_loop import ShardLoop

SLOW_COMMIT_S = 0.05
"""So long that a crowd is answered many times meanwhile, and a kill comes in between at any moment."""


class _Unawaited(Commits):
    """Whoever asks is told at once that everything is durable."""

    async def observe(self) -> None:
        await asyncio.sleep(0)


class _SlowAndUnawaited(_Unawaited):
    """The same over a slow disk."""

    async def append(self, batch: Forming) -> None:
        await asyncio.sleep(SLOW_COMMIT_S)
        await super().append(batch)


class RepliesEarly(ShardLoop):
    """The answer leaves before its batch is on disk."""

    commits_class: type[Commits] = _Unawaited

    def __init__(self, core: Core, log: EventLog, clock: Clock, **options: Any) -> None:
        super().__init__(core, log, clock, **options)
        known = {name: options[name] for name in ("last_us", "erasures") if name in options}
        self.commits = self.commits_class(log, clock, **known)


class RepliesLongBefore(RepliesEarly):
    """The same over a slow disk, where every crash shows it."""

    commits_class = _SlowAndUnawaited
