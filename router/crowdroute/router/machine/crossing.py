"""What crosses between an organisation's stream and a project's: the commands, and when they are due.

A fact crosses only as a command that can be given twice, late or out of order and does what it did the first
time: worker facts carry a version, an erasure the person's id, each balance the number of its entries, the
beginning of a project its id. So whoever carries them (`Shard` within one shard, `runtime.crossing` between
two) may begin anew after every crash, from nothing but the two states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import ConfirmProject, NoteBalance
from crowdroute.router.commands.project import ApplyWorkerFact, BeginProject, SeverPerson
from crowdroute.router.commands.replies import Noted
from crowdroute.router.errors import InvariantBroken
from crowdroute.router.events import Event
from crowdroute.router.events.organisation import PersonErased, WorkerStatusChanged, WorkerUpserted
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.state.organisation import AwaitedRow, OrganisationState
from crowdroute.router.state.project import Project

TOTALS_TOGETHER = 512
"""Most totals in one command: enough that way and commit cost little beside them, and 2 ms of deciding, less
than a commit takes, for which the calls of the shard that notes them wait."""


def knows(project: Project, worker: Id) -> bool:
    """Say whether a project was ever told facts about a worker, and so must hear of changes."""
    row = project.workers.find(worker)
    return row >= 0 and bool(project.workers.version[row])


def told_by(events: Iterable[Event], organisation: OrganisationState) -> Iterator[tuple[Id, Command]]:
    """Yield what projects that know a worker must hear of events of the organisation, already folded.

    Yields:
        The worker, and the command for each project that `knows` them.
    """
    for event in events:
        if isinstance(event, WorkerUpserted | WorkerStatusChanged):
            worker = event.facts.worker if isinstance(event, WorkerUpserted) else event.worker
            yield worker, ApplyWorkerFact(organisation.workers[worker].facts)
        elif isinstance(event, PersonErased):
            for worker in event.workers:
                yield worker, SeverPerson(event.person)


def behind(project: Project, organisation: OrganisationState) -> Iterator[Command]:
    """Yield what a project has not heard yet of the workers that it knows."""
    yield from behind_on_facts(project, organisation, range(project.workers.count))
    yield from behind_on_erasures(project, organisation)


def behind_on_facts(project: Project, organisation: OrganisationState, rows: range) -> Iterator[Command]:
    """Yield what a project has not heard yet of the workers in some of its rows, erasures aside."""
    workers = project.workers
    for row in rows:
        known = organisation.workers.get(workers.id_of(row))
        if known is not None and not known.erased and 0 < workers.version[row] < known.facts.version:
            yield ApplyWorkerFact(known.facts)


def behind_on_erasures(project: Project, organisation: OrganisationState) -> Iterator[Command]:
    """Yield which erasures of persons that it knows a project has not heard of."""
    for person in sorted(organisation.erased):
        code = project.persons.find(person)
        if code is not None and code not in project.severed:
            yield SeverPerson(person)


def unheard(project: Project, organisation: OrganisationState, worker: Id) -> Command | None:
    """Give what a project must hear of a worker before it may use them, or None when it has heard it."""
    known = organisation.workers.get(worker)
    if known is None:
        return None
    workers = project.workers
    row = workers.find(worker)
    if not known.erased:
        is_behind = row < 0 or workers.version[row] < known.facts.version
        return ApplyWorkerFact(known.facts) if is_behind else None
    # The organisation has forgotten whose worker it was; the project has not, until it is told. Of those who
    # are only named in a list it never knew.
    if row < 0 or not workers.version[row] or workers.person[row] in project.severed:
        return None
    return SeverPerson(project.persons.values[workers.person[row]])


def balance_of(project: Project, worker: Id) -> NoteBalance:
    """Give a worker's total in a project, its number of ledger entries as the version."""
    row = project.workers.find(worker)
    return NoteBalance(
        project=project.project,
        worker=worker,
        version=project.workers.entries[row],
        micros=project.workers.earned_micros[row],
        currency=project.rules.prices.currency,
    )


def heard(balances: Sequence[NoteBalance], reply: Reply) -> list[NoteBalance]:
    """Give those of several totals that an organisation knows after its reply; the rest is told again."""
    if not isinstance(reply, Noted):
        raise InvariantBroken(f"totals were answered with {type(reply).__name__}")
    unknown = frozenset(reply.unknown)
    return [balance for place, balance in enumerate(balances) if place not in unknown]


def is_known(balance: NoteBalance, organisation: OrganisationState) -> bool:
    """Say whether an organisation was told a total, or a newer one."""
    told = organisation.balances.get(balance.worker, {}).get((balance.project, balance.currency))
    return told is not None and told.version >= balance.version


def beginning(tenant: str, awaited: AwaitedRow) -> Request:
    """Give the request that has an awaited project's stream begin where it is placed."""
    return Request(
        project_stream(tenant, awaited.project),
        BeginProject(awaited.project, awaited.name, awaited.rules),
        principal=awaited.principal,
        key=awaited.key,
        digest=awaited.digest,
    )


def confirmation(tenant: str, project: Id) -> Request:
    """Give the request that registers a project whose stream has begun."""
    return Request(organisation_stream(tenant), ConfirmProject(project))
