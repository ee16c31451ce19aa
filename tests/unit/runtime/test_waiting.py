"""Who is tried when work may have opened, and in which order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.engine import Engine
from tests.support.wire import make_rules

from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.commands.project import (
    AddTasks,
    ApplyRules,
    CreateProject,
    NewTask,
    PauseProject,
    ReleaseLease,
    RequestNext,
    ResumeProject,
)
from crowdroute.router.commands.replies import Granted, Offered
from crowdroute.router.errors import NotFound, RouterError, ShuttingDown, WrongState
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.facts import Requirement, SkillFact, SkillNeed
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import Overlap
from crowdroute.router.runtime import waiting
from crowdroute.router.runtime.waiting import Waiting

TENANT = "acme"


class Bench:
    """A shard whose every entry is durable at once, and what waits at it."""

    def __init__(self) -> None:
        self.engine = Engine("waiting")
        self.waiting = Waiting(self.engine.shard)
        self.told = 0
        self.tried: list[Sitter] = []

    def project(self, name: str = "cats", **rules: object) -> str:
        project = self.engine.new_id()
        stream = project_stream(TENANT, project)
        rules = {"overlap": Overlap(1, 1), **rules}
        self.engine.send_to(stream, CreateProject(project, name, make_rules(**rules)))
        return stream

    def worker(self, *skills: str) -> Id:
        worker = self.engine.new_id()
        facts = tuple(SkillFact(skill, 1.0) for skill in skills)
        self.engine.send_to(organisation_stream(TENANT), UpsertWorker(worker, NO_ID, NO_ID, skills=facts))
        return worker

    def tasks(self, stream: str, count: int = 1, *skills: str) -> None:
        needed = Requirement(skills=tuple(SkillNeed(skill, 0.5) for skill in skills))
        rows = [
            NewTask(
                self.engine.new_id(), self.engine.new_id(), digest=self.engine.new_id(), requirement=needed
            )
            for _ in range(count)
        ]
        self.engine.send_to(stream, AddTasks(tuple(rows)))

    def next(self, stream: str, worker: Id) -> Offered:
        reply = self.engine.send_to(stream, RequestNext(worker))
        assert isinstance(reply, Offered)
        return reply

    def sit(self, stream: str, worker: Id | None = None) -> Sitter:
        sitter = Sitter(self, stream, worker or self.worker())
        assert not self.next(stream, sitter.worker).leases
        self.waiting.park(sitter)
        return sitter

    async def tell(self) -> None:
        """Make everything that happened durable, and let the waiting be served."""
        entries, self.told = self.engine.entries[self.told :], len(self.engine.entries)
        self.waiting.on_durable(entries)
        while self.waiting._turns:
            await asyncio.sleep(0)


class Sitter:
    """A seeker that takes one task."""

    def __init__(self, bench: Bench, stream: str, worker: Id) -> None:
        self.bench, self.stream, self.worker = bench, stream, worker
        self.lease: Granted | None = None
        self.sent_away: ShuttingDown | None = None

    def seek(self) -> bool:
        self.bench.tried.append(self)
        leases = self.bench.next(self.stream, self.worker).leases
        self.lease = leases[0] if leases else None
        return self.lease is not None

    def close(self, error: ShuttingDown) -> None:
        self.sent_away = error


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_task_that_opens_goes_to_who_came_first(bench: Bench) -> None:
    stream = bench.project()
    first, second = bench.sit(stream), bench.sit(stream)
    await bench.tell()
    bench.tried.clear()

    bench.tasks(stream)
    await bench.tell()

    assert first.lease
    assert bench.tried == [first], "nobody is tried for a task that is gone"
    assert bench.waiting.count(stream) == 1
    assert second.lease is None


async def test_who_lacks_the_skill_is_passed_over_without_a_try(bench: Bench) -> None:
    stream = bench.project()
    plain, skilled = bench.sit(stream), bench.sit(stream, bench.worker("bird"))
    await bench.tell()
    bench.tried.clear()

    bench.tasks(stream, 1, "bird")
    await bench.tell()

    assert bench.tried == [skilled]
    assert skilled.lease
    assert plain.lease is None


async def test_many_tasks_at_once_have_everybody_tried_in_order(bench: Bench) -> None:
    stream = bench.project()
    sitters = [bench.sit(stream) for _ in range(5)]
    await bench.tell()
    bench.tried.clear()

    bench.tasks(stream, waiting.MOST_TASKS + 1)
    await bench.tell()

    assert bench.tried == sitters
    assert all(sitter.lease for sitter in sitters)


async def test_a_returned_slot_is_tried_by_all_who_never_had_the_task(bench: Bench) -> None:
    stream = bench.project()
    bench.tasks(stream)
    worker = bench.worker()
    (lease,) = bench.next(stream, worker).leases
    holder, other = bench.sit(stream, worker), bench.sit(stream)
    await bench.tell()
    bench.tried.clear()

    bench.engine.send_to(stream, ReleaseLease(worker, lease.assignment, lease.fence))
    await bench.tell()

    assert other.lease
    assert holder.lease is None


async def test_new_rules_and_the_end_of_a_pause_have_everybody_tried(bench: Bench) -> None:
    stream = bench.project()
    sitters = [bench.sit(stream) for _ in range(3)]
    await bench.tell()
    for command in (ApplyRules(make_rules(2)), PauseProject("a test"), ResumeProject()):
        bench.tried.clear()
        bench.engine.send_to(stream, command)
        await bench.tell()
        assert bench.tried == ([] if isinstance(command, PauseProject) else sitters)


async def test_openings_in_a_paused_project_are_not_tried(bench: Bench) -> None:
    stream = bench.project()
    sitter = bench.sit(stream)
    await bench.tell()
    bench.engine.send_to(stream, PauseProject("a test"))
    bench.tasks(stream)
    bench.tried.clear()

    await bench.tell()
    assert bench.tried == []
    bench.engine.send_to(stream, ResumeProject())
    await bench.tell()

    assert sitter.lease


async def test_a_change_of_a_worker_has_that_worker_tried(bench: Bench) -> None:
    stream = bench.project()
    bench.tasks(stream, 1, "bird")
    sitter, other = bench.sit(stream), bench.sit(stream)
    await bench.tell()
    bench.tried.clear()

    learned = UpsertWorker(sitter.worker, NO_ID, NO_ID, skills=(SkillFact("bird", 1.0),))
    bench.engine.send_to(organisation_stream(TENANT), learned)
    await bench.tell()

    assert sitter.lease
    assert other not in bench.tried


async def test_projects_take_turns(bench: Bench) -> None:
    streams = [bench.project(f"project {number}") for number in range(3)]
    sitters = [[bench.sit(stream) for _ in range(4)] for stream in streams]
    await bench.tell()
    bench.tried.clear()

    for stream in streams:
        bench.tasks(stream, 4)
    await bench.tell()

    for number in range(4):
        turn = bench.tried[3 * number : 3 * number + 3]
        assert {sitter.stream for sitter in turn} == set(streams)
    assert all(sitter.lease for row in sitters for sitter in row)


async def test_a_long_line_lets_the_loop_run_in_between(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TRIES_PER_TURN", 2)
    stream = bench.project()
    for _ in range(7):
        bench.sit(stream)
    await bench.tell()
    bench.tasks(stream, 7)
    entries, bench.told = bench.engine.entries[bench.told :], len(bench.engine.entries)
    bench.tried.clear()

    bench.waiting.on_durable(entries)
    steps = []
    while len(bench.tried) < 7:
        await asyncio.sleep(0)
        steps.append(len(bench.tried))

    assert max(later - earlier for earlier, later in zip([0, *steps], steps, strict=False)) <= 2


async def test_who_left_is_not_tried_and_leaves_nothing_behind(bench: Bench) -> None:
    stream = bench.project()
    gone, there = bench.sit(stream), bench.sit(stream)
    await bench.tell()
    bench.waiting.leave(gone)
    bench.waiting.leave(gone)

    bench.tasks(stream, 2)
    await bench.tell()

    assert gone.lease is None
    assert there.lease
    assert bench.waiting.count(stream) == 0
    assert not bench.waiting._queues


async def test_closing_sends_everybody_away_now_and_from_now_on(bench: Bench) -> None:
    stream = bench.project()
    sitter = bench.sit(stream)

    bench.waiting.close()

    assert sitter.sent_away
    with pytest.raises(ShuttingDown):
        bench.waiting.park(sitter)


async def test_nobody_waits_in_a_project_that_does_not_exist(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.waiting.park(Sitter(bench, "acme/project/none", bench.worker()))


# search


async def test_a_search_ends_with_what_was_found(bench: Bench) -> None:
    stream, worker = bench.project(), bench.worker()
    assert not bench.next(stream, worker).leases
    search = asyncio.create_task(bench.waiting.search(stream, worker, lambda: bench.next(stream, worker), 60))
    await asyncio.sleep(0)

    bench.tasks(stream)
    await bench.tell()

    assert (await search).leases
    assert bench.waiting.count(stream) == 0


async def test_a_search_asks_a_last_time_before_it_gives_up(bench: Bench) -> None:
    stream, worker = bench.project(), bench.worker()
    search = asyncio.create_task(
        bench.waiting.search(stream, worker, lambda: bench.next(stream, worker), 0.01)
    )
    await asyncio.sleep(0)
    bench.tasks(stream)  # nobody told the waiting, as when the disk is slow

    assert (await search).leases


async def test_a_refusal_ends_a_search(bench: Bench) -> None:
    stream, worker = bench.project(), bench.worker()

    def refuse() -> Offered:
        raise WrongState("a test")

    for seconds, opens in ((60, True), (0, False)):
        search = asyncio.create_task(bench.waiting.search(stream, worker, refuse, seconds))
        await asyncio.sleep(0)
        if opens:
            bench.tasks(stream)
            await bench.tell()
        with pytest.raises(RouterError, match="a test"):
            await search


async def test_a_search_that_is_given_up_leaves_nothing_behind(bench: Bench) -> None:
    stream, worker = bench.project(), bench.worker()
    search = asyncio.create_task(bench.waiting.search(stream, worker, lambda: bench.next(stream, worker), 60))
    await asyncio.sleep(0)

    search.cancel()
    await asyncio.gather(search, return_exceptions=True)

    assert not bench.waiting._queues


async def test_closing_ends_searches(bench: Bench) -> None:
    stream, worker = bench.project(), bench.worker()
    search = asyncio.create_task(bench.waiting.search(stream, worker, lambda: bench.next(stream, worker), 60))
    await asyncio.sleep(0)

    bench.waiting.close()

    with pytest.raises(ShuttingDown):
        await search


# Whatever happens, in any order


steps = st.lists(
    st.one_of(
        st.tuples(st.just("sit"), st.integers(0, 1), st.booleans()),
        st.tuples(st.just("open"), st.integers(0, 1), st.booleans()),
        st.tuples(st.just("release"), st.integers(0, 1), st.booleans()),
        st.tuples(st.just("pause"), st.integers(0, 1), st.booleans()),
        st.tuples(st.just("tell"), st.just(0), st.just(False)),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(steps)
def test_nobody_waits_while_there_is_a_task_for_them(script: list[tuple[str, int, bool]]) -> None:
    bench = Bench()
    streams = [bench.project("one"), bench.project("two")]
    sitters: list[Sitter] = []

    async def play() -> None:
        for word, number, flag in script:
            stream = streams[number]
            match word:
                case "sit":
                    worker = bench.worker(*(["bird"] if flag else []))
                    sitter = Sitter(bench, stream, worker)
                    sitters.append(sitter)
                    if not sitter.seek():
                        bench.waiting.park(sitter)
                case "open":
                    bench.tasks(stream, 1, *(["bird"] if flag else []))
                case "release":
                    for sitter in sitters:
                        if sitter.lease and sitter.stream == stream:
                            command = ReleaseLease(sitter.worker, sitter.lease.assignment, sitter.lease.fence)
                            bench.engine.send_to(stream, command)
                            sitter.lease = None
                            break
                case "pause":
                    bench.engine.send_to(stream, PauseProject("a test") if flag else ResumeProject())
                case _:
                    await bench.tell()
        for stream in streams:
            bench.engine.send_to(stream, ResumeProject())
        await bench.tell()

    asyncio.run(play())
    for stream in streams:
        queue = bench.waiting._queues.get(stream)
        for sitter in list(queue.parked if queue else ()):
            assert not bench.next(stream, sitter.worker).leases
