"""A small world around one shard, driven by one seed: who asks, what the network does, what breaks.

Everything that happens follows from the seed, so a failure is repeated by running its seed again. `faults`
says what breaks, `resting` how a world comes to rest and what must hold then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from tests.checker import Report
from tests.simulation import faults, frontends, operators, resting
from tests.simulation.clients import Clients
from tests.simulation.knowledge import ORGANISATION, TENANT, Held, Knowledge, KnownProject, Worker
from tests.simulation.process import Call, Outcome
from tests.simulation.served import Served, SimulationFailure, live_through
from tests.support.refits import refit_of

from crowdroute.router.commands import Command
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands import project as wishes
from crowdroute.router.machine.shard import Shard
from crowdroute.router.policy.registry import POLICIES

SECOND = 1_000_000
START_US = 1_700_000_000_000_000

FAULTS_PER_STEP = 1 / 400
LOST_REPLIES = 0.03
DUPLICATES = 0.03
OVERTAKING = 0.2
MOST_UNDER_WAY = 30
MOST_PROJECTS = 4
SECONDS_PER_STEP = 0.7
CHECK_EVERY = 2_000
"""Operations between two looks at every invariant of the live state."""


class World(Served):
    """One run."""

    def __init__(
        self,
        seed: int,
        policies: tuple[str, ...] = tuple(sorted(POLICIES)),
        make_core: Callable[[], Shard] = Shard,
    ) -> None:
        """Set the stage: an organisation, two projects, a dozen workers, some tasks."""
        self.seed = seed
        self.operations = 0
        self.faults: Counter[str] = Counter()
        self.now_us = START_US
        self.network: list[Call] = []
        self.frozen = 0
        """Steps for which the clock still stands."""
        known = Knowledge(Random(seed))
        self.clients = Clients(known)
        super().__init__(known, make_core)
        self._policies = policies
        self._set_the_stage()

    def run(self, operations: int) -> Report:
        """Live through at least so many operations, come to rest, and give what the checker found.

        Raises:
            SimulationFailure: a promise did not hold.
        """
        return live_through(self, operations, lambda: resting.come_to_rest(self))

    def failure(self, what: str) -> SimulationFailure:
        """Give what to raise when a promise does not hold."""
        return SimulationFailure.at(
            self.seed, f"operation {self.operations}, batch {len(self.disk.batches)}", what
        )

    # One step

    def step(self) -> None:
        """Have one thing asked, and perhaps something break."""
        chance = self.known.chance
        if chance(FAULTS_PER_STEP):
            faults.happen(self)
        if len(self.network) < MOST_UNDER_WAY:
            self.network.append(self._new_call())
        if self.network and chance(0.9):
            place = self.random.randrange(len(self.network)) if chance(OVERTAKING) else 0
            call = self.network.pop(place)
            self.take(call)
            if chance(DUPLICATES):
                self.network.append(call)
        if chance(0.6):
            self.advance_disk()
        if chance(0.5):
            self.bring_about_due()
        if self.frozen:
            self.frozen -= 1
        else:
            self.now_us += int(self.random.expovariate(1.0) * SECONDS_PER_STEP * SECOND)
        if self.operations % CHECK_EVERY == 0:
            self.process.core.check()

    # Who asks

    def _new_call(self) -> Call:
        draw = self.random.random()
        held: Held | None = None
        worker: Worker | None = None
        command: Command | None
        if draw < 0.9:
            worker = self.random.choice(self.known.workers)
            stream, command, held = frontends.move(self.known, worker)
        elif draw < 0.9004:
            project = self.known.project()
            stream = project.stream
            # Fitted to this moment, it may be stale when it arrives, or of what a crash loses.
            command = refit_of(self.process.core.project(TENANT, project.id).state)
        elif draw < 0.98:
            project = self.known.project()
            stream = project.stream
            command = operators.on_project(self.known, project, self._policies)
        elif draw < 0.9805 and len(self.known.projects) < MOST_PROJECTS:
            creation = operators.new_project(self.known, self._policies)
            stream, command = KnownProject(creation.project, creation.rules).stream, creation
        else:
            stream, command = ORGANISATION, operators.on_organisation(self.known, self.now_us)
        call = self.call(stream, command or wishes.ResumeProject())
        call.worker, call.held = worker, held
        return call

    def call(self, stream: str, command: Command) -> Call:
        """Put a command into a request, mostly under an idempotency key."""
        return self.clients.call(stream, command, self.operations)

    # What they are told

    def answered(self, call: Call, outcome: Outcome, decided_us: int) -> None:
        """Tell a client what became of its call, unless the network loses it: then the client asks again."""
        if self.known.chance(LOST_REPLIES):
            self.network.append(call)
            return
        complaint = self.clients.told(call, outcome, decided_us, self.process.core)
        if complaint:
            raise self.failure(complaint)

    # The beginning

    def _set_the_stage(self) -> None:
        self._ask(ORGANISATION, organisation_wishes.CreateOrganisation(TENANT))
        while len(self.known.projects) < 2:
            creation = operators.new_project(self.known, self._policies)
            self._ask(KnownProject(creation.project, creation.rules).stream, creation)
        for _ in range(12):
            self._ask(ORGANISATION, operators.new_worker(self.known))
        for project in self.known.projects:
            self.network.append(self.call(project.stream, operators.add_tasks(self.known, project, 20)))

    def _ask(self, stream: str, command: Command) -> None:
        call = self.call(stream, command)
        while call.told is None:
            self.take(call)
            while not self.process.idle:
                self.advance_disk()
