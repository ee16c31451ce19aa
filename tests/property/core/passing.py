"""What happens to people, and what time and restarts bring."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.property.core.base import UNKNOWN, History
from tests.property.core.drawing import PLACE
from tests.support.engine import DAY, MINUTE, ORGANISATION, TENANT

from crowdroute.router.commands import OrganisationCommand
from crowdroute.router.commands.organisation import ChangeWorkerStatus, ErasePerson, UpsertWorker
from crowdroute.router.commands.project import ApplyWorkerFact, DiscountWorker, NoteOutage, SeverPerson
from crowdroute.router.errors import Refusal
from crowdroute.router.model.facts import SkillFact, WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import WorkerStatus
from crowdroute.workers.status import StatusReason

CHANGES = st.sampled_from(
    [
        (WorkerStatus.QUALIFIED, StatusReason.QUALIFICATION_PASSED),
        (WorkerStatus.PAUSED, StatusReason.PAUSED_BY_MANAGER),
        (WorkerStatus.NEW, StatusReason.PAUSE_ENDED),
        (WorkerStatus.BANNED, StatusReason.MISCONDUCT),
        (WorkerStatus.PROBATION, StatusReason.APPEAL_UPHELD),
    ]
)
MOST_LOST = 6
"""People whom one history may discount or forget, so that enough are left to work."""


class Passing(History):
    """Rules about people and time."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0

    def _lose(self, place: int) -> Id:
        """Give a worker to be lost, and take on another in their place."""
        self.lost += 1
        table, workers = self.world.state.assignments, self.world.state.workers
        answered = [workers.id_of(table.worker[row]) for row in range(table.count) if table.receipt[row]]
        worker = self.choose(answered or self.everybody, place)
        self.crowd.append(self.make_worker(languages=("de",)))
        return worker if self.lost < MOST_LOST else self.crowd[-1]

    @rule(
        place=PLACE,
        how=st.sampled_from(["discount", "sever", "erase", "nobody", "change", "change", "facts", "facts"]),
        change=CHANGES,
        number=st.integers(0, 3),
        odd=st.booleans(),
    )
    def something_happens_to_people(
        self, place: int, how: str, change: tuple[WorkerStatus, StatusReason], number: int, odd: bool
    ) -> None:
        self.meanwhile(place)
        if how == "facts":
            self._bring_facts(number, odd, place)
        elif how == "change":
            self._change_somebody(place, change, number, odd)
        else:
            self._lose_somebody(place, how)

    def _lose_somebody(self, place: int, how: str) -> None:
        if how == "discount":
            worker = self._lose(place)
            self.world.ask(DiscountWorker(worker, "guessed"))
            self.world.ask(DiscountWorker(worker, ""))
        elif how == "nobody":
            assert self.world.ask(DiscountWorker(UNKNOWN, "guessed")) is None
            assert self.world.ask(SeverPerson(UNKNOWN)) is None
        else:
            worker = self._lose(place)
            known = self.world.shard.organisation(TENANT).state.workers[worker].facts
            if how == "erase":
                self._tell_organisation(ErasePerson(known.person, "asked for it"))
            self.world.ask(SeverPerson(known.person))

    def _change_somebody(
        self, place: int, change: tuple[WorkerStatus, StatusReason], capacity: int, by_status: bool
    ) -> None:
        if by_status:
            worker = self.choose(self.everybody, place)
            self._tell_organisation(ChangeWorkerStatus(worker, change[0], change[1].value))
        else:
            worker = self.choose(self.crowd[:7], place)
            languages = ("de",) if place % 2 else ()
            self._tell_organisation(
                UpsertWorker(worker, NO_ID, NO_ID, languages=languages, capacity=capacity)
            )

    def _tell_organisation(self, command: OrganisationCommand) -> None:
        """Send a command to the organisation, whose refusals its own tests are about."""
        try:
            self.world.send_to(ORGANISATION, command)
        except Refusal as refusal:
            self.world.seen.reasons[refusal.code] += 1

    def _bring_facts(self, newer: int, other: bool, place: int) -> None:
        """Facts from elsewhere are new, stale, of another person, or contradictory."""
        person = b"Q" * 16 if other else b"P" * 16
        level = 7.0 if place % 4 == 1 else 0.5
        workers = self.world.state.workers
        known = workers.find(b"E" * 16)
        before = workers.version[known] if known >= 0 else 0
        facts = WorkerFacts(b"E" * 16, person, before + newer - 1, skills=(SkillFact("law", level),))
        if self.world.ask(ApplyWorkerFact(facts)) is not None:
            assert workers.version[workers.find(facts.worker)] == max(before, facts.version)

    @rule(
        length_us=st.sampled_from([0, MINUTE, 11 * MINUTE, 61 * MINUTE, DAY, 8 * DAY]),
        how=st.sampled_from(["wait", "wait", "wait", "step", "outage", "restart"]),
    )
    def let_time_pass(self, length_us: int, how: str) -> None:
        """Time passes, and what is due comes about, or one helping of it; or the engine was away."""
        if how == "wait":
            self.world.wait(length_us)
        elif how == "step":
            self.world.now_us += length_us
            self.world.take_a_step()
        elif how == "outage":
            self.world.now_us += length_us
            assert (self.world.ask(NoteOutage(length_us)) is None) == (length_us == 0)
            assert self.world.ask(NoteOutage(-length_us)) is None
        else:
            self.world.restart()
