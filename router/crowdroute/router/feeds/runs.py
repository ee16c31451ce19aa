"""Records in a row that concern one project, and what is refused of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.errors import Refusal
from crowdroute.router.feeds.records import TaskRecord, task_of

RECORDS_AT_ONCE = 200
"""Records in one command: a few milliseconds of deciding, so that an input holds nobody up."""


class Refused(NamedTuple):
    """A record that asks for nothing sound."""

    found: Found
    error: Refusal


class Run(NamedTuple):
    """Records in a row that concern one project, with the refused ones between them."""

    project: str
    """Name; empty when all are refused."""
    tasks: tuple[tuple[Found, TaskRecord], ...]
    refused: tuple[Refused, ...]
    next_offset: int


def runs_of(records: Sequence[Found]) -> Iterator[Run]:
    """Cut records, in their order, where the project changes or `RECORDS_AT_ONCE` are together."""
    project = ""
    tasks: list[tuple[Found, TaskRecord]] = []
    refused: list[Refused] = []
    end = 0
    for found in records:
        try:
            task = task_of(found.value)
        except Refusal as error:
            task = None
            problem = Refused(found, error)
        changes = task is not None and project not in ("", task.project)
        if changes or len(tasks) + len(refused) >= RECORDS_AT_ONCE:
            yield Run(project, tuple(tasks), tuple(refused), end)
            project, tasks, refused = "", [], []
        if task is None:
            refused.append(problem)
        else:
            project = task.project
            tasks.append((found, task))
        end = found.offset + 1
    if tasks or refused:
        yield Run(project, tuple(tasks), tuple(refused), end)
