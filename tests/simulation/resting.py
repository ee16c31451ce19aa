"""How a simulated world comes to rest, and what must hold once nothing is under way any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.checker import Report, check_acknowledged
from tests.simulation.knowledge import LANGUAGES, ORGANISATION, SKILLS, TENANT, KnownProject, Worker
from tests.simulation.process import Outcome

from crowdroute.router.commands import Command
from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.commands.replies import Offered
from crowdroute.router.model.facts import SkillFact
from crowdroute.router.model.states import Purpose, Stage, TaskState
from crowdroute.router.state.project import WITH_KNOWN_ANSWER

if TYPE_CHECKING:
    from tests.simulation.world import World

CROWD = 14
"""People who finish the work: more than any task's slots, so that nobody is asked twice."""
MOST_MOMENTS = 2_000
"""Moments at which something is due until a world that nobody disturbs has come to rest."""


def come_to_rest(world: World) -> Report:
    """Deliver what is under way, let everything run out that can, and judge the whole history."""
    settle_down(world)
    for _ in range(MOST_MOMENTS):
        due_us = world.process.core.next_due_us()
        if due_us is None:
            break
        world.now_us = max(world.now_us, due_us)
        settle_down(world)
    else:
        raise world.failure(f"still not at rest after {MOST_MOMENTS} moments at which something was due")
    core = world.process.core
    core.check()
    world.require_same(core.digest(), world.follower.digest(), "the live state is not what the log folds to")
    report = world.reading.finish(quiescent=True)
    if not report.ok:
        raise world.failure(str(report))
    told = check_acknowledged(world.disk.batches, world.clients.journal.acknowledged)
    if not told.ok:
        raise world.failure(str(told))
    report.counters.update(told.counters)
    return report


def settle_down(world: World) -> None:
    """Deliver every call, bring about everything that is due now, and tell everybody."""
    while world.network or not world.process.idle or _is_due(world):
        while world.network:
            world.take(world.network.pop(0))
        world.bring_about_due()
        while not world.process.idle:
            world.advance_disk()


def _is_due(world: World) -> bool:
    due_us = world.process.core.next_due_us()
    return due_us is not None and due_us <= world.now_us


def finish_work(world: World) -> list[str]:
    """Let a fresh crowd that may do anything work until nobody is given a task; gives the tasks left open.

    Tasks that only named workers may do are left out: nobody can make those come. What is held without being
    worked on (by others, or because the reply was lost and the request was not keyed) runs out in between.
    """
    crowd = [_newcomer(world) for _ in range(CROWD)]
    for project in world.known.projects:
        _ask(world, project.stream, wishes.ResumeProject())
    while _work_through(world, crowd) or _let_leases_run_out(world):
        pass
    left = []
    for project in world.known.projects:
        state = world.process.core.project(TENANT, project.id).state
        for task in range(state.tasks.count):
            named = state.tasks.allow_count[task] > 0
            known = state.tasks.purpose[task] in WITH_KNOWN_ANSWER
            if state.tasks.state[task] == TaskState.OPEN and not named and not known:
                left.append(f"{Purpose(state.tasks.purpose[task]).name} {state.tasks.id_of(task).hex()[:12]}")
    return left


def _work_through(world: World, crowd: list[Worker]) -> bool:
    """Have everybody ask for work everywhere once; says whether there was any."""
    given = [_work(world, worker, project) for worker in crowd for project in world.known.projects]
    return any(given)


def _let_leases_run_out(world: World) -> bool:
    """Let the time pass until nobody holds anything; says whether anybody did."""
    held = False
    while any(
        world.process.core.project(TENANT, project.id).state.deadlines.earliest() is not None
        for project in world.known.projects
    ):
        held = True
        due_us = world.process.core.next_due_us()
        assert due_us is not None
        world.now_us = max(world.now_us, due_us)
        settle_down(world)
    return held


def _newcomer(world: World) -> Worker:
    known = world.known
    worker = Worker(known.identity(), known.identity(), known.identity(), 0.9, tuple(Stage))
    _ask(
        world,
        ORGANISATION,
        UpsertWorker(
            worker=worker.id,
            person=worker.person,
            external=worker.external,
            stages=worker.stages,
            skills=tuple(SkillFact(name, 1.0) for name in SKILLS),
            languages=LANGUAGES,
            capacity=10,
        ),
    )
    return worker


def _work(world: World, worker: Worker, project: KnownProject) -> bool:
    """Ask for tasks and answer each; says whether there were any."""
    offered = _ask(world, project.stream, wishes.RequestNext(worker.id, 5))
    leases = offered.leases if isinstance(offered, Offered) else ()
    for lease in leases:
        answer = world.known.given_answer(project.rules, lease.item, worker.accuracy)
        _ask(world, project.stream, wishes.SubmitAnswer(worker.id, lease.assignment, lease.fence, answer))
    return bool(leases)


def _ask(world: World, stream: str, command: Command) -> Outcome:
    call = world.call(stream, command)
    world.network.append(call)
    settle_down(world)
    if call.told is None:
        raise world.failure(f"nobody answered {command}")
    return call.told
