"""Facts cross between two shards whatever is lost, late, doubled or out of order.

Two shards over two disks: the organisation lives in one, projects in both. Commands that cross are carried by
hand: each may be given late, twice, in another order, or never; either shard may crash at any point and
loses what was not durable. In the end, once both have looked at what is to cross until nothing is, every
project exists in both or in neither, each project knows the newest facts of the workers it knows, whoever was
erased is severed, and the organisation knows every total.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.wire import TENANT, make_rules

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands import organisation as org
from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Offered
from crowdroute.router.errors import Refusal
from crowdroute.router.events import Batch, Entry
from crowdroute.router.machine import crossing
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import WorkerStatus
from crowdroute.workers.status import StatusReason

ORGANISATION = organisation_stream(TENANT)
HOME, AWAY = 0, 1
MINUTE = 61_000_000
PROJECTS = [bytes([10 + number]) * 16 for number in range(3)]
WORKERS = [bytes([20 + number]) * 16 for number in range(3)]


class Side:
    """One shard, what its disk holds, and what it has decided since."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.durable: list[Entry] = []
        self.pending: list[Entry] = []
        self.shard = Shard(number)

    def handle(self, request: Request, now_us: int) -> Reply:
        entries, reply = self.shard.handle(request, now_us)
        self.pending += entries
        return reply

    def flush(self) -> list[Entry]:
        """Make durable what was decided, and give it."""
        new, self.pending = self.pending, []
        self.durable += new
        return new

    def crash(self) -> None:
        """Fold what the disk holds."""
        self.pending = []
        self.shard = Shard(self.number)
        for number, entry in enumerate(self.durable, 1):
            self.shard.apply(Batch(number, (entry,)))
        self.shard.settle()


class World:
    """Both shards, the copy of the organisation in the other one, and the commands on their way."""

    def __init__(self) -> None:
        self.sides = (Side(HOME), Side(AWAY))
        self.now_us = 1_000_000
        self.ids = 0
        self.copy = OrganisationMachine()
        self.copied = 0
        """Durable entries of the organisation's shard that the copy was told."""
        self.under_way: list[tuple[int, Request, Callable[[Reply], None]]] = []
        self.do(HOME, ORGANISATION, org.CreateOrganisation(TENANT))
        self.upsert(0)
        self.upsert(1)
        self.create(2)
        self.settle()
        self.copy_begins()

    def new_id(self) -> Id:
        self.ids += 1
        return (1 << 100 | self.ids).to_bytes(16, "big")

    def do(self, side: int, stream: str, command: Command) -> object:
        """Have a command decided; a refusal is an answer."""
        try:
            return self.sides[side].handle(
                Request(stream, command, self.new_id(), "tok_manager"), self.now_us
            )
        except Refusal as refusal:
            return refusal

    # What happens

    def create(self, which: int) -> None:
        name = f"project {which // 2}"  # two of them want one name
        wish = org.AwaitProject(PROJECTS[which], name, AWAY, make_rules())
        self.do(HOME, ORGANISATION, wish)

    def upsert(self, which: int) -> None:
        self.do(HOME, ORGANISATION, org.UpsertWorker(WORKERS[which], NO_ID, NO_ID, capacity=self.ids % 7))

    def ban(self, which: int) -> None:
        reason = StatusReason.MISCONDUCT.value
        command = org.ChangeWorkerStatus(WORKERS[which], WorkerStatus.BANNED, reason)
        self.do(HOME, ORGANISATION, command)

    def erase(self, which: int) -> None:
        known = self.sides[HOME].shard.organisation(TENANT).state.workers.get(WORKERS[which])
        if known is not None:
            self.do(HOME, ORGANISATION, org.ErasePerson(known.facts.person, "asked to"))

    def work(self, which: int) -> None:
        """A worker is given a task in some project there, and answers it."""
        stream = project_stream(TENANT, PROJECTS[which])
        if not self.sides[AWAY].shard.has(stream):
            return
        row = wishes.NewTask(self.new_id(), self.new_id(), digest=self.new_id())
        self.do(AWAY, stream, wishes.AddTasks((row,)))
        worker = WORKERS[self.ids % len(WORKERS)]
        offered = self.do(AWAY, stream, wishes.RequestNext(worker))
        if isinstance(offered, Offered):
            for lease in offered.leases:
                answer = wishes.SubmitAnswer(worker, lease.assignment, lease.fence, (Choice(0, 0),))
                self.do(AWAY, stream, answer)

    def wait(self, which: int) -> None:
        self.now_us += MINUTE

    def flush(self, which: int) -> None:
        self.sides[which % 2].flush()

    def crash(self, which: int) -> None:
        self.sides[which % 2].crash()
        if which % 2 == AWAY:
            self.copy_begins()

    # What crosses

    def copy_begins(self) -> None:
        """The copy takes over all that is durable, and the projects there are told what they missed."""
        home = self.sides[HOME]
        self.copied, self.copy = 0, OrganisationMachine()
        self.sides[AWAY].shard.look_elsewhere({ORGANISATION: self.copy})
        while self.copied < len(home.durable):
            self._fold_one()
        for name in self.sides[AWAY].shard.streams():
            for command in crossing.behind(self.sides[AWAY].shard.project_state(name), self.copy.state):
                self.do(AWAY, name, command)

    def _fold_one(self) -> Entry:
        entry = self.sides[HOME].durable[self.copied]
        self.copied += 1
        if entry.stream == ORGANISATION:
            for event in entry.events:
                self.copy.apply(event, entry.at_us)
        return entry

    def copy_goes_on(self, which: int) -> None:
        """The copy is told one more durable entry, and tells the projects there."""
        if self.copied == len(self.sides[HOME].durable):
            return
        entry = self._fold_one()
        if entry.stream == ORGANISATION:
            shard = self.sides[AWAY].shard
            for worker, command in crossing.told_by(entry.events, self.copy.state):
                for name in shard.knowing(ORGANISATION, worker):
                    self.do(AWAY, name, command)

    def look(self, which: int) -> None:
        """Both sides send what is to cross, once it is durable with them."""
        home, away = self.sides
        home.flush()
        away.flush()
        for awaited in home.shard.organisation(TENANT).state.awaited.values():
            confirm = crossing.confirmation(TENANT, awaited.project)
            begin = crossing.beginning(TENANT, awaited)
            # Registered once the beginning is durable there, which whoever carries it waits for.
            self._send(AWAY, begin, lambda reply, confirm=confirm: self._send(HOME, confirm))
        for stream, command in away.shard.outgoing(self.now_us):
            self._send(
                HOME, Request(stream, command), lambda reply, command=command: self._told(command, reply)
            )

    def _send(self, side: int, request: Request, then: Callable[[Reply], None] = lambda reply: None) -> None:
        self.under_way.append((side, request, then))

    def _told(self, command: org.NoteBalances, reply: Reply) -> None:
        shard = self.sides[AWAY].shard
        known = [
            balance
            for balance in crossing.heard(command.balances, reply)
            if shard.has(project_stream(TENANT, balance.project))
        ]
        shard.told(ORGANISATION, known, self.now_us)

    def deliver(self, which: int, again: bool = False) -> None:
        """One command on its way arrives, in any order; it may arrive again later."""
        if not self.under_way:
            return
        place = which % len(self.under_way)
        side, request, then = self.under_way[place]
        if not again:
            del self.under_way[place]
        try:
            reply = self.sides[side].handle(request, self.now_us)
        except Refusal:
            return
        self.sides[side].flush()
        then(reply)

    def deliver_twice(self, which: int) -> None:
        self.deliver(which, again=True)

    def lose(self, which: int) -> None:
        if self.under_way:
            del self.under_way[which % len(self.under_way)]

    # The end

    def settle(self) -> None:
        """Let everything arrive."""
        for _ in range(8):
            self.now_us += MINUTE
            self.look(0)
            while self.under_way:
                self.deliver(0)
            while self.copied < len(self.sides[HOME].durable):
                self.copy_goes_on(0)
            for side in self.sides:
                side.flush()

    def judge(self) -> None:
        home, away = (side.shard for side in self.sides)
        organisation = home.organisation(TENANT).state
        assert not organisation.awaited
        begun = set(away.streams())
        assert begun == {project_stream(TENANT, project) for project in organisation.projects}
        for name in begun:
            state = away.project_state(name)
            assert not list(crossing.behind(state, organisation))
            for row in range(state.workers.count):
                if state.workers.entries[row]:
                    balance = crossing.balance_of(state, state.workers.id_of(row))
                    assert crossing.is_known(balance, organisation)
                    told = organisation.balances[balance.worker][balance.project, balance.currency]
                    assert told.micros == balance.micros
        created = [
            event
            for entry in self.sides[AWAY].durable
            for event in entry.events
            if type(event).__name__ == "ProjectCreated"
        ]
        assert len(created) == len(begun)
        for side in self.sides:
            side.shard.check()


MOVES = ("create", "upsert", "ban", "erase", "work", "wait", "flush", "crash", "copy_goes_on", "look")
CARRIED = ("deliver", "deliver_twice", "lose")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((*MOVES, *CARRIED, "deliver", "look", "work", "work", "work")), st.integers(0, 2)
        ),
        min_size=10,
        max_size=60,
    )
)
def test_whatever_happens_on_the_way_both_shards_agree_in_the_end(moves: list[tuple[str, int]]) -> None:
    world = World()
    for move, which in moves:
        getattr(world, move)(which)
    world.settle()
    world.judge()


def test_a_project_that_crashed_half_way_is_finished_by_whoever_looks_next() -> None:
    world = World()
    world.create(0)
    world.look(0)
    world.deliver(0)
    world.lose(0)
    world.crash(HOME)
    world.crash(AWAY)
    assert world.sides[HOME].shard.organisation(TENANT).state.awaited
    world.settle()
    world.judge()
    assert PROJECTS[0] in world.sides[HOME].shard.organisation(TENANT).state.projects
