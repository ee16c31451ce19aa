"""What is read of an engine, and what is not told apart."""

from __future__ import annotations

from time import perf_counter

import pytest
from tests.support.shards import Street, create, found
from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask, RequestNext, SubmitAnswer
from crowdroute.router.errors import NotFound
from crowdroute.router.feeds import room
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.metrics.reading import ProjectReading, busiest, read
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.rules import Overlap
from crowdroute.router.model.states import Purpose
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.limits import RateLimiter
from crowdroute.router.runtime.engine import Engine, EngineState
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.refit_outcomes import RefitOutcome

PROJECT, WORKER = bytes([1]) * 16, bytes([2]) * 16
STREAM, ORGANISATION = project_stream(TENANT, PROJECT), organisation_stream(TENANT)


class Scene:
    """A gate with an engine behind it, as a server has them."""

    def __init__(self) -> None:
        disk = MemoryDisk(bytes(range(32)))
        self.gate = Gate(RateLimiter(0, 1))
        self.work_streams = 5
        self.engine = Engine(
            Shard(),
            MemoryLog(disk),
            MemoryContents(disk),
            ManualClock(),
            SeededIds(1),
            content_key=disk.content_key,
            snapshot=3,
        )

    async def furnish(self, tasks: int, gold: int) -> None:
        """Begin a project with one worker."""
        engine = self.engine
        engine.start()
        await engine.submit(engine.request(ORGANISATION, CreateOrganisation(TENANT)))
        rules = make_rules(overlap=Overlap(1, 1))
        await engine.submit(engine.request(STREAM, CreateProject(PROJECT, "cats", rules)))
        await engine.submit(engine.request(ORGANISATION, UpsertWorker(WORKER, NO_ID, NO_ID)))
        rows = [self.row(Purpose.PRODUCTION) for _ in range(tasks)]
        rows += [self.row(Purpose.GOLD) for _ in range(gold)]
        await engine.submit(engine.request(STREAM, AddTasks(tuple(rows))))
        self.gate.open(ShardGroup.alone(engine))

    def row(self, purpose: Purpose) -> NewTask:
        known = (Choice(0, 0),) if purpose == Purpose.GOLD else ()
        ids = self.engine.new_id(), self.engine.new_id()
        return NewTask(*ids, digest=self.engine.digest(b"a cat"), purpose=purpose, gold=known)


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_a_gate_without_an_engine_is_starting(scene: Scene) -> None:
    told = await read(scene, FeedStanding())
    assert (told.state, told.work_streams, told.engine) == (EngineState.STARTING, 5, None)


async def test_a_process_without_a_shard_at_the_moment_is_read_all_the_same(scene: Scene) -> None:
    group = ShardGroup(lambda _: pytest.fail("nothing is opened"), ShardMap(2, generation=7))
    await group.start(())
    scene.gate.open(group)
    told = await read(scene, FeedStanding())
    assert told.state == EngineState.SERVING
    assert told.engine is not None
    assert (told.engine.sequences, told.engine.generation) == ({}, 7)
    assert told.engine.append_seconds == {}


async def test_open_tasks_leave_out_those_with_a_known_answer(scene: Scene) -> None:
    await scene.furnish(tasks=3, gold=2)
    told = await read(scene, FeedStanding())
    assert told.engine is not None
    assert told.engine.projects == [ProjectReading(f"prj_{PROJECT.hex()}", 3, 0)]


async def test_large_projects_are_counted_in_blocks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BLOCK", 2)
    await scene.furnish(tasks=7, gold=1)
    told = await read(scene, FeedStanding())
    assert told.engine is not None
    assert told.engine.projects[0].open_tasks == 7


async def test_leases_and_decided_tasks_are_seen(scene: Scene) -> None:
    await scene.furnish(tasks=3, gold=0)
    engine = scene.engine
    offered = await engine.submit(engine.request(STREAM, RequestNext(WORKER, 2)))
    first = offered.leases[0]  # type: ignore[union-attr]
    answer = SubmitAnswer(WORKER, first.assignment, first.fence, (Choice(0, 0),))
    await engine.submit(engine.request(STREAM, answer))
    told = await read(scene, FeedStanding())
    assert told.engine is not None
    assert told.engine.projects == [ProjectReading(f"prj_{PROJECT.hex()}", 2, 1)]


async def test_commands_are_counted_by_how_they_ended(scene: Scene) -> None:
    await scene.furnish(tasks=0, gold=0)
    engine = scene.engine
    with pytest.raises(NotFound):
        engine.decide(engine.request(STREAM, SubmitAnswer(WORKER, bytes(16), 1, (Choice(0, 0),))))
    await engine.submit(engine.request(STREAM, RequestNext(WORKER)))
    await engine.submit(engine.request(STREAM, RequestNext(WORKER)))
    told = await read(scene, FeedStanding())
    assert told.engine is not None
    assert told.engine.outcomes == {
        (0, "CreateOrganisation", "DONE"): 1,
        (0, "CreateProject", "DONE"): 1,
        (0, "UpsertWorker", "DONE"): 1,
        (0, "AddTasks", "UNCHANGED"): 1,
        (0, "SubmitAnswer", "NOT_FOUND"): 1,
        (0, "RequestNext", "DONE"): 1,  # brings the worker's facts to the project
        (0, "RequestNext", "UNCHANGED"): 1,
    }


async def test_each_shard_is_told_apart(scene: Scene) -> None:
    async with Street().group() as group:
        await found(group)
        for number in (1, 2):
            await create(group, bytes([number]) * 16, f"cats {number}")
        scene.gate.open(group)
        told = await read(scene, FeedStanding())
    assert told.engine is not None
    assert told.engine.outcomes[0, "CreateOrganisation", "DONE"] == 1
    assert (1, "CreateOrganisation", "DONE") not in told.engine.outcomes, "it lives in the first shard"
    assert {shard for shard, _, _ in told.engine.outcomes} == {0, 1}
    for kept in (told.engine.append_seconds, told.engine.batch_entries):
        assert {shard: times.cumulative[-1] for shard, times in kept.items()} == told.engine.sequences
    assert told.engine.sequences[0] != told.engine.sequences[1]


async def test_batches_snapshots_and_those_who_wait_are_counted(scene: Scene) -> None:
    await scene.furnish(tasks=1, gold=0)

    class Patient:
        stream, worker = STREAM, WORKER

    scene.engine.waiting.park(Patient())  # type: ignore[arg-type]  # it is never tried here
    told = await read(scene, FeedStanding())
    assert told.engine is not None
    sequence = scene.engine.loop.commits.sequence
    assert sequence > 0
    assert told.engine.sequences == {0: sequence}
    assert told.engine.append_seconds[0].cumulative[-1] == sequence
    assert told.engine.batch_entries[0].cumulative[-1] == sequence
    assert (told.engine.snapshot_sequences, told.engine.snapshotter_restarts) == ({0: 3}, 0)
    assert told.engine.waiting == 1


async def test_refits_that_rules_made_due_are_told_from_the_first_on(scene: Scene) -> None:
    await scene.furnish(tasks=0, gold=0)
    scene.engine.scheduled_refits[RefitOutcome.FAILED] += 2
    told = await read(scene, FeedStanding())
    assert told.engine is not None
    assert told.engine.scheduled_refits == {
        (0, RefitOutcome.DONE): 0,
        (0, RefitOutcome.STALE): 0,
        (0, RefitOutcome.FAILED): 2,
    }


async def test_calls_are_told_by_name_and_status(scene: Scene) -> None:
    record = scene.gate.record("/crowdroute.api.v1.AnnotationService/Next")
    record.ended(perf_counter(), "OK", "request", None)
    told = await read(scene, FeedStanding())
    assert {key: times.cumulative[-1] for key, times in told.calls.items()} == {("Next", "OK"): 1}


async def test_a_command_that_is_not_looked_at_is_counted_too(scene: Scene) -> None:
    await scene.furnish(tasks=1, gold=0)
    await scene.engine.drain()
    with pytest.raises(Exception, match="about to stop"):
        scene.engine.decide(scene.engine.request(STREAM, RequestNext(WORKER)))
    told = await read(scene, FeedStanding())
    assert told.state == EngineState.DRAINING
    assert told.engine is not None
    assert told.engine.outcomes[0, "RequestNext", "SHUTTING_DOWN"] == 1


def test_few_busy_projects_have_a_series_and_the_others_a_sum() -> None:
    projects = [ProjectReading(f"prj_{number}", number, number % 2) for number in range(6)]
    told = busiest(projects, most=2)
    assert told == [
        ProjectReading("prj_5", 5, 1),
        ProjectReading("prj_3", 3, 1),
        ProjectReading("other", 0 + 1 + 2 + 4, 1),
    ]
    assert busiest(projects, most=6) == projects
