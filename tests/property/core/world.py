"""A shard under observation: every command goes through here, and so does every promise."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
from tests.checker import Reading
from tests.property.core.promises import Promises
from tests.property.core.seen import Seen, Transitions
from tests.support.engine import DAY, MINUTE, TENANT, Engine, read_back

from crowdroute.router.commands import Command, Reply
from crowdroute.router.commands.project import CreateProject, ProjectCommand, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Granted, Offered, Received
from crowdroute.router.errors import KeyReused, Refusal
from crowdroute.router.events import Entry
from crowdroute.router.events.organisation import BalanceNoted
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import AssignmentState, Receipt
from crowdroute.router.policy.base import may_be_given
from crowdroute.router.quality.eligibility import misses
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

CLOSE = 1e-9
"""How far the models of two folds may differ."""


class Keyed(NamedTuple):
    """A command that was carried out under an idempotency key."""

    stream: str
    command: Command
    key: str
    reply: Reply
    at_us: int


class World(Engine):
    """One organisation with one project; `ask` sends a command and believes nothing."""

    def __init__(self, seen: Seen, rules: ProjectRules) -> None:
        self.seen = seen
        self.replica = Shard()
        self.shadow = ProjectMachine()
        self.promises = Promises()
        self.checker = Reading()
        self.leases: list[tuple[Id, Granted]] = []
        self.submits: list[tuple[SubmitAnswer, Received]] = []
        self.keyed: list[Keyed] = []
        self.asked = 0
        self.stream = ""
        super().__init__()
        self.project = self.new_id()
        self.stream = project_stream(TENANT, self.project)
        assert self.ask(CreateProject(self.project, "birds", rules)) is not None

    @property
    def state(self) -> Project:
        """What the project's events were folded into."""
        return self.shard.project(TENANT, self.project).state

    # Commands

    def ask(self, command: ProjectCommand, stream: str = "") -> Reply | None:
        """Send a command; None when it was refused. Every third one has an idempotency key."""
        stream = stream or self.stream
        self.asked += 1
        key = f"key {self.asked}" if self.asked % 3 == 0 else ""
        entropy = self.new_id()
        length = len(self.entries)
        try:
            reply = self.send_to(stream, command, key=key, entropy=entropy)
        except Refusal as refusal:
            self.seen.refused[type(command)] += 1
            self.seen.reasons[refusal.code] += 1
            # Facts that were brought for a refused request stay; they lead the next entries given out.
            if isinstance(command, RequestNext):
                self._give_out_owed()
            else:
                assert len(self.entries) == length
            assert self.shard.digest() == self.replica.digest(), "a refusal changed something"
            return None
        self.seen.accepted[type(command)] += 1
        own = [entry for entry in self.entries[length:] if entry.cause.key]
        if key and own:
            self.keyed.append(Keyed(stream, command, key, reply, own[-1].at_us))
            self.repeat(len(self.keyed) - 1)
        if isinstance(command, RequestNext):
            self._note_offer(command, reply)
        if isinstance(command, SubmitAnswer):
            self._note_submit(command, reply)
        return reply

    def repeat(self, place: int) -> None:
        """Send a keyed command again, and another one under its key, within a day of the first."""
        stream, command, key, reply, at_us = self.keyed[place]
        if at_us + DAY < self.now_us:
            return
        self._give_out_owed()
        length = len(self.entries)
        again = self.send_to(stream, command, key=key)
        assert again == reply, "a repeated request got another reply"
        refusal = self.refusal_from(stream, command, KeyReused, key=key, digest=b"another request.")
        assert refusal.code == "IDEMPOTENCY_KEY_REUSED"
        assert len(self.entries) == length

    def repeat_submit(self, place: int) -> None:
        """Send an answer again: as it was, and with another label."""
        command, reply = self.submits[place]
        self._give_out_owed()
        length = len(self.entries)
        assert self.send_to(self.stream, command) == reply, "a repeated answer got another reply"
        self.refusal_from(self.stream, _other(command), KeyReused)
        assert len(self.entries) == length

    def _note_submit(self, command: SubmitAnswer, reply: Reply) -> None:
        assert isinstance(reply, Received)
        if all(command.assignment != known.assignment for known, _ in self.submits):
            self.submits.append((command, reply))
        assert (reply.receipt == Receipt.COUNTED) == (reply.reason == "")

    def _note_offer(self, command: RequestNext, reply: Reply) -> None:
        assert isinstance(reply, Offered)
        assert bool(reply.leases) == (reply.reason == "")
        assert len(reply.leases) <= command.count
        self.leases += [(command.worker, lease) for lease in reply.leases]
        if reply.reason == "NO_TASK":
            assert not self._tasks_for(command.worker), "NO_TASK although there is a task"

    def _tasks_for(self, worker: Id) -> list[int]:
        """Give every task that may be given to a worker, by looking at all of them."""
        state = self.state
        row = state.worker(worker)
        return [
            task
            for stage in state.facts[row].stages
            for task in range(state.tasks.count)
            if state.tasks.purpose[task] not in WITH_KNOWN_ANSWER
            and may_be_given(state, row, task, stage)
            and not misses(state, row, state.tasks.signature[task], stage)
        ]

    # Observation

    def _keep(self, entries: tuple[Entry, ...]) -> None:
        length = len(self.batches)
        super()._keep(entries)
        for stored, batch in zip(self.batches[length:], read_back(self.batches[length:]), strict=True):
            self.checker.read(stored, _decode)
            self.replica.apply(batch)
            for entry in batch.entries:
                if entry.stream == self.stream:
                    self._follow(entry)
        assert self.checker.report.ok, str(self.checker.report)

    def _follow(self, entry: Entry) -> None:
        for event in entry.events:
            transitions = Transitions(self.seen, self.shadow.state, event)
            self.shadow.apply(event, entry.at_us)
            transitions.note()
            self.promises.hear(event)

    def verify(self) -> None:
        """Do nothing after a single command: `verify_all` looks at everything after each step."""

    def verify_all(self) -> None:
        """See that every invariant holds, and compare the live state with what the log alone says."""
        self._give_out_owed()
        self.shard.check()
        assert self.replica.digest() == self.shard.digest(), "a fold of the log leads elsewhere"
        self.promises.compare(self.state)

    def verify_restart(self) -> None:
        """See that a fold of the log, and a snapshot of one, lose nothing and have nothing to do."""
        self._wait_for_quiet()
        self.verify_all()
        self._compare_balances()
        assert self.shadow.digest() == self.shard.project(TENANT, self.project).digest()
        for other in (self.folded(), self._from_snapshot()):
            other.check()
            assert other.digest() == self.shard.digest()
            self._compare_models(other)
            self._see_nothing_due(other)

    def _wait_for_quiet(self) -> None:
        """Let minutes pass until nothing falls due in the next one: a bonus that was posted a moment ago is
        told a minute later."""
        self.wait(2 * MINUTE)
        while (due_us := self.shard.next_due_us()) is not None and due_us <= self.now_us + MINUTE:
            self.wait(2 * MINUTE)

    def restart(self) -> None:
        """Go on with what a snapshot of the log leads to."""
        self.wait()
        self.verify_all()
        self.shard = self._from_snapshot()
        self._see_nothing_due(self._from_snapshot())

    def _from_snapshot(self) -> Shard:
        packed = self.replica.pack()
        shard = Shard()
        shard.unpack(packed)
        assert shard.pack() == packed, "a snapshot of a snapshot differs"
        shard.settle()
        return shard

    def _compare_balances(self) -> None:
        """See that the organisation knows what is owed, once there was time to tell it."""
        organisation = self.shard.organisation(TENANT).state
        for worker in organisation.workers:
            told = [row.micros for row in organisation.list_balances(worker) if row.project == self.project]
            earned = [entry for entry in self.promises.entries.values() if entry.worker == worker]
            assert told == ([self.promises.earned[worker]] if earned else [])

    def _compare_models(self, other: Shard) -> None:
        live, folded = self.state.models, other.project(TENANT, self.project).state.models
        for ours, theirs in zip(live.fields, folded.fields, strict=True):
            for name in ("posteriors", "confusion", "class_counts"):
                mine, others = getattr(ours, name), getattr(theirs, name)
                assert np.allclose(mine[: len(others)], others[: len(mine)], rtol=0.0, atol=CLOSE)

    def _see_nothing_due(self, restarted: Shard) -> None:
        """Nothing comes of a restart; balances are told again at another moment, once."""
        for _ in range(100):
            due_us = restarted.next_due_us()
            if due_us is None or due_us > self.now_us:
                return
            events = [event for entry in restarted.due(self.now_us) for event in entry.events]
            assert all(isinstance(event, BalanceNoted) for event in events), "a restart brought this about"
        raise AssertionError("a restarted shard has always something due")

    def take_a_step(self) -> None:
        """Bring about one bounded helping of what is due."""
        self._keep(self.shard.due(self.now_us))

    def _give_out_owed(self) -> None:
        if self.shard.next_due_us() == 0:
            self._keep(self.shard.due(0))

    def assignments_in(self, *states: AssignmentState) -> list[tuple[Id, Granted]]:
        """Give the leases whose assignments are in one of these states."""
        table = self.state.assignments
        return [
            (worker, lease)
            for worker, lease in self.leases
            if (row := table.find(lease.assignment)) >= 0 and table.state[row] in states
        ]


def _other(command: SubmitAnswer) -> SubmitAnswer:
    first, *rest = command.answer
    changed = type(first)(first.field, (first.label + 1) % 3)
    return SubmitAnswer(command.worker, command.assignment, command.fence, (changed, *rest))


def _decode(body: bytes) -> Any:
    return msgspec.msgpack.decode(body[1:])
