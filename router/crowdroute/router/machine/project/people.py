"""Decide about workers: take over their facts, discount them, forget a person."""

from __future__ import annotations

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Done
from crowdroute.router.errors import NotFound, WrongState
from crowdroute.router.events import project as facts
from crowdroute.router.machine.project.guards import given_reason
from crowdroute.router.machine.project.settling import settle
from crowdroute.router.machine.stream import Decision, Steps
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.states import AssignmentState, WorkerStatus
from crowdroute.router.quality.eligibility import profile_of
from crowdroute.router.state.project import Project, person_behind


def apply_fact(state: Project, wish: wishes.ApplyWorkerFact, now_us: int) -> Decision:
    """Take over a newer version of a worker's facts; a ban takes live leases away."""
    given = wish.facts
    row = state.workers.find(given.worker)
    if row >= 0 and state.workers.version[row] >= given.version:
        return Done()
    if (
        row >= 0
        and state.workers.version[row]
        and state.persons.find(person_behind(given)) != state.workers.person[row]
    ):
        raise WrongState(
            f"{to_text(Kind.WORKER, given.worker)} belongs to another person here; "
            "a worker never changes hands"
        )
    profile_of(given)
    yield facts.WorkerFactApplied(given)
    if given.status == WorkerStatus.BANNED:
        yield from _revoke_all(state, state.workers.find(given.worker), "WORKER_BANNED")
    return Done()


def discount(state: Project, wish: wishes.DiscountWorker, now_us: int) -> Decision:
    """Let none of a worker's answers count; they are taken out step by step as time allows."""
    row = state.worker(wish.worker)
    reason = given_reason(wish.reason)
    if state.workers.discounted[row]:
        return Done()
    yield facts.WorkerDiscounted(wish.worker, reason)
    yield from _revoke_all(state, row, "WORKER_DISCOUNTED")
    return Done()


def _revoke_all(state: Project, worker: int, reason: str) -> Steps:
    table = state.assignments
    for row in state.assignments_of_worker(worker):
        if table.state[row] == AssignmentState.ACTIVE:
            yield facts.LeaseRevoked(table.id_of(row), reason)
            yield from settle(state, table.task[row])


def sever(state: Project, wish: wishes.SeverPerson, now_us: int) -> Decision:
    """Forget what a person wrote; their ids and label codes remain."""
    person = state.persons.find(wish.person)
    if person is None:
        raise NotFound(f"{to_text(Kind.PERSON, wish.person)} is not known in this project")
    if person not in state.severed:
        for worker in range(state.workers.count):
            if state.workers.person[worker] == person:
                yield from _revoke_all(state, worker, "PERSON_ERASED")
        yield facts.PersonSevered(wish.person)
    return Done()
