"""Defects of the shells, planted one at a time into a run of the test that must catch it.

Each takes pytest's monkeypatch. Those of the core are in `tests/simulation/bugs.py`, those of the log on
Kafka in `tests/property/kafka/bugs.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from crowdroute.router.adapters.system import SystemClock
from crowdroute.router.errors import AppendFailed
from crowdroute.router.events import Batch
from crowdroute.router.machine import deciding
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.ports import Kept
from crowdroute.router.rpc import service
from crowdroute.router.rpc.reach import Reach
from crowdroute.router.runtime.commits import Commits
from crowdroute.router.runtime.directory.keeper import Keeper
from crowdroute.router.runtime.shard_loop import ShardLoop
from crowdroute.router.runtime.whereabouts import Whereabouts
from crowdroute.router.timers import Deadlines


def keeps_expired_leases(patch: pytest.MonkeyPatch) -> None:
    """No lease ever runs out."""
    patch.setattr(Deadlines, "pop_due", lambda self, now_us: None)


def overlooks_who_asks(patch: pytest.MonkeyPatch) -> None:
    """Whoever knows a project's id is shown it, whosever it is."""
    has, project_state = Shard.has, Shard.project_state
    patch.setattr(Shard, "has", lambda shard, stream: has(shard, _whosever(stream, shard.streams())))
    patch.setattr(
        Shard, "project_state", lambda shard, stream: project_state(shard, _whosever(stream, shard.streams()))
    )


def overlooks_whose_a_forwarded_call_is(patch: pytest.MonkeyPatch) -> None:
    """And is sent on to the process where it lives."""
    overlooks_who_asks(patch)
    careful = Whereabouts.shard_of

    def shard_of(where: Whereabouts, stream: str) -> int | None:
        projects = (
            project_stream(tenant, project)
            for tenant, machine in where.organisations()
            for project in machine.state.projects
        )
        return careful(where, _whosever(stream, projects))

    patch.setattr(Whereabouts, "shard_of", shard_of)


def _whosever(stream: str, streams: Iterable[str]) -> str:
    """Give the stream of the project that is meant, of whatever tenant."""
    _, _, project = stream.partition("/project/")
    return next((name for name in streams if project and name.endswith(project)), stream)


def overlooks_which_vendor_asks(patch: pytest.MonkeyPatch) -> None:
    """A vendor reaches the workers of every vendor."""
    patch.setattr(Reach, "covers", lambda reach, facts: True)


def takes_a_failed_append_for_done(patch: pytest.MonkeyPatch) -> None:
    """What waits for a batch goes on although its append failed."""
    careful = Commits.append

    async def append(commits: Commits, batch: Any) -> None:
        try:
            await careful(commits, batch)
        except AppendFailed:
            for waiter in batch.waiters:
                waiter.set_result(None)
            raise

    patch.setattr(Commits, "append", append)


def leaves_lost_rows_lost(patch: pytest.MonkeyPatch) -> None:
    """A directory that says it lost what was written is believed to have it."""
    careful = Keeper._write

    async def write(keeper: Keeper, kept: Any) -> Kept:
        outcome = await careful(keeper, kept)
        return Kept.DONE if outcome is Kept.LOST else outcome

    patch.setattr(Keeper, "_write", write)


def forgets_how_far_inputs_are(patch: pytest.MonkeyPatch) -> None:
    """A process that starts anew takes no notice of the records that were taken in."""
    careful = Shard.apply

    def apply(shard: Shard, batch: Batch) -> None:
        careful(shard, msgspec.structs.replace(batch, inputs=()))

    patch.setattr(Shard, "apply", apply)


def follows_the_wall_clock(patch: pytest.MonkeyPatch) -> None:
    """Logged time is whatever the machine's clock was set to."""
    patch.setattr(SystemClock, "now_us", lambda self: self._wall() // 1000)


def admits_everybody(patch: pytest.MonkeyPatch) -> None:
    """However much waits for the disk, more is taken."""
    patch.setattr(ShardLoop, "_admit", lambda self, request: None)


def leaves_without_waiting(patch: pytest.MonkeyPatch) -> None:
    """A drain does not wait for what was taken."""

    async def drain(loop: ShardLoop) -> None:
        await asyncio.sleep(0)
        loop._draining = True

    patch.setattr(ShardLoop, "drain", drain)


def names_nobody(patch: pytest.MonkeyPatch) -> None:
    """The log says what was done and not by whom."""
    honest = deciding.Cause
    patch.setattr(deciding, "Cause", lambda *said: msgspec.structs.replace(honest(*said), principal=""))


def trusts_every_message(patch: pytest.MonkeyPatch) -> None:
    """Bytes that are no message end a call as a defect of ours."""
    patch.setattr(service, "parse", lambda kind, raw, largest: kind.FromString(raw))
