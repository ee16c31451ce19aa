"""The commands of a whole project with the time of each, and engines that carry them out again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.small_crowd import rules_without_chance, small_crowd

from crowdroute.router.adapters.memory import ManualClock, SeededIds
from crowdroute.router.adapters.sqlite_content import SqliteContents
from crowdroute.router.commands import Reply, Request
from crowdroute.router.events import Entry
from crowdroute.router.machine.shard import Shard
from crowdroute.router.replay.in_process import InProcessReplay
from crowdroute.router.replay.outcome import Outcome
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.serving import ServableLog


class Recorded(NamedTuple):
    """What was sent, when, and what came of it."""

    commands: list[tuple[Request, int]]
    """Each with its microsecond."""
    replay: InProcessReplay
    outcome: Outcome

    async def carry_out(self, log: ServableLog) -> Outcome:
        """Send every command to an engine over an empty log, at its own time and once the one before is
        durable; give what comes of it."""
        clock = ManualClock(self.commands[0][1])
        shard = Shard()
        engine = Engine(
            shard, log, SqliteContents(log), clock, SeededIds(1), content_key=log.content_key, last_us=0
        )
        engine.start()
        for request, now_us in self.commands:
            clock.advance(now_us - clock.now_us())
            await engine.submit(request)
        await engine.drain()
        outcome = Outcome([], [])
        self.replay.shard = shard
        self.replay.conclude(outcome)
        return outcome


def record_commands(folder: Path) -> Recorded:
    """Let a small crowd work through the core alone, without exploration, and note every command."""
    commands: list[tuple[Request, int]] = []
    handle = Shard.handle

    def noted(shard: Shard, request: Request, now_us: int) -> tuple[list[Entry], Reply]:
        commands.append((request, now_us))
        return handle(shard, request, now_us)

    crowd = small_crowd(folder)
    rules = rules_without_chance(crowd)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shard, "handle", noted)
        replay = InProcessReplay(crowd, rules, seed=1)
        outcome = replay.play()
    return Recorded(commands, replay, outcome)
