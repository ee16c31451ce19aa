"""Decide what comes into a project: the project itself, its rules, items and tasks."""

from __future__ import annotations

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Created, Done, Imported, RowTaken
from crowdroute.router.errors import AlreadyExists, InvalidCommand, NotFound, WrongState
from crowdroute.router.events import project as facts
from crowdroute.router.machine.project.guards import full_answer, require_id
from crowdroute.router.machine.project.sound_rules import HIGHEST_PRIORITY, require_sound
from crowdroute.router.machine.stream import Decision
from crowdroute.router.model.ids import NO_ID, Kind, to_text
from crowdroute.router.model.states import Purpose, Stage
from crowdroute.router.quality.eligibility import requirements_of
from crowdroute.router.state.project import BY_OVERLAP, WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.tables import NONE

LATEST_US = 1 << 62
"""The end of time, far below what a column of 64 bits holds."""
LARGEST_IMPORT = 10_000
"""Rows in one AddTasks: keeps one command's events under what a batch and a message may hold."""


def create(state: Project, wish: wishes.CreateProject, now_us: int) -> Decision:
    """Begin the stream with its first rules."""
    if state.history:
        raise AlreadyExists(f"{to_text(Kind.PROJECT, wish.project)} exists already")
    require_sound(state, wish.rules)
    yield facts.ProjectCreated(wish.project, wish.name)
    yield facts.RulesApplied(wish.rules)
    return Created(wish.project)


def begin(state: Project, wish: wishes.BeginProject, now_us: int) -> Decision:
    """Begin a stream that another shard's organisation awaits; asked again, leave it as it is."""
    if state.history:
        if state.name != wish.name:
            raise AlreadyExists(f"{to_text(Kind.PROJECT, wish.project)} exists already: {state.name}")
        return Created(wish.project)
    return (yield from create(state, wishes.CreateProject(wish.project, wish.name, wish.rules), now_us))


def apply_rules(state: Project, wish: wishes.ApplyRules, now_us: int) -> Decision:
    """Take over the next version of the rules."""
    require_sound(state, wish.rules)
    yield facts.RulesApplied(wish.rules)
    return Created(state.project, wish.rules.version)


def add_tasks(state: Project, wish: wishes.AddTasks, now_us: int) -> Decision:
    """Open tasks row by row; a row whose external id is known already is left as it is."""
    if len(wish.tasks) > LARGEST_IMPORT:
        raise InvalidCommand(
            f"{len(wish.tasks)} rows at once; send at most {LARGEST_IMPORT}", {"field": "tasks"}
        )
    named: set[bytes] = set()
    for place, row in enumerate(wish.tasks):
        _sound_task(state, place, row)
        if row.task in named:
            raise InvalidCommand(
                f"row {place}: its task id is in another row too", {"field": f"tasks[{place}]"}
            )
        named.add(row.task)
    taken: list[RowTaken] = []
    for row in wish.tasks:
        item = NONE
        if row.digest and row.external != NO_ID:
            item = state.items.find_external(row.external)
        if item < 0:
            item = state.items.find(row.item)
        if item >= 0 and row.digest:
            identity = state.items.id_of(item)
            task = state.tasks.id_of(state.items.first_task[item])
            taken.append(
                RowTaken(identity, task, True, Purpose(state.tasks.purpose[state.items.first_task[item]]))
            )
            continue
        if item < 0:
            yield facts.ItemAdded(row.item, row.external, row.digest)
            item = state.items.find(row.item)
        yield _opened(state, item, row)
        taken.append(RowTaken(row.item, row.task, False, row.purpose))
    return Imported(tuple(taken))


def _opened(state: Project, item: int, row: wishes.NewTask) -> facts.TaskOpened:
    if row.purpose in BY_OVERLAP:
        planned = state.rules.overlap.maximum
    else:
        planned = 1 if row.purpose == Purpose.AUDIT else 0
    return facts.TaskOpened(
        task=row.task,
        item=row.item,
        round=state.items.rounds[item] + 1,
        purpose=row.purpose,
        batch=row.batch,
        planned=planned,
        priority=max(row.priority, state.rules.routing.priority),
        deadline_us=row.deadline_us,
        capability=row.capability,
        requirement=row.requirement,
        allow=row.allow,
        deny=row.deny,
        gold=row.gold,
    )


def _sound_ids(place: int, row: wishes.NewTask) -> None:
    require_id(f"tasks[{place}].task", row.task)
    require_id(f"tasks[{place}].item", row.item)
    require_id(f"tasks[{place}].external", row.external, optional=True)
    if row.digest:
        require_id(f"tasks[{place}].digest", row.digest)
    for worker in (*row.allow, *row.deny):
        require_id(f"tasks[{place}].allow and deny", worker)


def _sound_task(state: Project, place: int, row: wishes.NewTask) -> None:
    where = {"field": f"tasks[{place}]"}
    _sound_ids(place, row)
    if state.tasks.find(row.task) >= 0:
        raise AlreadyExists(f"row {place}: {to_text(Kind.TASK, row.task)} exists already", where)
    known = row.purpose in WITH_KNOWN_ANSWER
    if known != bool(row.gold):
        raise InvalidCommand(
            f"row {place}: a {row.purpose.name.lower()} task "
            + ("needs its known answer in gold" if known else "has no known answer; leave gold out"),
            where,
        )
    if row.gold:
        full_answer(state, row.gold)
    if not 0 <= row.priority <= HIGHEST_PRIORITY:
        raise InvalidCommand(f"row {place}: priority {row.priority} is not in 0..{HIGHEST_PRIORITY}", where)
    if not 0 <= row.deadline_us <= LATEST_US:
        raise InvalidCommand(f"row {place}: a deadline of {row.deadline_us} microseconds is no moment", where)
    if not row.digest and state.items.find(row.item) < 0:
        raise NotFound(f"row {place}: {to_text(Kind.ITEM, row.item)} is not an item of this project", where)
    if not row.digest and state.items.erased[state.items.find(row.item)]:
        raise WrongState(f"row {place}: {to_text(Kind.ITEM, row.item)} was erased", where)
    requirements_of(row.requirement, Stage.CROWD)


def pause(state: Project, wish: wishes.PauseProject, now_us: int) -> Decision:
    """Stop handing out work; a second time changes nothing."""
    if not state.state:
        yield facts.ProjectPaused(wish.reason)
    return Done()


def resume(state: Project, wish: wishes.ResumeProject, now_us: int) -> Decision:
    """Hand out work again; a second time changes nothing."""
    if state.state:
        yield facts.ProjectResumed()
    return Done()
