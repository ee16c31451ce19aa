"""A small world around one shard, driven by one seed: who asks, what the network does, what breaks.

Everything that happens follows from the seed, so a failure is repeated by running its seed again. `faults`
says what breaks, `resting` how a world comes to rest and what must hold then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from tests.checker import Reading, Report
from tests.simulation import faults, frontends, operators, resting
from tests.simulation.journal import Journal
from tests.simulation.knowledge import ORGANISATION, TENANT, Held, Knowledge, KnownProject, Worker
from tests.simulation.process import Call, Outcome, Process

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import MemoryDisk, MemorySnapshots
from crowdroute.router.commands import Command, Request
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands import project as wishes
from crowdroute.router.errors import LeaseEnded, NotEligible, Refusal, StorageError
from crowdroute.router.events.organisation import WorkerUpserted
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


class SimulationFailure(AssertionError):
    """A promise did not hold; the message carries the seed that repeats it."""


class World:
    """One run."""

    def __init__(
        self,
        seed: int,
        policies: tuple[str, ...] = tuple(sorted(POLICIES)),
        make_core: Callable[[], Shard] = Shard,
    ) -> None:
        """Set the stage: an organisation, two projects, a dozen workers, some tasks."""
        self.seed = seed
        self.random = Random(seed)
        self.operations = 0
        """Commands that were handed to the core, and steps of what time made due."""
        self.faults: Counter[str] = Counter()
        self.disk = MemoryDisk()
        self.snapshots = MemorySnapshots()
        self.known = Knowledge(self.random)
        self.now_us = START_US
        self.frozen = 0
        """Steps for which the clock still stands."""
        self.network: list[Call] = []
        self.journal = Journal()
        self.reading = Reading()
        self.make_core = make_core
        self.follower = make_core()
        """A fold of what is durable; decides nothing."""
        self.process = Process(self.disk, faults.restored(self))
        self._policies = policies
        self._read = 0
        self._set_the_stage()

    def run(self, operations: int) -> Report:
        """Live through at least so many operations, come to rest, and give what the checker found.

        Raises:
            SimulationFailure: a promise did not hold.
        """
        try:
            while self.operations < operations:
                self._step()
            return resting.come_to_rest(self)
        except SimulationFailure:
            raise
        except Exception as error:
            raise self.failure(f"{type(error).__name__}: {error}") from error

    def failure(self, what: str) -> SimulationFailure:
        """Give what to raise when a promise does not hold."""
        return SimulationFailure(
            f"seed {self.seed}, operation {self.operations}, batch {len(self.disk.batches)}: {what}"
            f"\nrepeat with CROWDROUTE_SIMULATION_SEED={self.seed}"
        )

    def require_same(self, one: str, other: str, what: str) -> None:
        """Fail unless two digests are the same."""
        if one != other:
            raise self.failure(f"{what}: {one} and {other}")

    # One step

    def _step(self) -> None:
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

    def take(self, call: Call) -> None:
        """Hand a call to the process."""
        self.operations += 1
        self.process.take(call, self.now_us, self.known.identity())

    def bring_about_due(self) -> None:
        """Let the process look at what time made due."""
        if self.process.bring_about_due(self.now_us):
            self.operations += 1

    def advance_disk(self) -> None:
        """Begin an append or finish the one under way; a process whose append fails is replaced."""
        try:
            if self.process.appending is None:
                self.process.begin_append()
                return
            answers = self.process.finish_append()
        except StorageError:
            self.faults["append failed"] += 1
            faults.die(self, in_flight_survives=False)
            faults.start(self)
            return
        self.read_log()
        for call, outcome, _, decided_us in answers:
            self._answer(call, outcome, decided_us)

    def read_log(self) -> None:
        """Show what became durable to the checker and to the follower, and learn of workers' facts."""
        for stored in self.disk.batches[self._read :]:
            self.reading.read(stored)
            batch = decode_batch(stored.body, stored.sequence)
            self.follower.apply(batch)
            for entry in batch.entries:
                self.known.facts += [
                    event.facts for event in entry.events if isinstance(event, WorkerUpserted)
                ]
        self._read = len(self.disk.batches)
        if not self.reading.report.ok:
            raise self.failure(str(self.reading.report))

    # Who asks

    def _new_call(self) -> Call:
        draw = self.random.random()
        held: Held | None = None
        worker: Worker | None = None
        command: Command | None
        if draw < 0.9:
            worker = self.random.choice(self.known.workers)
            stream, command, held = frontends.move(self.known, worker)
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
        keyed = isinstance(command, wishes.ApplyRules) or self.known.chance(0.6)
        return Call(
            Request(
                stream=stream,
                command=command,
                principal=self.random.choice(("tok_front_end", "tok_vendor")),
                request=f"call-{self.operations}",
                key=self.known.identity().hex() if keyed else "",
            )
        )

    # What they are told

    def _answer(self, call: Call, outcome: Outcome, decided_us: int) -> None:
        """Tell a client what became of its call, unless the network loses it: then the client asks again."""
        if self.known.chance(LOST_REPLIES):
            self.network.append(call)
            return
        first = call.told is None
        complaint = self.journal.told(call, outcome, decided_us)
        if complaint:
            raise self.failure(complaint)
        if first:
            self._learn(call, outcome)

    def _learn(self, call: Call, outcome: Outcome) -> None:
        command, refused = call.request.command, isinstance(outcome, Refusal)
        if isinstance(command, wishes.CreateProject) and not refused:
            self.known.projects.append(KnownProject(command.project, command.rules))
        project = next((one for one in self.known.projects if one.stream == call.request.stream), None)
        if project is not None:
            self.journal.teach(project, outcome)
        if project is not None and isinstance(command, wishes.ApplyRules):
            project.rules = self.process.core.project(TENANT, project.id).state.rules
        worker, held = call.worker, call.held
        if worker is None:
            return
        if isinstance(outcome, NotEligible) and len(self.known.workers) > 2 and self.known.chance(0.2):
            self.known.workers = [one for one in self.known.workers if one is not worker]
        worker.held += self.journal.leases(call)
        if held is None or held not in worker.held:
            return
        ended = isinstance(outcome, LeaseEnded) and self.known.chance(0.5)
        given_back = isinstance(command, wishes.ReleaseLease | wishes.SkipAssignment) and not refused
        submitted = isinstance(command, wishes.SubmitAnswer) and not refused
        if ended or given_back or submitted:
            worker.held.remove(held)
        if submitted:
            worker.answered.append(held)

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
