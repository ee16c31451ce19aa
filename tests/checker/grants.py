"""Who may be given what: everything that must hold at the moment of a grant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.checker.layout import (
    CROWD,
    KIND_HUMAN,
    NO_ID,
    OPEN,
    STAGE_NAMES,
    STATUS_BANNED,
    STATUS_PAUSED,
    TASK_STATE_NAMES,
    Facts,
    Requirement,
)
from tests.checker.project import Assignment, Project, Task, short


def lease_granted(project: Project, event: Any) -> None:
    """Note a grant and complain about every reason against it."""
    project.counters["grants"] += 1
    task = project.task(event.task)
    if task is None:
        return
    worker = project.workers.get(event.worker)
    if event.assignment in project.assignments:
        project.complain("granted-twice", f"assignment {short(event.assignment)} was granted before")
    if worker is None:
        project.complain("eligibility", f"worker {short(event.worker)} is not known to the project")
    else:
        for reason in _against(project, task, worker, event.stage):
            project.complain("eligibility", f"worker {short(worker.worker)} {reason}")
    _check_task(project, task, event)
    _check_never_twice(project, task, event.worker, worker.person if worker else NO_ID)
    _check_terms(project, event)
    assignment = Assignment(
        id=event.assignment,
        task=event.task,
        worker=event.worker,
        person=worker.person if worker else NO_ID,
        stage=event.stage,
        fence=event.fence,
        deadline_us=event.deadline_us,
        price_micros=event.price_micros,
        rules_version=event.rules_version,
    )
    project.assignments[assignment.id] = assignment
    project.live[assignment.id] = assignment
    project.live_of_worker[assignment.worker] += 1
    task.assignments.append(assignment)
    if not task.exempt and event.stage != CROWD and not task.planned[event.stage]:
        project.complain(
            "stage-not-planned",
            f"task {short(task.id)} has no slot planned at the"
            f" {STAGE_NAMES.get(event.stage, event.stage)} stage",
        )
    project.check_slots(task, event.stage)
    if worker is not None:
        _check_capacity(project, worker)


def _check_task(project: Project, task: Task, event: Any) -> None:
    if project.paused:
        project.complain("paused", "a task is granted while the project is paused")
    if task.state != OPEN:
        project.complain(
            "task-not-open", f"task {short(task.id)} is granted although it is {TASK_STATE_NAMES[task.state]}"
        )
    if project.items.get(task.item, False):
        project.complain("erased", f"task {short(task.id)} is granted after its item was erased")
    if event.worker in project.discounted_workers:
        project.complain("discounted", f"worker {short(event.worker)} gets a task after being discounted")


def _check_never_twice(project: Project, task: Task, worker: bytes, person: bytes) -> None:
    for earlier in task.assignments:
        known = project.workers.get(earlier.worker)
        persons = {earlier.person, known.person if known else NO_ID} - {NO_ID}
        if earlier.worker == worker or person in persons:
            project.complain(
                "never-twice",
                f"person {short(person)} gets task {short(task.id)} again: assignment {short(earlier.id)}"
                " was theirs",
            )
            return


def _check_terms(project: Project, event: Any) -> None:
    rules = project.rules
    if event.deadline_us <= project.now_us:
        project.complain(
            "lease-terms", f"assignment {short(event.assignment)} is granted past its own deadline"
        )
    if rules is None:
        project.complain("lease-terms", "a task is granted before any rules were applied")
        return
    if event.rules_version != rules.version:
        project.complain(
            "lease-terms",
            f"assignment {short(event.assignment)} names rules {event.rules_version}, version"
            f" {rules.version} holds",
        )
    if event.stage in STAGE_NAMES and event.price_micros != rules.price(event.stage):
        project.complain(
            "lease-terms",
            f"assignment {short(event.assignment)} promises {event.price_micros} micro-units,"
            f" the rules say {rules.price(event.stage)}",
        )
    if not 0.0 < event.propensity <= 1.0:
        project.complain("lease-terms", f"a propensity of {event.propensity} is no probability")


def _check_capacity(project: Project, worker: Facts) -> None:
    allowed = worker.capacity or (project.rules.per_worker if project.rules else 0)
    held = project.live_of_worker[worker.worker]
    if held > allowed:
        project.complain(
            "capacity", f"worker {short(worker.worker)} holds {held} live leases and may hold {allowed}"
        )


def _against(project: Project, task: Task, worker: Facts, stage: int) -> Iterator[str]:
    if worker.status == STATUS_PAUSED:
        yield "is paused"
    if worker.status == STATUS_BANNED:
        yield "is banned"
    if stage not in worker.stages:
        yield f"does not work at stage {stage}"
    if worker.person in project.severed:
        yield "is nobody any more: the person was severed"
    if worker.worker in task.deny:
        yield f"is denied task {short(task.id)}"
    if task.allow and worker.worker not in task.allow:
        yield f"is not on the allow-list of task {short(task.id)}"
    if project.rules is not None:
        for lack in lacks(worker, Requirement(*project.rules.requirement)):
            yield f"lacks what the project requires: {lack}"
    for lack in lacks(worker, task.requirement):
        yield f"lacks what task {short(task.id)} requires: {lack}"


def lacks(worker: Facts, requirement: Requirement) -> Iterator[str]:
    """Name every part of a requirement that a worker misses."""
    levels = {skill[0]: skill[1] for skill in worker.skills}
    for name, least in requirement.skills:
        if levels.get(name, 0.0) < least or name not in levels:
            yield f"skill {name} at {least}"
    for language in requirement.languages:
        if language not in worker.languages:
            yield f"language {language}"
    if requirement.pools and worker.pool not in requirement.pools:
        yield "one of the pools"
    if requirement.vendors and worker.vendor not in requirement.vendors:
        yield "one of the vendors"
    if requirement.humans_only and worker.kind != KIND_HUMAN:
        yield "being human"
