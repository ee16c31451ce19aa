"""A small world of several shards, driven by one seed: one organisation, and projects in every shard.

Each shard is served by a process of its own, which crashes, moves and is replaced on its own. What one must
tell another crosses as calls that come late, twice, in another order or never, over links that are cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from tests.checker import Report
from tests.checker.history import Reading
from tests.checker.project import KnownFacts
from tests.simulation import between, faults, frontends, operators
from tests.simulation.clients import Clients
from tests.simulation.knowledge import ORGANISATION, TENANT, Held, Knowledge, KnownProject, Worker
from tests.simulation.process import Call, Outcome
from tests.simulation.served import SimulationFailure, live_through
from tests.simulation.site import HOME, Carried, Site

from crowdroute.router.commands import Command
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands import project as wishes
from crowdroute.router.errors import NotFound
from crowdroute.router.events import Entry
from crowdroute.router.events.organisation import (
    PersonErased,
    ProjectAwaited,
    ProjectRegistered,
    WorkerStatusChanged,
)
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.policy.registry import POLICIES
from crowdroute.router.runtime.copies import STALE_SECONDS
from crowdroute.router.state.organisation import OrganisationState

SHARDS = 3
SECOND = 1_000_000
START_US = 1_700_000_000_000_000
FAULTS_PER_STEP = 1 / 150
LOST = 0.05
"""Of replies, and of what crosses."""
DUPLICATES = 0.05
OVERTAKING = 0.3
MOST_UNDER_WAY = 30
MOST_PROJECTS = 7
SECONDS_PER_STEP = 0.4
STOPPED = (WorkerStatus.PAUSED, WorkerStatus.BANNED)


class ShardedWorld:
    """One run."""

    def __init__(self, seed: int, faults_per_step: float = FAULTS_PER_STEP) -> None:
        """Set the stage: an organisation, a project in each shard, a dozen workers, some tasks."""
        self._faults_per_step = faults_per_step
        self.seed = seed
        self.random = Random(seed)
        self.known = Knowledge(self.random)
        self.clients = Clients(self.known)
        self.operations = 0
        self.faults: Counter[str] = Counter()
        self.now_us = START_US
        self.running_us = 0
        """What a clock says that nobody can set."""
        self.at_home: list[Sequence[Entry]] = []
        """Every durable batch of the organisation's shard."""
        self.stopped: dict[Id, int] = {}
        """Since which moment of the running clock a pause without an end or a ban is durable."""
        self._rules: dict[Id, ProjectRules] = {}
        self._policies = tuple(sorted(POLICIES))
        facts: KnownFacts = {}
        self.sites: list[Site] = []
        for number in range(SHARDS):
            self.sites.append(Site(self, number, self.known, Reading(facts)))
        self._set_the_stage()

    def run(self, operations: int) -> Report:
        """Live through at least so many operations, come to rest, and give what the checker found.

        Raises:
            SimulationFailure: a promise did not hold.
        """
        return live_through(self, operations, lambda: between.come_to_rest(self))

    def failure(self, what: str) -> SimulationFailure:
        """Give what to raise when a promise does not hold."""
        return SimulationFailure.at(self.seed, f"operation {self.operations}", what)

    def pass_time(self, length_us: int) -> None:
        """Let both clocks run on."""
        self.now_us += length_us
        self.running_us += length_us

    # One step

    def step(self) -> None:
        """Have one thing asked, and perhaps something break."""
        chance = self.known.chance
        if chance(self._faults_per_step):
            self._break()
        if sum(len(site.network) for site in self.sites) < MOST_UNDER_WAY:
            self._send_new_call()
        for site in self.sites:
            if site.cut:
                site.cut -= 1
                if not site.cut:
                    site.mend()
            if site.away:
                site.away -= 1
                if not site.away:
                    faults.die(site, in_flight_survives=False)
                    faults.start(site)
            else:
                self._advance(site)
        self.pass_time(int(self.random.expovariate(1.0) * SECONDS_PER_STEP * SECOND))

    def _advance(self, site: Site) -> None:
        chance = self.known.chance
        if site.network and chance(0.7):
            place = self.random.randrange(len(site.network)) if chance(OVERTAKING) else 0
            call = site.network.pop(place)
            site.take(call)
            if chance(DUPLICATES):
                site.network.append(call)
        if chance(0.6):
            site.advance_disk()
        if chance(0.5):
            site.bring_about_due()
        if chance(0.6):
            site.hear(self.at_home)
        if chance(0.02):
            site.look()

    def _break(self) -> None:
        site = self.random.choice(self.sites)
        fault = self.random.choice(FAULTS)
        if not site.away:
            self.faults[fault.__name__] += 1
            fault(site)

    # Calls

    def carry(self, sender: Site, shard: int, call: Carried) -> None:
        """Send a command that crosses, unless it is lost or the link between the two is cut."""
        receiver = self.sites[shard]
        if self.known.chance(LOST) or sender.cut or receiver.cut:
            self.faults["crossing lost"] += 1
        else:
            receiver.network.append(call)

    def answered(self, site: Site, call: Call, outcome: Outcome, decided_us: int) -> None:
        """Tell a client what became of its call, unless the network loses it: then the client asks again."""
        if self.known.chance(LOST):
            site.network.append(call)
            return
        complaint = self.clients.told(call, outcome, decided_us, site.process.core)
        if call.registered and call.worker is not None and isinstance(outcome, NotFound):
            known = self._at_home().workers[call.worker.id]
            if isinstance(call.request.command, wishes.RequestNext) and not known.erased:
                complaint = f"worker {call.worker.id.hex()} is told that nobody knows them"
        if complaint:
            raise self.failure(complaint)

    def site_of(self, stream: str) -> Site:
        """Give the shard that a stream lives in."""
        return next((site for site in self.sites if site.process.core.has(stream)), self.sites[HOME])

    def _at_home(self) -> OrganisationState:
        """Give the organisation as it is durable."""
        return self.sites[HOME].follower.organisation(TENANT).state

    def _send_new_call(self) -> None:
        draw = self.random.random()
        held: Held | None = None
        worker: Worker | None = None
        command: Command | None
        if draw < 0.9:
            worker = self.random.choice(self.known.workers)
            stream, command, held = frontends.move(self.known, worker)
        elif draw < 0.97:
            project = self.known.project()
            stream = project.stream
            command = operators.on_project(self.known, project, self._policies)
        elif draw < 0.975 and len(self.known.projects) < MOST_PROJECTS:
            stream, command = self._creation(self.random.randrange(SHARDS))
        else:
            stream, command = ORGANISATION, operators.on_organisation(self.known, self.now_us)
            if isinstance(command, organisation_wishes.AwaitProject | organisation_wishes.ConfirmProject):
                stream, command = self._creation(1 + self.random.randrange(SHARDS - 1))
        call = self.clients.call(stream, command or wishes.ResumeProject(), self.operations)
        call.worker, call.held = worker, held
        call.registered = worker is not None and worker.id in self._at_home().workers
        self.site_of(stream).network.append(call)

    def call_to_create(self, shard: int) -> Call:
        """Give a call that has a project begin in a shard."""
        return self.clients.call(*self._creation(shard), self.operations)

    def _creation(self, shard: int) -> tuple[str, Command]:
        wish = operators.new_project(self.known, self._policies)
        self._rules[wish.project] = wish.rules
        if shard == HOME:
            return KnownProject(wish.project, wish.rules).stream, wish
        return ORGANISATION, organisation_wishes.AwaitProject(wish.project, wish.name, shard, wish.rules)

    # What is durable at home, and what follows from it

    def became_durable(self, entries: Sequence[Entry]) -> None:
        """Learn what the organisation's log holds now."""
        self.at_home.append(entries)
        awaited = self._at_home().projects
        for event in (event for entry in entries for event in entry.events):
            if isinstance(event, WorkerStatusChanged):
                if event.status in STOPPED and not event.until_us:
                    self.stopped.setdefault(event.worker, self.running_us)
                else:
                    self.stopped.pop(event.worker, None)
            elif isinstance(event, PersonErased):
                for worker in event.workers:
                    self.stopped.setdefault(worker, self.running_us)
            elif isinstance(event, ProjectRegistered) and awaited[event.project].shard != HOME:
                self.known.projects.append(KnownProject(event.project, self._rules[event.project]))
            elif isinstance(event, ProjectAwaited):
                self.faults["project awaited"] += 1

    def require_may_work(self, worker: Id) -> None:
        """Fail when a worker is given a task though it is durable for long enough that they may not work."""
        since_us = self.stopped.get(worker)
        if since_us is not None and self.running_us - since_us > STALE_SECONDS * SECOND:
            seconds = (self.running_us - since_us) / SECOND
            raise self.failure(
                f"worker {worker.hex()} is given a task {seconds:.0f} s after they were stopped"
            )

    # The beginning

    def _set_the_stage(self) -> None:
        self._send(ORGANISATION, organisation_wishes.CreateOrganisation(TENANT))
        for site in self.sites:
            site.began()
        for _ in range(12):
            self._send(ORGANISATION, operators.new_worker(self.known))
        for shard in range(SHARDS):
            while len(self.known.projects) <= shard:
                self._send(*self._creation(shard))
        for project in self.known.projects:
            self._send(project.stream, operators.add_tasks(self.known, project, 20))

    def _send(self, stream: str, command: Command) -> None:
        self.site_of(stream).network.append(self.clients.call(stream, command, self.operations))
        between.settle_down(self)


def cut(site: Site) -> None:
    """Cut the link between a shard and the others for a while."""
    site.cut = site.random.randint(5, 80)


def move(site: Site) -> None:
    """Move a shard: drain it, hand it over, serve it elsewhere after a while."""
    while not site.process.idle:
        site.advance_disk()
    site.away = site.random.randint(1, 20)


FAULTS: tuple[Callable[[Site], None], ...] = (
    faults.crash,
    faults.crash,
    faults.restart,
    faults.take_over,
    faults.break_disk,
    faults.take_snapshot,
    faults.take_snapshot,
    cut,
    cut,
    move,
)
