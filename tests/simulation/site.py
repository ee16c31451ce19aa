"""One of several simulated shards: a process of its own, and a copy of the organisation that may be behind.

The organisation's shard is the home. Every other is told of it over a link that can be late or cut, and goes
by a copy which it may not believe for ever. What crosses between shards is a call as any other: it may come
late, twice, in another order, or never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from tests.checker import Reading
from tests.simulation.knowledge import ORGANISATION, TENANT, Knowledge, KnownProject
from tests.simulation.process import Call, Outcome
from tests.simulation.served import Served, SimulationFailure

from crowdroute.router.commands import Command, Request
from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.errors import NotReady, Refusal
from crowdroute.router.events import Entry
from crowdroute.router.events.project import LeaseGranted
from crowdroute.router.machine import crossing
from crowdroute.router.machine.organisation.pieces import PackedRows, ReadInPieces, pack_in_pieces
from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.copies import OrganisationCopy
from crowdroute.router.state.organisation_rows import HeldRows

if TYPE_CHECKING:
    from tests.simulation.sharded import ShardedWorld

HOME = 0
"""Where the organisation lives."""
SECOND = 1_000_000

Then = Callable[[Outcome], None]


class Carried(Call):
    """A command that crosses, and what follows where it came from once it is durable where it went."""

    def __init__(self, request: Request, then: Then | None = None) -> None:
        """Carry a request; `then` is done when it was not refused."""
        super().__init__(request)
        self.then = then


class Site(Served):
    """One shard of several."""

    def __init__(self, world: ShardedWorld, number: int, known: Knowledge, reading: Reading) -> None:
        """Begin with an empty disk; the link to the home is up."""
        self.world = world
        self.number = number
        self.faults = world.faults
        self.network: list[Call] = []
        self.cut = 0
        """Steps for which the link to the home is still cut."""
        self.away = 0
        """Steps for which nobody serves the shard yet, while it moves."""
        self.copy = self._new_copy()
        self._copied = 0
        self.arriving: ReadInPieces | None = None
        """The organisation, while it is not here whole."""
        self._pieces: Iterator[PackedRows] = iter(())
        super().__init__(known, lambda: Shard(number), reading)

    @property
    def now_us(self) -> int:  # type: ignore[override]
        """The world's wall clock."""
        return self.world.now_us

    @now_us.setter
    def now_us(self, moment_us: int) -> None:
        self.world.pass_time(moment_us - self.world.now_us)

    @property
    def operations(self) -> int:  # type: ignore[override]
        """The world's count."""
        return self.world.operations

    @operations.setter
    def operations(self, count: int) -> None:
        self.world.operations = count

    @property
    def projects(self) -> Sequence[KnownProject]:
        """The projects that live here."""
        return [one for one in self.known.projects if self.process.core.has(one.stream)]

    def failure(self, what: str) -> SimulationFailure:
        """Give what to raise when a promise does not hold."""
        return self.world.failure(f"shard {self.number}, batch {len(self.disk.batches)}: {what}")

    def call(self, stream: str, command: Command) -> Call:
        """Put a command into a request."""
        return self.world.clients.call(stream, command, self.operations)

    # The link to the home

    @property
    def copies(self) -> bool:
        """Whether the organisation lives elsewhere."""
        return self.number != HOME

    def began(self) -> None:
        """Go by a copy again: from the home's durable state, or from nothing while the link is cut."""
        self.copy = self._new_copy()
        if self.copies:
            self.process.core.look_elsewhere({ORGANISATION: self.copy.machine})
            self.mend()

    def mend(self) -> None:
        """Begin to take the organisation over as it is durable at home, piece by piece while home goes on."""
        home = self.world.sites[HOME]
        self.arriving = None
        if not self.copies or self.cut or home.away or not home.disk.batches:
            return
        self._copied = len(home.disk.batches)
        self._pieces = pack_in_pieces(HeldRows(home.follower.organisation(TENANT).state))
        self.arriving = ReadInPieces()

    def _take_pieces(self, arriving: ReadInPieces) -> None:
        """Take over some more pieces; after the last one, tell the projects what they missed."""
        some = list(islice(self._pieces, self.random.randint(1, 4)))
        for packed in some:
            arriving.take(packed)
        if some:
            return
        self.arriving = None
        self.copy.begin(arriving.state, self._copied)
        for project in self.projects:
            state = self.process.core.project_state(project.stream)
            for command in crossing.behind(state, self.copy.machine.state):
                self.network.append(Carried(Request(project.stream, command)))

    def hear(self, batches: Sequence[Sequence[Entry]]) -> None:
        """Take over what became durable at home, as far as the link has brought it."""
        if not self.copies or self.cut or self.world.sites[HOME].away:
            return
        if self.arriving is not None:
            self._take_pieces(self.arriving)
            return
        if not self.copy.begun:
            return
        some = batches[self._copied : self._copied + self.random.randint(1, 4)]
        for entry in (entry for batch in some for entry in batch if entry.stream == ORGANISATION):
            self.copy.fold(entry, self._copied)
            for worker, command in crossing.told_by([*entry.events], self.copy.machine.state):
                for name in self.process.core.knowing(ORGANISATION, worker):
                    self.network.append(Carried(Request(name, command)))
        self._copied += len(some)
        if self._copied == len(batches):
            self.copy.heard(self._copied)

    def _new_copy(self) -> OrganisationCopy:
        return OrganisationCopy(ORGANISATION, HOME, lambda: self.world.running_us / SECOND)

    # Calls

    def take(self, call: Call) -> None:
        """Hand a call to the process, unless what is known of its worker is too old: then it comes again."""
        if self.copies and call.worker is not None:
            try:
                self.copy.require_fresh()
            except NotReady:
                self.faults["refused as stale"] += 1
                self.network.append(call)
                return
            if self.is_behind(call):
                self.faults["refused as behind"] += 1
                self.network.append(call)
                return
        before = len(self.process.forming.entries)
        super().take(call)
        for entry in self.process.forming.entries[before:]:
            for event in entry.events:
                if isinstance(event, LeaseGranted):
                    self.world.require_may_work(event.worker)

    def is_behind(self, call: Call) -> bool:
        """Say whether the caller has a session that the copy has not heard of."""
        assert call.worker is not None
        return call.registered and call.worker.id not in self.copy.machine.state.workers

    def answered(self, call: Call, outcome: Outcome, decided_us: int) -> None:
        """Take an answer to who asked, who may be another shard."""
        if isinstance(call, Carried):
            if call.then is not None and not isinstance(outcome, Refusal):
                call.then(outcome)
        else:
            self.world.answered(self, call, outcome, decided_us)

    def became_durable(self, entries: Sequence[Entry]) -> None:
        """Let the world learn what the organisation's log holds."""
        if self.number == HOME:
            self.world.became_durable(entries)

    # What crosses

    def look(self) -> int:
        """Send what is to cross and is durable here; says how much."""
        while not self.process.idle:
            self.advance_disk()
        sent = 0
        for shard, carried in [*self._beginnings(), *self._totals()]:
            self.world.carry(self, shard, carried)
            sent += 1
        return sent

    def _beginnings(self) -> Iterator[tuple[int, Carried]]:
        if self.number == HOME:
            for awaited in self.process.core.organisation(TENANT).state.awaited.values():
                confirm = Carried(crossing.confirmation(TENANT, awaited.project))
                begin = crossing.beginning(TENANT, awaited)
                yield (
                    awaited.shard,
                    Carried(begin, lambda reply, confirm=confirm: self.network.append(confirm)),
                )  # type: ignore[misc]

    def _totals(self) -> Iterator[tuple[int, Carried]]:
        core = self.process.core
        for stream, command in core.outgoing(self.now_us):
            new = [each for each in command.balances if not crossing.is_known(each, self.copy.machine.state)]
            core.told(stream, [each for each in command.balances if each not in new], self.now_us)
            if new:
                told = lambda reply, told=(core, new): self._told(*told, reply)  # noqa: E731
                yield HOME, Carried(Request(stream, NoteBalances(tuple(new))), told)

    def _told(self, core: Shard, balances: list[NoteBalance], reply: Outcome) -> None:
        if core is self.process.core and not isinstance(reply, Refusal):
            core.told(ORGANISATION, crossing.heard(balances, reply), self.now_us)
