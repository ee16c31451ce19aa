"""Decisions on who workers are: made known, changed, and severed from the person behind them."""

from __future__ import annotations

import msgspec

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import ErasePerson, UpsertWorker
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import AlreadyExists, NotFound, WrongState
from crowdroute.router.events.organisation import PersonErased, WorkerUpserted
from crowdroute.router.machine.organisation.fields import (
    allow_id,
    require_id,
    require_reason,
)
from crowdroute.router.machine.organisation.suppliers import require_supplier
from crowdroute.router.machine.stream import Decision
from crowdroute.router.model.facts import SkillFact, WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id, Kind, derive, to_text
from crowdroute.router.quality.eligibility import profile_of
from crowdroute.router.state.organisation import OrganisationState, WorkerRow

_PERSON = 1
"""Which of the ids that a request's entropy stands for is a new person's; the first is the worker's."""


def upsert_worker(state: OrganisationState, command: UpsertWorker, request: Request) -> Decision:
    """Make a worker known or take over what changed; nothing happens when nothing did.

    A worker is found by external id, or by their own id where none is given. Without a person, a known worker
    keeps theirs and a new one becomes a new person: a model too, since "never twice" counts by persons.
    """
    require_id("worker", command.worker)
    allow_id("person", command.person)
    allow_id("external", command.external)
    require_supplier(state, command.vendor, command.pool)
    row = _find(state, command)
    if row is None:
        facts = _described(command, _new_person(state, command, request))
        yield WorkerUpserted(facts, command.external)
        return Created(facts.worker, facts.version)
    facts = _changed(row, command)
    external = row.external if command.external == NO_ID else command.external
    if facts != row.facts or external != row.external:
        facts = msgspec.structs.replace(facts, version=row.facts.version + 1)
        yield WorkerUpserted(facts, external)
    return Created(facts.worker, facts.version)


def erase_person(state: OrganisationState, command: ErasePerson) -> Decision:
    """Sever every worker from a person; a repetition changes nothing, so that deletions can be repeated."""
    require_id("person", command.person)
    require_reason(command.reason)
    workers = state.persons.get(command.person)
    if workers is not None:
        yield PersonErased(command.person, workers, command.reason)
    elif command.person not in state.erased:
        raise NotFound(f"no person {to_text(Kind.PERSON, command.person)}", {"field": "person"})
    return Done()


def require_worker(state: OrganisationState, worker: Id) -> WorkerRow:
    """Give the row of a worker who can still change.

    Raises:
        InvalidCommand: what is given is no id.
        NotFound: there is no such worker.
        WrongState: the person behind the worker was erased.
    """
    require_id("worker", worker)
    row = state.workers.get(worker)
    if row is None:
        raise NotFound(f"no worker {to_text(Kind.WORKER, worker)}: add them first", {"field": "worker"})
    _refuse_erased(row)
    return row


def _find(state: OrganisationState, command: UpsertWorker) -> WorkerRow | None:
    by_external = state.find_worker(command.external)
    by_id = state.workers.get(command.worker)
    if by_id is None:
        return by_external
    if by_external is None:
        _refuse_erased(by_id)
        if NO_ID in (command.external, by_id.external):
            return by_id
        raise AlreadyExists(
            f"{to_text(Kind.WORKER, command.worker)} is known under another external id: "
            "use a new worker id, or leave the external id out",
            {"field": "worker"},
        )
    if by_external is not by_id:
        raise AlreadyExists(
            f"the external id belongs to {to_text(Kind.WORKER, by_external.facts.worker)}, not to "
            f"{to_text(Kind.WORKER, command.worker)}: name that worker",
            {"field": "external"},
        )
    return by_id


def _new_person(state: OrganisationState, command: UpsertWorker, request: Request) -> Id:
    if command.person in state.erased:
        # Projects forgot what this id stood for; taken up again, it would be known and forgotten at once.
        raise WrongState(
            f"{to_text(Kind.PERSON, command.person)} was erased: leave the person out to register a new one",
            {"field": "person", "state": "erased"},
        )
    if command.person != NO_ID:
        return command.person
    # Zeros would make the same person of every worker that comes with them.
    require_id("entropy", request.entropy)
    return derive(request.entropy, _PERSON)


def _changed(row: WorkerRow, command: UpsertWorker) -> WorkerFacts:
    known = row.facts
    if command.person not in (NO_ID, known.person):
        raise WrongState(
            f"{to_text(Kind.WORKER, known.worker)} is another person's working identity: "
            "a worker's person never changes; make a new worker known instead",
            {"field": "person", "state": "of another person"},
        )
    if command.kind != known.kind:
        raise WrongState(
            f"{to_text(Kind.WORKER, known.worker)} is a {known.kind.name.lower()} and stays one: "
            "make a new worker known instead",
            {"field": "kind", "state": known.kind.name},
        )
    facts = _described(command, known.person)
    return msgspec.structs.replace(facts, worker=known.worker, version=known.version, status=known.status)


def _described(command: UpsertWorker, person: Id) -> WorkerFacts:
    """Give the facts of a command in the one form that equal facts have: sorted, levels as floats."""
    facts = WorkerFacts(
        worker=command.worker,
        person=person,
        version=1,
        kind=command.kind,
        vendor=command.vendor,
        pool=command.pool,
        stages=tuple(sorted(set(command.stages))),
        skills=tuple(
            SkillFact(skill.name, float(skill.level), skill.evidence)
            for skill in sorted(command.skills, key=lambda skill: skill.name)
        ),
        languages=tuple(sorted(set(command.languages))),
        capacity=command.capacity,
    )
    profile_of(facts)  # refuses what the workers library would not take as a profile
    return facts


def _refuse_erased(row: WorkerRow) -> None:
    if row.erased:
        raise WrongState(
            f"the person behind {to_text(Kind.WORKER, row.facts.worker)} was erased: "
            "make a new worker known instead",
            {"field": "worker", "state": "erased"},
        )
