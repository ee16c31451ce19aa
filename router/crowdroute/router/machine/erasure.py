"""Which content must go when events are made durable: the shell deletes it in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crowdroute.router.events import Entry
from crowdroute.router.events.organisation import PersonErased
from crowdroute.router.events.project import AnswerSubmitted, ItemErased, PersonSevered
from crowdroute.router.machine.shard import Shard
from crowdroute.router.model import content
from crowdroute.router.model.ids import Id
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import NONE


def contents_to_delete(shard: Shard, entries: Iterable[Entry]) -> list[str]:
    """Give the keys of all content that these entries, already applied, leave without a right to exist."""
    keys: list[str] = []
    for entry in entries:
        for event in entry.events:
            if isinstance(event, PersonErased):
                keys.append(content.person(event.person))
                keys.extend(content.worker(worker) for worker in event.workers)
            elif isinstance(event, AnswerSubmitted):
                keys.extend(_of_answer(shard.project_state(entry.stream), event))
            elif isinstance(event, ItemErased):
                keys.append(content.item(event.item))
                keys.extend(_of_item(shard.project_state(entry.stream), event.item))
            elif isinstance(event, PersonSevered):
                keys.extend(_of_person(shard.project_state(entry.stream), event.person))
    return keys


def _of_answer(state: Project, event: AnswerSubmitted) -> Iterator[str]:
    """Give its draft, which it replaces, and a comment on what was erased or by whoever was, which came
    late."""
    table = state.assignments
    row = table.find(event.assignment)
    if table.has_draft[row]:
        yield content.draft(event.assignment)
    if event.comment and (
        state.items.erased[state.tasks.item[table.task[row]]]
        or state.workers.person[table.worker[row]] in state.severed
    ):
        yield content.comment(event.assignment)


def _written(state: Project, row: int) -> Iterator[str]:
    identity = state.assignments.id_of(row)
    if state.assignments.has_comment[row]:
        yield content.comment(identity)
        yield content.report(identity)
    if state.assignments.has_draft[row]:
        yield content.draft(identity)


def _of_item(state: Project, item: Id) -> Iterator[str]:
    task = state.items.first_task[state.items.find(item)]
    while task != NONE:
        for row in state.assignments_of_task(task):
            yield from _written(state, row)
        task = state.tasks.next_of_item[task]


def _of_person(state: Project, person: Id) -> Iterator[str]:
    code = state.persons.find(person)
    for worker in range(state.workers.count):
        if state.workers.person[worker] == code:
            for row in state.assignments_of_worker(worker):
                yield from _written(state, row)
