"""Results: numbered without gaps, sound as probabilities, and not before enough was answered."""

from __future__ import annotations

import math
from typing import Any

from tests.checker.layout import (
    CROWD,
    EXPERT,
    FINALISED,
    OPEN,
    REASON_EXPERT,
    SENIOR,
    TASK_STATE_NAMES,
)
from tests.checker.project import Project, Task, short

TOLERANCE = 1e-6
"""Probabilities are sums of floats; anything further from 1 is a defect."""


def task_finalised(project: Project, event: Any) -> None:
    """An open task gets a result."""
    project.counters["finalised"] += 1
    task = project.task(event.task)
    if task is None:
        return
    if task.state != OPEN:
        project.complain(
            "finalised-twice",
            f"task {short(task.id)} is finalised although it is {TASK_STATE_NAMES[task.state]}",
        )
    _next_revision(project, task, event.revision)
    _check_enough(project, task, event)
    by_expert = event.reason == REASON_EXPERT
    _check_results(project, event.results, most_probable=not by_expert)
    _check_confidence(project, event.confidence)
    task.state = FINALISED


def result_corrected(project: Project, event: Any) -> None:
    """A newer revision supersedes the result of a finalised task."""
    task = project.task(event.task)
    if task is None:
        return
    if task.state != FINALISED:
        project.complain(
            "task-state", f"task {short(task.id)} is corrected although it is {TASK_STATE_NAMES[task.state]}"
        )
    _next_revision(project, task, event.revision)
    _check_results(project, event.results, most_probable=False)
    _check_confidence(project, event.confidence)


def _next_revision(project: Project, task: Task, revision: int) -> None:
    if revision != task.revision + 1:
        project.complain(
            "revision", f"task {short(task.id)} gets revision {revision} of its result after {task.revision}"
        )
    task.revision = revision


def _check_enough(project: Project, task: Task, event: Any) -> None:
    counted = task.counted(CROWD, SENIOR)
    by_expert = event.reason == REASON_EXPERT
    if by_expert and not task.counted(SENIOR, EXPERT):
        project.complain("no-expert", f"task {short(task.id)} is finalised by an expert who never answered")
    if not by_expert and project.rules is not None and counted < project.rules.minimum:
        project.complain(
            "too-few",
            f"task {short(task.id)} is finalised with {counted} counted answers, the least is"
            f" {project.rules.minimum}",
        )
    counted += task.counted(EXPERT)
    if event.counted != counted:
        project.complain(
            "count-wrong",
            f"task {short(task.id)} is finalised with {counted} counted answers and says {event.counted}",
        )
    if project.rules is not None and event.rules_version != project.rules.version:
        project.complain(
            "rules-version",
            f"a result names rules {event.rules_version}, version {project.rules.version} holds",
        )


def _check_confidence(project: Project, confidence: float) -> None:
    if not 0.0 <= confidence <= 1.0 + TOLERANCE:
        project.complain("probabilities", f"a confidence of {confidence} is no probability")


def _check_results(project: Project, results: Any, most_probable: bool) -> None:
    labels = project.rules.labels() if project.rules is not None else []
    if [field for field, _, _ in results] != list(range(len(labels))):
        project.complain(
            "probabilities", f"the result tells {len(results)} fields in order, the schema has {len(labels)}"
        )
        return
    for field, label, probabilities in results:
        if len(probabilities) != len(labels[field]):
            project.complain(
                "probabilities",
                f"field {field} has {len(labels[field])} labels and {len(probabilities)} probabilities",
            )
            continue
        if not all(0.0 <= one <= 1.0 + TOLERANCE for one in probabilities):
            project.complain("probabilities", f"field {field} has a probability outside 0..1")
        total = math.fsum(probabilities)
        if not abs(total - 1.0) <= TOLERANCE:
            project.complain("probabilities", f"the probabilities of field {field} sum to {total}")
        if not 0 <= label < len(probabilities):
            project.complain("answer", f"the schema has no label {label} of field {field}")
        elif most_probable and probabilities[label] < max(probabilities) - TOLERANCE:
            project.complain(
                "not-most-probable", f"field {field} is given label {label}, which another one outweighs"
            )
