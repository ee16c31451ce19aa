"""What the projects of a shard know of workers, added up: the part of a profile that lives in no one place.

Each shard tells its own sums, in a keyspace of its own; who wants a worker's whole adds up what all shards
tell (`work_of`). Nothing is decided by such a sum: each project goes by what stands in its own stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from crowdroute.router.events import Entry
from crowdroute.router.events.project import (
    AnswerDiscounted,
    AnswerSubmitted,
    AnswerWithdrawn,
    AssignmentSkipped,
    LeaseExpired,
    LeaseGranted,
    LeaseReleased,
    LeaseRevoked,
    ReviewConcluded,
)
from crowdroute.router.machine.project.reviewing import record_of
from crowdroute.router.machine.stream import tenant_of
from crowdroute.router.model.ids import Id, Kind, from_text, to_text
from crowdroute.router.ports import Directory
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.state.project import Project

TOLD = "told"
"""Key of a row that every shard tells, so that who did nothing there differs from who is not known of."""

OF_AN_ASSIGNMENT = (
    AnswerSubmitted
    | AnswerWithdrawn
    | AnswerDiscounted
    | AssignmentSkipped
    | LeaseExpired
    | LeaseReleased
    | LeaseRevoked
    | ReviewConcluded
)
"""Events after which the sums of the assignment's worker differ."""


class WorkSummary(NamedTuple):
    """What one worker did in some projects."""

    projects: int = 0
    """In which it was ever given work."""
    granted: int = 0
    """Assignments."""
    live: int = 0
    """Leases."""
    answered: int = 0
    """Answers that were accepted."""
    checked: int = 0
    """Answers that were compared with gold or a reviewer's."""
    correct: int = 0
    """Of those, the ones that were right."""

    def plus(self, other: WorkSummary) -> WorkSummary:
        """Add up what was done in other projects."""
        return WorkSummary(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Work:
    """Workers who were given work in a shard's projects, by tenant and id."""

    def __init__(self, shard: int, engine: Engine) -> None:
        self._engine = engine
        self.keyspace = work_in(shard)
        self._met: dict[str, tuple[str, ...]] = {}
        """By key: the streams of the projects that ever gave the worker work."""

    def keys(self) -> Sequence[str]:
        """Give everybody who was ever given work here."""
        self._met = {}
        for stream, state in self._engine.projects():
            workers = state.workers
            for row in range(workers.count):
                if workers.granted[row]:
                    self._meet(stream, workers.id_of(row))
        return [TOLD, *self._met]

    def row(self, key: str) -> bytes | None:
        """Give the sums of one worker."""
        if key == TOLD:
            return b"{}"
        streams = self._met.get(key)
        if streams is None:
            return None
        worker = from_text(Kind.WORKER, key.rpartition("/")[2])
        states = (self._engine.shard.project_state(stream) for stream in streams)
        return msgspec.json.encode(add_up(worker, states)._asdict())

    def touched(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Yield the workers whose sums changed."""
        for entry in entries:
            for event in entry.events:
                if isinstance(event, LeaseGranted):
                    yield self._meet(entry.stream, event.worker)
                elif isinstance(event, OF_AN_ASSIGNMENT):
                    state = self._engine.shard.project_state(entry.stream)
                    row = state.assignments.find(event.assignment)
                    yield self._meet(entry.stream, state.workers.id_of(state.assignments.worker[row]))

    def _meet(self, stream: str, worker: Id) -> str:
        key = key_of(tenant_of(stream), worker)
        streams = self._met.get(key, ())
        if stream not in streams:
            self._met[key] = (*streams, stream)
        return key


def add_up(worker: Id, projects: Iterable[Project]) -> WorkSummary:
    """Add up what a worker did in projects."""
    total = WorkSummary()
    for state in projects:
        row = state.workers.find(worker)
        if row >= 0 and state.workers.granted[row]:
            correct, checked = record_of(state, row)
            workers = state.workers
            one = WorkSummary(
                1, workers.granted[row], workers.live[row], workers.answered[row], checked, correct
            )
            total = total.plus(one)
    return total


async def work_of(
    group: ShardGroup, directory: Directory, tenant: str, worker: Id
) -> tuple[WorkSummary, bool]:
    """Add up what a worker did in all shards: in those here as it stands, elsewhere as it was told last.

    Args:
        group: of the shards that are here.
        directory: where the others tell theirs.
        tenant: whose worker it is.
        worker: id.

    Returns:
        The sum, and whether every shard is in it; those that nobody tells of at the moment are not.
    """
    key, total, whole = key_of(tenant, worker), WorkSummary(), True
    for shard in range(group.shard_map.shards):
        engine = group.engines.get(shard)
        if engine is not None:
            states = (state for stream, state in engine.projects() if tenant_of(stream) == tenant)
            total = total.plus(add_up(worker, states))
        else:
            rows = await directory.get(work_in(shard), [TOLD, key])
            whole &= TOLD in rows
            if key in rows:
                total = total.plus(WorkSummary(**msgspec.json.decode(rows[key])))
    return total, whole


def work_in(shard: int) -> str:
    """Name the keyspace of what workers did in a shard's projects."""
    return f"work/{shard}"


def key_of(tenant: str, worker: Id) -> str:
    """Name a worker's row."""
    return f"{tenant}/{to_text(Kind.WORKER, worker)}"
