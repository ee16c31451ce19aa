"""What a scrape tells, read in the event loop, where nothing changes while it is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import NamedTuple, Protocol

from crowdroute.router.adapters.archive_standing import ArchiveStanding
from crowdroute.router.feeds.room import open_tasks
from crowdroute.router.feeds.standing import FeedStanding, OutboxStanding
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.runtime.engine import EngineState
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.histogram import Histogram
from crowdroute.router.runtime.refit_outcomes import RefitOutcome
from crowdroute.router.state.project import Project

MOST_PROJECTS = 200
"""Projects that are told one by one, the busiest; the others are told as one sum."""

OTHERS = "other"


class Served(Protocol):
    """What is measured: the server, and the engines behind its gate once there are any."""

    @property
    def gate(self) -> Gate:
        """What lets calls in."""

    @property
    def work_streams(self) -> int:
        """How many work streams are open."""


class Distribution(NamedTuple):
    """A histogram as it was at one moment."""

    bounds: Sequence[float]
    cumulative: Sequence[int]
    """How many values were at most each bound, and at last how many there were."""
    total: float


class ProjectReading(NamedTuple):
    """How much there is to do in a project."""

    project: str
    open_tasks: int
    live_leases: int


class EngineReading(NamedTuple):
    """What the engines tell that were recovered, one per shard."""

    outcomes: Mapping[tuple[int, str, str], int]
    """How often by shard, the command's name and its outcome."""
    append_seconds: Mapping[int, Distribution]
    """By shard."""
    batch_entries: Mapping[int, Distribution]
    sequences: Mapping[int, int]
    """By shard."""
    snapshot_sequences: Mapping[int, int]
    snapshotter_restarts: int
    waiting: int
    projects: Sequence[ProjectReading]
    generation: int
    """Of the placement that is known here."""
    snapshot_times: Mapping[int, float] = {}
    """When this process last wrote a snapshot, by shard; seconds since 1970."""
    archives: Mapping[int, ArchiveStanding] = {}
    """By shard; those without an archive are absent."""
    scheduled_refits: Mapping[tuple[int, RefitOutcome], int] = {}
    """How often by shard and outcome."""


class InputReading(NamedTuple):
    """How far one partition of tasks is taken in."""

    topic: str
    partition: int
    taken: int
    refused: int
    lag: int
    waiting: int
    """Projects that are full, whose records wait."""


class OutboxReading(NamedTuple):
    """How far one shard's log is put out."""

    shard: int
    put: Mapping[str, int]
    """Records by topic."""
    lag: int
    """Batches."""
    age_seconds: float
    """Logged time since the last that was put out; 0 when nothing waits."""


class DirectoryReading(NamedTuple):
    """How the directory that is shared with other processes stands."""

    current: bool
    """Whether it has everything as the state has it."""
    answers: bool
    pending: Mapping[int, int]
    """Changed rows that are not written yet, by shard."""


class Reading(NamedTuple):
    """What one scrape tells."""

    state: EngineState
    calls: Mapping[tuple[str, str], Distribution]
    """By the call's name and the name of its gRPC status."""
    work_streams: int
    engine: EngineReading | None
    """None while the log is read."""
    inputs: Sequence[InputReading] = ()
    outboxes: Sequence[OutboxReading] = ()
    directory: DirectoryReading | None = None
    """None: nothing is shared with other processes."""


async def read(served: Served, feeds: FeedStanding) -> Reading:
    """Read everything; run it in the loop of the engine."""
    group = served.gate.group
    return Reading(
        EngineState.STARTING if group is None else group.state,
        {
            (record.name, code): _distribution(durations)
            for record in served.gate.records
            for code, durations in record.durations.items()
        },
        served.work_streams,
        None if group is None else await _read_group(group),
        [
            InputReading(topic, partition, each.taken, each.refused, each.lag, len(each.waiting))
            for (topic, partition), each in feeds.inputs.items()
        ],
        []
        if group is None
        else [_read_outbox(shard, each, group.now_us()) for shard, each in feeds.outboxes.items()],
        _read_directory(served.gate),
    )


def _read_directory(gate: Gate) -> DirectoryReading | None:
    if gate.keepers is None:
        return None
    return DirectoryReading(gate.keepers.current, gate.directory.answers, gate.keepers.pending)


def _read_outbox(shard: int, standing: OutboxStanding, now_us: int) -> OutboxReading:
    age = (now_us - standing.at_us) / 1e6 if standing.lag and standing.at_us else 0.0
    return OutboxReading(shard, dict(standing.put), standing.lag, age)


async def _read_group(group: ShardGroup) -> EngineReading:
    """Gather what the shards tell."""
    projects = [await _read_project(state) for _, state in list(group.where.projects())]
    engines = group.engines
    return EngineReading(
        {
            (shard, kind.__name__, outcome): count
            for shard, engine in engines.items()
            for (kind, outcome), count in engine.loop.outcomes.items()
        },
        {shard: _distribution(engine.loop.commits.append_seconds) for shard, engine in engines.items()},
        {shard: _distribution(engine.loop.commits.batch_entries) for shard, engine in engines.items()},
        {shard: engine.loop.commits.sequence for shard, engine in engines.items()},
        {shard: engine.snapshot_sequence for shard, engine in engines.items()},
        sum(engine.snapshotter_restarts for engine in engines.values()),
        sum(engine.waiting.count_all() for engine in engines.values()),
        busiest(projects),
        group.shard_map.generation,
        {shard: engine.snapshot_at for shard, engine in engines.items() if engine.snapshot_at is not None},
        {shard: copy(engine.archive) for shard, engine in engines.items() if engine.archive is not None},
        {
            (shard, outcome): count
            for shard, engine in engines.items()
            for outcome, count in engine.scheduled_refits.items()
        },
    )


async def _read_project(state: Project) -> ProjectReading:
    """Count in blocks, so that a large project holds nobody up."""
    live = int(state.workers.rows["live"][: state.workers.count].sum())
    return ProjectReading(to_text(Kind.PROJECT, state.project), await open_tasks(state), live)


def busiest(projects: Sequence[ProjectReading], most: int = MOST_PROJECTS) -> Sequence[ProjectReading]:
    """Give the projects with most leases and open tasks, and at last the sum of the others if there are
    any."""
    if len(projects) <= most:
        return projects
    ranked = sorted(projects, key=lambda each: (-each.live_leases, -each.open_tasks, each.project))
    rest = ranked[most:]
    others = ProjectReading(
        OTHERS, sum(each.open_tasks for each in rest), sum(each.live_leases for each in rest)
    )
    return [*ranked[:most], others]


def _distribution(histogram: Histogram) -> Distribution:
    return Distribution(histogram.bounds, tuple(histogram.cumulative()), histogram.total)
