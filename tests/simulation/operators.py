"""Operators, importers and the organisation: everything that is not a worker's move."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.knowledge import LANGUAGES, SKILLS, Knowledge, KnownProject, Worker
from tests.simulation.rulebooks import first_rules, next_rules, requirement, unsound_rules

from crowdroute.router.commands import Command
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands import project as wishes
from crowdroute.router.model.facts import SkillFact
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import Purpose, Stage, WorkerKind, WorkerStatus

PURPOSES = (
    *[Purpose.PRODUCTION] * 24,
    *[Purpose.GOLD] * 3,
    Purpose.TRAINING,
    Purpose.QUALIFICATION,
    Purpose.CALIBRATION,
    Purpose.AUDIT,
    Purpose.REVIEW,
)

STANDINGS = (
    ("qualification_passed", WorkerStatus.QUALIFIED),
    ("qualification_passed", WorkerStatus.QUALIFIED),
    ("trust_earned", WorkerStatus.TRUSTED),
    ("accuracy_low", WorkerStatus.PROBATION),
    ("accuracy_recovered", WorkerStatus.QUALIFIED),
    ("paused_by_manager", WorkerStatus.PAUSED),
    ("preventive_stop", WorkerStatus.PAUSED),
    ("pause_ended", WorkerStatus.QUALIFIED),
    ("misconduct", WorkerStatus.BANNED),
    ("appeal_upheld", WorkerStatus.PROBATION),
)

MOST_WORKERS = 24
"""Workers who take part at a time; those who are sent away are replaced."""

Operator = Callable[[Knowledge, KnownProject, tuple[str, ...]], Command | None]


def _add_tasks(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command:
    return add_tasks(known, project, known.random.randint(1, 8))


def add_tasks(known: Knowledge, project: KnownProject, count: int) -> wishes.AddTasks:
    """Import rows: mostly new items, now and then a known one again, as it was or for another round."""
    rows: list[wishes.NewTask] = []
    for _ in range(count):
        earlier = known.random.choice(project.tasks) if project.tasks and known.chance(0.05) else None
        item = earlier.item if earlier else known.identity()
        purpose = known.random.choice(PURPOSES)
        names = [worker.id for worker in known.workers]
        listed = tuple(known.random.sample(names, min(len(names), 3))) if known.chance(0.1) else ()
        allows = known.chance(0.3)
        rows.append(
            wishes.NewTask(
                item=item,
                task=known.identity(),
                external=known.identity() if known.chance(0.3) else NO_ID,
                digest=b"" if earlier and known.chance(0.7) else known.identity(),
                purpose=purpose,
                batch=known.random.choice(("", "monday")),
                priority=known.random.choice((0, 0, 0, 1, 3)),
                capability=known.random.choice(("", "", "medical")),
                requirement=requirement(known.random),
                allow=listed if allows else (),
                deny=() if allows else listed,
                gold=known.right_answer(project.rules, item)
                if purpose in (Purpose.GOLD, Purpose.TRAINING, Purpose.QUALIFICATION)
                else (),
            )
        )
    if known.chance(0.05):
        rows.append(rows[0])
    return wishes.AddTasks(tuple(rows))


def _rules(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command:
    if known.chance(0.2):
        return wishes.ApplyRules(unsound_rules(known.random, project.rules))
    return wishes.ApplyRules(next_rules(known.random, project.rules, policies))


def _pause(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command:
    return wishes.PauseProject("lunch") if known.chance(0.2) else wishes.ResumeProject()


def _task(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command | None:
    if not project.tasks:
        return None
    one = known.random.choice(project.tasks[-40:])
    draw = known.random.random()
    if draw < 0.1:
        return wishes.CancelTask(one.task, "not needed")
    if draw < 0.5:
        return wishes.ReopenTask(one.task, "doubt", known.random.randint(0, 2))
    if draw < 0.7:
        return wishes.CorrectResult(one.task, known.right_answer(project.rules, one.item), "a client said so")
    if draw < 0.95:
        return wishes.EscalateTask(one.task, "doubt")
    return wishes.EraseItem(one.item, "asked for")


def _assignment(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command | None:
    if not project.assignments:
        return None
    one = known.random.choice(project.assignments[-30:])
    return wishes.RevokeLease(one, "operator") if known.chance(0.4) else wishes.RequestReview(one, "doubt")


def _discount(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command | None:
    if not known.chance(0.15):
        return None
    return wishes.DiscountWorker(known.random.choice(known.workers).id, "spam")


def _facts_again(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command | None:
    """Deliver facts that a log holds once more, newest or long outdated."""
    return wishes.ApplyWorkerFact(known.random.choice(known.facts)) if known.facts else None


ON_PROJECTS: tuple[tuple[Operator, int], ...] = (
    (_add_tasks, 18),
    (_rules, 2),
    (_pause, 3),
    (_task, 12),
    (_assignment, 8),
    (_discount, 2),
    (_facts_again, 4),
)


def on_project(known: Knowledge, project: KnownProject, policies: tuple[str, ...]) -> Command | None:
    """Give what an operator asks of a project next."""
    choices, weights = zip(*ON_PROJECTS, strict=True)
    (operator,) = known.random.choices(choices, weights)
    wish: Command | None = operator(known, project, policies)
    return wish


def new_project(known: Knowledge, policies: tuple[str, ...]) -> wishes.CreateProject:
    """Begin another project; now and then under a name that is taken."""
    name = f"project {known.random.randrange(6)}"
    return wishes.CreateProject(known.identity(), name, first_rules(known.random, policies))


def new_worker(known: Knowledge) -> organisation_wishes.UpsertWorker:
    """Make somebody known: mostly a new person, now and then another identity of one, or a model."""
    person = known.identity()
    if known.workers and known.chance(0.3):
        person = known.random.choice(known.workers).person
    if known.chance(0.1):
        person = NO_ID
    draw = known.random.random()
    stages: tuple[Stage, ...] = (Stage.CROWD,)
    if draw < 0.12:
        stages = (Stage.SENIOR,)
    elif draw < 0.2:
        stages = (Stage.EXPERT,)
    elif draw < 0.3:
        stages = (Stage.CROWD, Stage.SENIOR, Stage.EXPERT)
    worker = Worker(known.identity(), person, known.identity(), known.random.uniform(0.4, 0.95), stages)
    known.workers.append(worker)
    return upsert(known, worker)


def upsert(known: Knowledge, worker: Worker) -> organisation_wishes.UpsertWorker:
    """Describe a worker, differently each time."""
    pool, vendor = known.random.choice(known.pools) if known.pools and known.chance(0.5) else (NO_ID, NO_ID)
    names = known.random.sample(SKILLS, known.random.randint(0, len(SKILLS)))
    return organisation_wishes.UpsertWorker(
        worker=worker.id,
        person=worker.person,
        external=worker.external,
        kind=WorkerKind.MODEL if worker.person == NO_ID else WorkerKind.HUMAN,
        vendor=vendor,
        pool=pool,
        stages=worker.stages,
        skills=tuple(
            SkillFact(name, round(known.random.random(), 2), known.random.randint(0, 9)) for name in names
        ),
        languages=tuple(known.random.sample(LANGUAGES, known.random.randint(1, len(LANGUAGES)))),
        capacity=known.random.choice((0, 0, 0, 1, 3)),
    )


def _elsewhere(known: Knowledge) -> Command:
    """Await a project in another shard, or register one that was awaited."""
    if known.elsewhere and known.chance(0.5):
        return organisation_wishes.ConfirmProject(known.random.choice(known.elsewhere))
    known.elsewhere.append(known.identity())
    rules = first_rules(known.random, ("fifo",))
    name = f"elsewhere {known.random.randrange(6)}"
    return organisation_wishes.AwaitProject(known.elsewhere[-1], name, 1, rules)


def on_organisation(known: Knowledge, now_us: int) -> Command:
    """Give what somebody asks of the organisation next."""
    draw = known.random.random()
    worker = known.random.choice(known.workers)
    if draw < 0.3 and len(known.workers) < MOST_WORKERS:
        return new_worker(known)
    if draw < 0.45:
        return upsert(known, worker)
    if draw < 0.85:
        reason, status = known.random.choice(STANDINGS)
        ends = reason == "preventive_stop" or (status is WorkerStatus.PAUSED and known.chance(0.7))
        until_us = now_us + known.random.randint(1, 3_600) * 1_000_000 if ends else 0
        return organisation_wishes.ChangeWorkerStatus(worker.id, status, reason, until_us)
    if draw < 0.87:
        return organisation_wishes.ErasePerson(worker.person, "asked for")
    if draw < 0.88:
        return _elsewhere(known)
    if draw < 0.92:
        known.vendors.append(known.identity())
        return organisation_wishes.AddVendor(known.vendors[-1], f"vendor {len(known.vendors)}")
    if draw < 0.95 and known.vendors:
        vendor: Id = known.random.choice(known.vendors)
        known.pools.append((known.identity(), vendor))
        return organisation_wishes.AddPool(known.pools[-1][0], vendor, f"pool {len(known.pools)}")
    if draw < 0.98 or not known.tokens:
        known.tokens.append(known.identity())
        return organisation_wishes.IssueToken(
            known.tokens[-1], known.random.randbytes(32), "front-end", ("work",), expires_us=0
        )
    return organisation_wishes.RevokeToken(known.random.choice(known.tokens), "leaked")
