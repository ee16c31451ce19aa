"""Tasks, as operators see them."""

from __future__ import annotations

from crowdroute.api.v1 import results_pb2, tasks_pb2
from crowdroute.router.machine.project.settling import confidence_of, results_of
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.states import Purpose, Stage, TaskState
from crowdroute.router.rpc.convert.requirements import requirement_message
from crowdroute.router.rpc.convert.results import conclusion_messages
from crowdroute.router.rpc.convert.schema import Schema
from crowdroute.router.rpc.convert.states import number_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.tables import NONE


def task_message(
    state: Project, schema: Schema, row: int, external_id: str, result: results_pb2.Result | None
) -> tasks_pb2.Task:
    """Write a task as it stands; `schema` is the one that holds now."""
    tasks = state.tasks
    item = tasks.item[row]
    purpose = Purpose(tasks.purpose[row])
    requirement, capability = state.signatures.values[tasks.signature[row]]
    known = purpose in WITH_KNOWN_ANSWER
    task = tasks_pb2.Task(
        id=to_text(Kind.TASK, tasks.id_of(row)),
        project_id=to_text(Kind.PROJECT, state.project),
        item_id=to_text(Kind.ITEM, state.items.id_of(item)),
        round=tasks.round[row],
        purpose=number_of(purpose),
        batch=state.batches.values[tasks.batch[row]],
        state=number_of(TaskState(tasks.state[row])),
        stage=number_of(Stage(tasks.stage[row])),
        priority=tasks.priority[row],
        opened_at=timestamp(tasks.opened_us[row]),
        deadline=timestamp(tasks.deadline_us[row]),
        capability=capability,
        requirement=requirement_message(requirement),
        slots=[slots for stage in Stage if (slots := _slots(state, row, stage)) is not None],
        attempts=tasks.attempts[row],
        parked_reason=state.parked.get(row, ""),
        result=result,
        erased=bool(state.items.erased[item]),
        external_id=external_id,
    )
    if not known:
        task.confidence = confidence_of(state, row)
        for name, conclusion in conclusion_messages(results_of(state, row), state.rules.fields).items():
            task.leading[name].CopyFrom(conclusion)
    if tasks.known[row] != NONE:
        for name, value in schema.values_of(state.known[tasks.known[row]]).items():
            task.gold[name].CopyFrom(value)
    return task


def _slots(state: Project, row: int, stage: Stage) -> tasks_pb2.Slots | None:
    tasks = state.tasks
    if not tasks.planned[stage][row]:
        return None
    return tasks_pb2.Slots(
        stage=number_of(stage),
        planned=tasks.planned[stage][row],
        live=tasks.live[stage][row],
        counted=tasks.counted[stage][row],
        discounted=tasks.kept[stage][row],
    )
