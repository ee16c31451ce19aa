"""Whatever commands come in whatever order, the invariants hold and the log alone leads to the state."""

from typing import NamedTuple

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crowdroute.router.commands import OrganisationCommand, Reply, Request
from crowdroute.router.commands.organisation import (
    AddPool,
    AddVendor,
    ChangeWorkerStatus,
    CreateOrganisation,
    ErasePerson,
    IssueToken,
    NoteBalance,
    NoteBalances,
    RegisterProject,
    RevokeToken,
    UpsertWorker,
)
from crowdroute.router.commands.replies import Noted
from crowdroute.router.errors import Refusal
from crowdroute.router.events import OrganisationEvent
from crowdroute.router.machine.organisation import OrganisationMachine
from crowdroute.router.machine.stream import Steps, organisation_stream
from crowdroute.router.model.facts import SkillFact
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import Stage, WorkerKind, WorkerStatus
from crowdroute.workers.status import StatusReason

STREAM = organisation_stream("acme")
MINUTE = 60_000_000
START = 1_700_000_000_000_000
SECRET = b"s" * 32


def few(letter: str, number: int) -> list[Id]:
    """A handful of ids of one kind, so that commands meet each other's."""
    return [letter.encode() + bytes([count]) * 15 for count in range(1, number + 1)]


def one_or_none(identities: list[Id]) -> st.SearchStrategy[Id]:
    """One of the ids or, as often, none."""
    return st.just(NO_ID) | st.sampled_from(identities)


PROJECTS, VENDORS, POOLS, EXTERNALS = few("P", 2), few("V", 2), few("p", 3), few("x", 3)
WORKERS, PERSONS, TOKENS = few("w", 4), few("h", 3), few("t", 5)
NAMES = st.sampled_from(["one", "two", "three"])
PLACES = st.sampled_from([(NO_ID, NO_ID), (VENDORS[0], NO_ID), (VENDORS[0], POOLS[0]), (NO_ID, POOLS[1])])
SKILLS = st.lists(
    st.builds(SkillFact, st.sampled_from(["de", "law"]), st.sampled_from([0, 0.5, 1]), st.integers(0, 2)),
    max_size=2,
).map(tuple)
STAGES = st.lists(st.sampled_from(Stage), min_size=1, max_size=3).map(tuple)
CHANGES = st.sampled_from(
    [
        (WorkerStatus.QUALIFIED, StatusReason.QUALIFICATION_PASSED),
        (WorkerStatus.TRUSTED, StatusReason.TRUST_EARNED),
        (WorkerStatus.PROBATION, StatusReason.ACCURACY_LOW),
        (WorkerStatus.PAUSED, StatusReason.PREVENTIVE_STOP),
        (WorkerStatus.PAUSED, StatusReason.PAUSED_BY_MANAGER),
        (WorkerStatus.NEW, StatusReason.PAUSE_ENDED),
        (WorkerStatus.TRUSTED, StatusReason.PAUSE_ENDED),
        (WorkerStatus.BANNED, StatusReason.MISCONDUCT),
        (WorkerStatus.PROBATION, StatusReason.APPEAL_UPHELD),
    ]
)


class Issued(NamedTuple):
    """What a test remembers of a token, to say by itself whether it is good."""

    expires_us: int
    worker: Id
    parent: Id


class OrganisationHistory(RuleBasedStateMachine):
    """Commands against a live machine, beside a replay of its events and a model of what they promise."""

    def __init__(self) -> None:
        super().__init__()
        self.live, self.replay = OrganisationMachine(), OrganisationMachine()
        self.now_us = START
        self.steps = 0
        self.externals: dict[Id, Id] = {}
        self.persons: dict[Id, Id] = {}
        self.ranks: dict[Id, WorkerStatus] = {}
        """Each worker's status without the pause."""
        self.severed: set[Id] = set()
        self.tokens: dict[Id, Issued] = {}
        self.revoked: set[Id] = set()
        self.owed: dict[tuple[Id, Id], tuple[int, int]] = {}

    def carry_out(self, decision: Steps) -> Reply:
        """Apply what a decision yields; the replay gets each event as the log would give it back."""
        while True:
            try:
                event = next(decision)
            except StopIteration as end:
                return end.value
            self.live.apply(event, self.now_us)
            stored = msgspec.msgpack.encode(event)
            self.replay.apply(msgspec.msgpack.decode(stored, type=OrganisationEvent), self.now_us)

    def send(self, command: OrganisationCommand, principal: str = "tok_manager") -> bool:
        """Say whether a command was accepted, sure that a refused one changed nothing."""
        self.steps += 1
        before = self.live.digest()
        request = Request(STREAM, command, self.steps.to_bytes(16, "big"), principal)
        try:
            self.reply = self.carry_out(self.live.decide(request, self.now_us))
        except Refusal:
            assert self.live.digest() == before
            return False
        return True

    def is_good(self, token: Id) -> bool:
        """Say from the model whether a token is good now."""
        issued = self.tokens.get(token)
        if issued is None or token in self.revoked or issued.worker in self.severed:
            return False
        if issued.expires_us and issued.expires_us <= self.now_us:
            return False
        return issued.parent == NO_ID or self.is_good(issued.parent)

    @initialize()
    def begin(self) -> None:
        assert self.send(CreateOrganisation("acme"))
        assert self.send(RegisterProject(PROJECTS[0], "first", 0))
        assert self.send(AddVendor(VENDORS[0], "first"))
        assert self.send(AddPool(POOLS[0], VENDORS[0], "first"))
        assert self.send(AddPool(POOLS[1], NO_ID, "second"))
        self.upsert_worker(
            WORKERS[0], PERSONS[0], EXTERNALS[0], WorkerKind.HUMAN, (NO_ID, NO_ID), (), (Stage.CROWD,), 0
        )
        self.issue_token(TOKENS[0], NO_ID, NO_ID, (NO_ID, NO_ID), 90)

    @rule(
        command=st.builds(RegisterProject, st.sampled_from(PROJECTS), NAMES, st.just(1))
        | st.builds(AddVendor, st.sampled_from(VENDORS), NAMES)
        | st.builds(AddPool, st.sampled_from(POOLS), one_or_none(VENDORS), NAMES)
    )
    def extend_the_organisation(self, command: OrganisationCommand) -> None:
        self.send(command)

    @rule(
        worker=st.sampled_from(WORKERS),
        person=one_or_none(PERSONS),
        external=one_or_none(EXTERNALS),
        kind=st.sampled_from([WorkerKind.HUMAN, WorkerKind.HUMAN, WorkerKind.MODEL]),
        place=PLACES,
        skills=SKILLS,
        stages=STAGES,
        capacity=st.integers(0, 1),
    )
    def upsert_worker(self, worker, person, external, kind, place, skills, stages, capacity) -> None:
        known = self.live.state.workers.get(self.externals.get(external, worker))
        if not self.send(UpsertWorker(worker, person, external, kind, *place, stages, skills, (), capacity)):
            return
        found = self.reply.id
        if external != NO_ID:
            assert found == self.externals.get(external, worker)
            self.externals[external] = found
        facts = self.live.state.workers[found].facts
        assert facts.version == self.reply.version
        assert facts.person == self.persons.setdefault(found, facts.person)
        assert person in (NO_ID, facts.person)
        assert facts.person not in {self.persons[worker] for worker in self.severed}
        if known is None:
            assert (facts.version, facts.status) == (1, WorkerStatus.NEW)
            self.ranks[found] = WorkerStatus.NEW
        else:
            assert facts.version == known.facts.version + (self.live.state.workers[found] != known)
            assert facts.status == known.facts.status

    @rule(
        worker=st.sampled_from(WORKERS),
        change=CHANGES,
        minutes=st.sampled_from([0, 1, 90]),
        principal=st.sampled_from(["", "tok_manager"]),
    )
    def change_status(self, worker: Id, change, minutes: int, principal: str) -> None:
        until_us = self.now_us + minutes * MINUTE if minutes else 0
        status, reason = change
        if self.send(ChangeWorkerStatus(worker, status, reason.value, until_us), principal):
            assert self.live.state.workers[worker].facts.status is status
            assert worker not in self.severed
            if reason is StatusReason.PAUSE_ENDED:
                assert status is self.ranks[worker]
            elif status is not WorkerStatus.PAUSED:
                self.ranks[worker] = status

    @rule(person=st.sampled_from(PERSONS))
    def erase_person(self, person: Id) -> None:
        workers = {worker for worker, theirs in self.persons.items() if theirs == person} - self.severed
        if self.send(ErasePerson(person, "asked for it")):
            self.severed |= workers
            self.externals = {
                external: worker for external, worker in self.externals.items() if worker not in workers
            }
            assert all(self.live.state.workers[worker].erased for worker in workers)
        else:
            assert not workers

    @rule(
        token=st.sampled_from(TOKENS),
        parent=one_or_none(TOKENS),
        worker=one_or_none(WORKERS),
        place=PLACES,
        minutes=st.sampled_from([0, 1, 90]),
    )
    def issue_token(self, token: Id, parent: Id, worker: Id, place, minutes: int) -> None:
        expires_us = self.now_us + minutes * MINUTE if minutes else 0
        if self.send(IssueToken(token, SECRET, "a token", ("work",), expires_us, *place, worker, parent)):
            assert parent == NO_ID or self.is_good(parent)
            self.tokens[token] = Issued(expires_us, worker, parent)
            self.revoked.discard(token)

    @rule(
        token=st.sampled_from(TOKENS[1:]),
        worker=one_or_none(WORKERS[:2]),
        minutes=st.sampled_from([1, 90]),
    )
    def mint_session(self, token: Id, worker: Id, minutes: int) -> None:
        self.issue_token(token, TOKENS[0], worker, (NO_ID, NO_ID), minutes)

    @rule(token=st.sampled_from(TOKENS))
    def revoke_token(self, token: Id) -> None:
        if self.send(RevokeToken(token, "leaked")):
            self.revoked.add(token)

    @rule(
        project=st.sampled_from(PROJECTS),
        worker=st.sampled_from(WORKERS),
        version=st.integers(1, 4),
        micros=st.integers(-5, 5),
    )
    def note_balance(self, project: Id, worker: Id, version: int, micros: int) -> None:
        if self.send(NoteBalance(project, worker, version, micros, "USD")):
            known = self.owed.get((project, worker), (0, 0))
            self.owed[project, worker] = max(known, (version, micros), key=lambda noted: noted[0])

    @rule(
        told=st.lists(
            st.tuples(
                st.sampled_from(PROJECTS), st.sampled_from(WORKERS), st.integers(1, 4), st.integers(-5, 5)
            ),
            min_size=1,
            max_size=4,
        )
    )
    def note_balances(self, told: list[tuple[Id, Id, int, int]]) -> None:
        totals = tuple(NoteBalance(*total, "USD") for total in told)
        assert self.send(NoteBalances(totals))
        assert isinstance(self.reply, Noted)
        state = self.live.state
        for place, (project, worker, version, micros) in enumerate(told):
            unknown = project not in state.projects or worker not in state.workers
            assert unknown == (place in self.reply.unknown)
            if not unknown:
                known = self.owed.get((project, worker), (0, 0))
                self.owed[project, worker] = max(known, (version, micros), key=lambda noted: noted[0])

    @rule(minutes=st.sampled_from([1, 30, 90, 3000]))
    def let_time_pass(self, minutes: int) -> None:
        self.now_us += minutes * MINUTE
        while (due_us := self.live.next_due_us()) is not None and due_us <= self.now_us:
            before = self.live.digest()
            self.carry_out(self.live.due(self.now_us, NO_ID))
            assert self.live.digest() != before
        for worker, row in self.live.state.workers.items():
            assert row.until_us == 0 or row.until_us > self.now_us
            assert row.facts.status in (WorkerStatus.PAUSED, self.ranks[worker])

    @rule()
    def restart_from_what_was_saved(self) -> None:
        sections = self.live.pack()
        self.live = OrganisationMachine()
        self.live.unpack(sections)
        assert self.live.pack() == sections

    @invariant()
    def the_state_is_sound(self) -> None:
        self.live.check()

    @invariant()
    def a_fold_of_the_log_is_the_live_state(self) -> None:
        assert self.replay.digest() == self.live.digest()
        assert self.replay.next_due_us() == self.live.next_due_us()

    @invariant()
    def a_token_is_found_exactly_while_it_is_good(self) -> None:
        for token in TOKENS:
            facts = self.live.state.find_token(token, self.now_us)
            assert (facts is not None) == self.is_good(token)

    @invariant()
    def an_external_id_leads_to_the_worker_it_was_given_to(self) -> None:
        assert self.live.state.externals == self.externals

    @invariant()
    def the_newest_balance_of_each_project_stands(self) -> None:
        noted = {
            (row.project, worker): (row.version, row.micros)
            for worker in WORKERS
            for row in self.live.state.list_balances(worker)
        }
        assert noted == self.owed

    @invariant()
    def pages_list_every_worker_once_in_order(self) -> None:
        listed: list[Id] = []
        while page := self.live.state.list_workers(after=listed[-1] if listed else NO_ID, limit=2):
            listed += [row.facts.worker for row in page]
        assert listed == sorted(self.live.state.workers)


TestOrganisationHistory = OrganisationHistory.TestCase
# Twice the usual examples: a session that outlives what it hangs on takes five commands that fit together.
TestOrganisationHistory.settings = settings(max_examples=200)
