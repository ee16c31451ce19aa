"""Items, tasks, rules and workers of a project: what exists, in which state, with how many slots."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.checker.answers import check_answer
from tests.checker.layout import (
    AUDIT,
    CANCELLED,
    CROWD,
    EXPERT,
    FINALISED,
    KNOWN_ANSWER,
    OPEN,
    PARKED,
    PRODUCTION,
    TASK_STATE_NAMES,
    Facts,
    Requirement,
    Rules,
)
from tests.checker.project import Project, Task, raise_to_maximum, short


def project_created(project: Project, event: Any) -> None:
    """The stream's first event; that it is the first is checked where streams are told apart."""
    project.id = event.project


def rules_applied(project: Project, event: Any) -> None:
    """New rules: the next version, with a schema that only grew."""
    rules = Rules(*event.rules[: len(Rules._fields)])
    before = project.rules
    if before is not None:
        if rules.version != before.version + 1:
            project.complain("rules-version", f"rules {rules.version} follow rules {before.version}")
        now = rules.labels()
        for field, labels in enumerate(before.labels()):
            if field >= len(now) or now[field][: len(labels)] != labels:
                project.complain(
                    "schema-shrinks", f"field {field} lost or moved a label in rules {rules.version}"
                )
    raise_to_maximum(project, rules.maximum)
    if (before is not None and before.refit_every_us > 0) != (rules.refit_every_us > 0):
        _begin_schedule(project)
    project.rules = rules
    project.rules_by_version[rules.version] = rules


def project_paused(project: Project, event: Any) -> None:
    """Nothing is handed out from here on."""
    project.paused = True


def project_resumed(project: Project, event: Any) -> None:
    """Tasks are handed out again."""
    project.paused = False


def worker_fact_applied(project: Project, event: Any) -> None:
    """Facts about a worker arrive, each time at a higher version."""
    facts = Facts(*event.facts[: len(Facts._fields)])
    before = project.workers.get(facts.worker)
    if before is not None and facts.version <= before.version:
        project.complain(
            "fact-version",
            f"worker {short(facts.worker)} goes from version {before.version} to {facts.version}",
        )
    told = project.facts.get(facts.worker)
    if told is not None and not _same_facts(told.get(facts.version), facts):
        project.complain(
            "facts-invented",
            f"version {facts.version} of worker {short(facts.worker)} is not what the organisation said",
        )
    project.workers[facts.worker] = facts


def _same_facts(one: Facts | None, other: Facts) -> bool:
    return one is not None and list(map(_plain, one)) == list(map(_plain, other))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list | tuple) else value


def person_severed(project: Project, event: Any) -> None:
    """No worker of the project is the person's by name any more."""
    project.severed.add(event.person)


def item_added(project: Project, event: Any) -> None:
    """An item exists once."""
    if event.item in project.items:
        project.complain("exists-twice", f"item {short(event.item)} was added before")
    project.items[event.item] = False


def item_erased(project: Project, event: Any) -> None:
    """Nothing of the item may be handed out any more."""
    if event.item not in project.items:
        project.complain("unknown-thing", f"item {short(event.item)} was never added")
    project.items[event.item] = True


def task_opened(project: Project, event: Any) -> None:
    """A task begins, on an item that exists and is not erased."""
    if event.task in project.tasks:
        project.complain("exists-twice", f"task {short(event.task)} was opened before")
    if event.item not in project.items:
        project.complain("unknown-thing", f"item {short(event.item)} was never added")
    elif project.items[event.item]:
        project.complain("erased", f"task {short(event.task)} is opened on an erased item")
    siblings = project.tasks_of_item.setdefault(event.item, [])
    if any(one.round == event.round and one.purpose == event.purpose == PRODUCTION for one in siblings):
        project.complain(
            "exists-twice", f"item {short(event.item)} has two production tasks in round {event.round}"
        )
    if event.purpose in KNOWN_ANSWER and not event.gold:
        project.complain("answer", f"task {short(event.task)} has no known answer to compare with")
    check_answer(project, event.gold)
    task = Task(
        id=event.task,
        item=event.item,
        round=event.round,
        purpose=event.purpose,
        requirement=Requirement(*event.requirement),
        allow=frozenset(event.allow),
        deny=frozenset(event.deny),
        planned=Counter(),
    )
    project.raise_planned(task, EXPERT if event.purpose == AUDIT else CROWD, event.planned)
    project.tasks[task.id] = task
    siblings.append(task)


def slots_planned(project: Project, event: Any) -> None:
    """More answers are wanted."""
    task = project.task(event.task)
    if task is not None:
        project.raise_planned(task, event.stage, event.added)


def task_escalated(project: Project, event: Any) -> None:
    """An open task goes to a higher stage, where one slot is planned for it."""
    task = _in_state(project, event.task, (OPEN,), "escalated")
    if task is not None:
        task.escalated = True
        project.raise_planned(task, event.stage, 1)


def task_reopened(project: Project, event: Any) -> None:
    """A parked or finalised task takes answers again."""
    task = _in_state(project, event.task, (PARKED, FINALISED), "reopened")
    if task is not None:
        task.state = OPEN
        task.escalated = task.escalated and not event.added
        project.raise_planned(task, CROWD, event.added)


def task_parked(project: Project, event: Any) -> None:
    """An open task waits for a person to look at it."""
    task = _in_state(project, event.task, (OPEN,), "parked")
    if task is not None:
        task.state = PARKED


def task_cancelled(project: Project, event: Any) -> None:
    """A task ends for good; one that has a result only because its item is erased."""
    task = _in_state(project, event.task, (OPEN, PARKED, FINALISED), "cancelled")
    if task is not None:
        task.state = CANCELLED


def _in_state(project: Project, identity: bytes, states: tuple[int, ...], what: str) -> Task | None:
    task = project.task(identity)
    if task is not None and task.state not in states:
        project.complain(
            "task-state", f"task {short(identity)} is {what} although it is {TASK_STATE_NAMES[task.state]}"
        )
    return task


def model_installed(project: Project, event: Any) -> None:
    """A refit follows the one before it, and was fitted to nothing that has not happened."""
    if event.version != project.model_version + 1:
        project.complain("model", f"refit {event.version} follows refit {project.model_version}")
    project.model_version = event.version
    _begin_schedule(project)


def refit_fell_due(project: Project, event: Any) -> None:
    """The next refit is due by the rules' schedule, once until it is in force."""
    rules = project.rules
    if rules is None or not rules.refit_every_us:
        project.complain("refit-due", f"refit {event.version} is due although no rules say so")
        return
    if project.refit_due or event.version != project.model_version + 1:
        project.complain(
            "refit-due",
            f"refit {event.version} is due, {project.model_version} in force, {project.refit_due} due before",
        )
    early = project.refit_since_us + rules.refit_every_us - project.now_us
    if early > 0:
        project.complain("refit-due", f"refit {event.version} is due {early} us too early")
    if event.answers < rules.refit_answers:
        project.complain("refit-due", f"refit {event.version} is due after {event.answers} answers")
    project.refit_due = event.version


def _begin_schedule(project: Project) -> None:
    project.refit_due, project.refit_since_us = 0, project.now_us
