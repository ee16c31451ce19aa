"""One shard of a simulated world: its disk, the process that owns it, and what is read of its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from tests.checker import Reading, Report
from tests.simulation import faults
from tests.simulation.knowledge import Knowledge, KnownProject
from tests.simulation.process import Call, Outcome, Process

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import MemoryDisk, MemorySnapshots
from crowdroute.router.commands import Command
from crowdroute.router.errors import StorageError
from crowdroute.router.events import Entry
from crowdroute.router.events.organisation import WorkerUpserted
from crowdroute.router.machine.shard import Shard


class SimulationFailure(AssertionError):
    """A promise did not hold; the message carries the seed that repeats it."""

    @classmethod
    def at(cls, seed: int, where: str, what: str) -> SimulationFailure:
        """Say what did not hold where, and how to see it again."""
        return cls(f"seed {seed}, {where}: {what}\nrepeat with CROWDROUTE_SIMULATION_SEED={seed}")


class Run(Protocol):
    """A world that is lived through."""

    operations: int

    def step(self) -> None:
        """Have something happen."""

    def failure(self, what: str) -> SimulationFailure:
        """Give what to raise when a promise does not hold."""


def live_through(run: Run, operations: int, come_to_rest: Callable[[], Report]) -> Report:
    """Live through at least so many operations, come to rest, and give what the checker found.

    Raises:
        SimulationFailure: a promise did not hold.
    """
    try:
        while run.operations < operations:
            run.step()
        return come_to_rest()
    except SimulationFailure:
        raise
    except Exception as error:
        raise run.failure(f"{type(error).__name__}: {error}") from error


class Served:
    """A shard that is served by one process after the other."""

    now_us: int
    """Wall-clock time."""
    operations: int
    """Commands that were handed to the core, and steps of what time made due."""
    faults: Counter[str]
    network: list[Call]
    """Calls on their way here."""

    def __init__(
        self, known: Knowledge, make_core: Callable[[], Shard], reading: Reading | None = None
    ) -> None:
        """Begin with an empty disk and a process that owns it.

        Args:
            known: what is known outside.
            make_core: gives a shard without streams.
            reading: what the checker reads the log with, where it must know of other logs.
        """
        self.known = known
        self.random: Random = known.random
        self.make_core = make_core
        self.disk = MemoryDisk()
        self.snapshots = MemorySnapshots()
        self.reading = reading or Reading()
        self.follower = make_core()
        """A fold of what is durable; decides nothing."""
        self._read = 0
        self.process = Process(self.disk, faults.restored(self))

    # What each world has in its own way

    def failure(self, what: str) -> SimulationFailure:
        """Give what to raise when a promise does not hold."""
        raise NotImplementedError

    def call(self, stream: str, command: Command) -> Call:
        """Put a command into a request."""
        raise NotImplementedError

    def answered(self, call: Call, outcome: Outcome, decided_us: int) -> None:
        """Take an answer, durable with all that it has observed, to who asked."""
        raise NotImplementedError

    @property
    def projects(self) -> Sequence[KnownProject]:
        """The projects that live here."""
        return self.known.projects

    def began(self) -> None:
        """Do what a new process does first, before anybody asks it."""

    def became_durable(self, entries: Sequence[Entry]) -> None:
        """Learn what a batch holds that is durable now."""

    # What all have alike

    def require_same(self, one: str, other: str, what: str) -> None:
        """Fail unless two digests are the same."""
        if one != other:
            raise self.failure(f"{what}: {one} and {other}")

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
            self.answered(call, outcome, decided_us)

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
            self.became_durable(batch.entries)
        self._read = len(self.disk.batches)
        if not self.reading.report.ok:
            raise self.failure(str(self.reading.report))
