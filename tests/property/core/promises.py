"""The routing core's promises as a second, plain book: told by the events alone, compared with the state.

What stands here is kept with dictionaries and sets and knows nothing of tables, so that a mistake in the fold
is not repeated.
"""

from __future__ import annotations

from collections import Counter

from crowdroute.router.events import Event
from crowdroute.router.events import project as facts
from crowdroute.router.model.answers import FieldResult
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import (
    Account,
    EntryKind,
    FinalReason,
    Mode,
    Purpose,
    Receipt,
    Stage,
    WorkerStatus,
)
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project


class Promises:
    """What must hold of one project whatever was asked of it."""

    def __init__(self) -> None:
        self.rules: ProjectRules | None = None
        self.persons: dict[Id, Id] = {}
        self.gone: set[Id] = set()
        self.purposes: dict[Id, Purpose] = {}
        self.barred: set[Id] = set()
        """Workers who are banned or discounted, or whose person was forgotten."""
        self.items: dict[Id, Id] = {}
        self.erased: set[Id] = set()
        self.planned: Counter[tuple[Id, Stage]] = Counter()
        self.added: Counter[tuple[Id, Stage]] = Counter()
        """Slots that events planned one by one, beside what new rules allow."""
        self.counted: Counter[Id] = Counter()
        """Answers of crowd and seniors that count, by task."""
        self.least: Counter[Id] = Counter()
        self.given: set[tuple[Id, Id]] = set()
        self.grants: dict[Id, facts.LeaseGranted] = {}
        self.receipts: dict[Id, Receipt] = {}
        self.withdrawn: set[Id] = set()
        self.results: dict[tuple[Id, int], tuple[FieldResult, ...]] = {}
        self.entries: dict[Id, facts.EntryPosted] = {}
        self.earned: Counter[Id] = Counter()
        self.paid: Counter[Id] = Counter()
        self.bonuses: dict[tuple[Id, str, int], facts.BonusDecided] = {}

    def hear(self, event: Event) -> None:
        """Note one event and refuse to believe what breaks a promise."""
        match event:
            case facts.RulesApplied():
                self.rules = event.rules
            case facts.WorkerFactApplied():
                self._meet(event)
            case facts.TaskOpened():
                self._open(event)
            case facts.WorkerDiscounted():
                self._bar(event.worker)
            case facts.PersonSevered():
                for worker, person in self.persons.items():
                    if person == event.person:
                        self._bar(worker)
            case facts.ItemErased():
                self.erased.add(event.item)
            case facts.SlotsPlanned():
                self.added[event.task, event.stage] += event.added
            case facts.TaskEscalated():
                self.added[event.task, event.stage] += 1
            case facts.TaskReopened():
                self._reopen(event)
            case facts.LeaseGranted():
                self._grant(event)
            case facts.AnswerSubmitted():
                assert event.assignment not in self.receipts, "one assignment was answered twice"
                self.receipts[event.assignment] = event.receipt
                self._count(event.assignment, int(event.receipt == Receipt.COUNTED))
            case facts.AnswerWithdrawn():
                self.withdrawn.add(event.assignment)
                self._count(event.assignment, -int(self.receipts[event.assignment] == Receipt.COUNTED))
            case facts.AnswerDiscounted():
                self._count(event.assignment, -1)
                grant = self.grants[event.assignment]
                if self.purposes[grant.task] not in WITH_KNOWN_ANSWER:
                    self.added[grant.task, grant.stage] += 1
            case facts.TaskFinalised() | facts.ResultCorrected():
                self._publish(event)
            case facts.EntryPosted():
                self._post(event)
            case facts.BonusDecided():
                about = (event.worker, event.rule, event.period)
                assert about not in self.bonuses, "one bonus was decided twice"
                self.bonuses[about] = event

    def _meet(self, event: facts.WorkerFactApplied) -> None:
        given = event.facts
        person = given.worker if given.person == NO_ID else given.person
        assert self.persons.setdefault(given.worker, person) == person, "a worker changed hands"
        if given.status == WorkerStatus.BANNED:
            self.barred.add(given.worker)
        elif given.worker not in self.gone:
            self.barred.discard(given.worker)

    def _bar(self, worker: Id) -> None:
        self.gone.add(worker)
        self.barred.add(worker)

    def _open(self, event: facts.TaskOpened) -> None:
        assert event.item not in self.erased, "a task was opened on an erased item"
        self.purposes[event.task], self.items[event.task] = event.purpose, event.item
        stage = Stage.EXPERT if event.purpose == Purpose.AUDIT else Stage.CROWD
        self.added[event.task, stage] += event.planned

    def _reopen(self, event: facts.TaskReopened) -> None:
        assert self.items[event.task] not in self.erased, "a task on an erased item was re-opened"
        self.added[event.task, Stage.CROWD] += event.added
        if event.added:
            self.least[event.task] = self.counted[event.task] + event.added

    def _count(self, assignment: Id, change: int) -> None:
        grant = self.grants[assignment]
        if grant.stage != Stage.EXPERT:
            self.counted[grant.task] += change

    def _grant(self, event: facts.LeaseGranted) -> None:
        about = (event.task, self.persons[event.worker])
        assert about not in self.given, "one person was given a task twice"
        assert self.items[event.task] not in self.erased, "a task on an erased item was given"
        assert event.worker not in self.barred, "somebody barred was given a task"
        assert event.assignment not in self.grants
        self.given.add(about)
        self.grants[event.assignment] = event
        assert self.rules is not None
        prices = self.rules.prices
        price = (prices.crowd_micros, prices.senior_micros, prices.expert_micros)[event.stage]
        assert (event.rules_version, event.price_micros) == (self.rules.version, price)

    def _publish(self, event: facts.TaskFinalised | facts.ResultCorrected) -> None:
        assert (event.task, event.revision) not in self.results, "one revision was published twice"
        assert event.revision == 1 or (event.task, event.revision - 1) in self.results
        self.results[event.task, event.revision] = event.results
        if isinstance(event, facts.TaskFinalised) and event.reason != FinalReason.EXPERT:
            assert self.rules is not None
            counted = self.counted[event.task]
            assert counted >= self.rules.overlap.minimum, "finalised before the minimum"
            if event.reason == FinalReason.CONFIDENT:
                assert counted >= self.least[event.task], "finalised before the answers asked for"

    def _post(self, event: facts.EntryPosted) -> None:
        assert event.entry not in self.entries, "one entry was posted twice"
        self.entries[event.entry] = event
        self.earned[event.worker] += event.micros
        cost = Account.BONUS_COST if event.kind == EntryKind.BONUS else Account.LABELLING_COST
        assert (event.debit, event.credit) == (cost, Account.WORKER_PAYABLE)
        if event.kind == EntryKind.BONUS:
            decided = self.bonuses[event.worker, event.rule, event.period]
            assert (decided.mode, decided.micros) == (Mode.ENFORCE, event.micros)
        else:
            self.paid[event.assignment] += event.micros

    def compare(self, state: Project) -> None:
        """See that the state tells the same story."""
        self._compare_slots(state)
        self._compare_results(state)
        self._compare_workers(state)

    def _compare_slots(self, state: Project) -> None:
        tasks = state.tasks
        for row in range(tasks.count):
            task = tasks.id_of(row)
            for stage in Stage:
                planned = tasks.planned[stage][row]
                held = tasks.live[stage][row] + tasks.counted[stage][row]
                assert planned >= self.planned[task, stage], "planned slots fell"
                self.planned[task, stage] = planned
                assert planned >= self.added[task, stage], "a slot was not planned"
                exempt = self.purposes[task] in WITH_KNOWN_ANSWER
                assert held + tasks.kept[stage][row] <= planned or exempt, "more slots are taken than planned"
                assert not (exempt and (held or planned)), "overlap binds a task with a known answer"

    def _compare_results(self, state: Project) -> None:
        table = state.results
        assert table.count == len(self.results)
        for row in range(table.count):
            published = self.results[state.tasks.id_of(table.task[row]), table.revision[row]]
            assert state.result_fields(row) == published, "a published result changed"

    def _compare_workers(self, state: Project) -> None:
        workers = state.workers
        for row in range(workers.count):
            assert workers.earned_micros[row] == self.earned[workers.id_of(row)]
            assert not (workers.live[row] and workers.id_of(row) in self.barred), "the barred hold a lease"
        for assignment, grant in self.grants.items():
            receipt = self.receipts.get(assignment, Receipt.NONE)
            earns = receipt in (Receipt.COUNTED, Receipt.SURPLUS) and assignment not in self.withdrawn
            assert self.paid[assignment] == (grant.price_micros if earns else 0), "an answer is not paid once"
        for (worker, rule, period), decided in self.bonuses.items():
            about = (EntryKind.BONUS, worker, rule, period)
            posted = [
                entry.micros
                for entry in self.entries.values()
                if (entry.kind, entry.worker, entry.rule, entry.period) == about
            ]
            due = decided.micros if decided.mode == Mode.ENFORCE else 0
            assert posted == ([due] if due else [])
