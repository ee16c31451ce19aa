"""From events to the records that are put out: what is told of each, under which key, and as whose repeat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, cast

from crowdroute.router.events import Batch
from crowdroute.router.events.base import Fact
from crowdroute.router.events.organisation import PersonErased, WorkerStatusChanged, WorkerUpserted
from crowdroute.router.events.project import (
    AnswerAmended,
    AnswerDiscounted,
    AnswerSubmitted,
    AnswerWithdrawn,
    EntryPosted,
    ResultCorrected,
    ReviewConcluded,
    TaskFinalised,
)
from crowdroute.router.feeds.outgoing import Moment, Outgoing, lower_name, record, time_text
from crowdroute.router.feeds.telling_workers import person_erased, standing, upserted
from crowdroute.router.feeds.told import AnnotationRecord, FieldRecord, PaymentRecord, ResultRecord
from crowdroute.router.machine.stream import tenant_of
from crowdroute.router.model.answers import Answer, FieldResult
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.model.states import Purpose, Stage
from crowdroute.router.rpc.contents import external_ids_of
from crowdroute.router.rpc.convert.ids import text_of
from crowdroute.router.rpc.convert.money import amount_text
from crowdroute.router.rpc.convert.results import confidence_of
from crowdroute.router.rpc.operations.behind import result_row
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.settings import Told
from crowdroute.router.state.project import Project

AT_ONCE = 50
"""Records made between two looks at the network: about a millisecond."""


class Teller:
    """Turns durable batches of one shard into records, for one tenant.

    What a record says comes from its event, and from what never changes of that it is about: a repetition is
    the same record, but that nothing is told any more of items that were erased meanwhile.
    """

    def __init__(self, engine: Engine, tenant: str, kinds: Container[Told]) -> None:
        """Tell some kinds of records of an engine that has folded at least what it will be asked about."""
        self._engine = engine
        self._tenant = tenant
        self._telling = {event: how for event, (kind, how) in _TELLING.items() if kind in kinds}

    async def tell(self, batches: Sequence[Batch]) -> list[Outgoing]:
        """Give the records of some batches, in the order of the log."""
        moments = [moment for batch in batches for moment in self._moments(batch)]
        names = await external_ids_of(self._engine, self._items(moments))
        told: list[Outgoing] = []
        for number, moment in enumerate(moments):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            state = self._state(moment.stream)
            told += self._telling[type(moment.event)](moment, state, names)
        return told

    def _moments(self, batch: Batch) -> Iterator[Moment]:
        shard = self._engine.shard.number
        for place, entry in enumerate(batch.entries):
            if tenant_of(entry.stream) != self._tenant:
                continue
            for number, event in enumerate(entry.events):
                if type(event) in self._telling:
                    name = f"{shard:02d}-{batch.sequence:012d}-{place:06d}-{number:06d}"
                    yield Moment(name, entry.at_us, entry.stream, event)

    def _state(self, stream: str) -> Project | None:
        return None if stream.endswith("/organisation") else self._engine.shard.project_state(stream)

    def _items(self, moments: Sequence[Moment]) -> set[Id]:
        items = set()
        for moment in moments:
            state = self._state(moment.stream)
            if state is not None and not isinstance(moment.event, EntryPosted):
                items.add(state.items.id_of(state.tasks.item[_task(state, moment.event)]))
        return items


_Tell = Callable[[Moment, Any, Mapping[Id, str]], Iterator[Outgoing]]


def _task(state: Project, event: Any) -> int:
    """Give the row of the task that an event of a project's stream is about."""
    if isinstance(event, TaskFinalised | ResultCorrected):
        return state.task(event.task)
    return state.assignments.task[state.assignment(event.assignment)]


def _result(moment: Moment, state: Project, names: Mapping[Id, str]) -> Iterator[Outgoing]:
    """Tell a result of production; those of audits and calibrations are about the engine."""
    event, task = moment.event, _task(state, moment.event)
    if state.tasks.purpose[task] != Purpose.PRODUCTION or _erased(state, task):
        return
    corrected = isinstance(event, ResultCorrected)
    row = result_row(state, task, event.revision)
    yield record(
        "results",
        event.task,
        ResultRecord(
            **_about(moment, state, task, names),
            batch=state.batches.values[state.tasks.batch[task]],
            revision=event.revision,
            fields=_conclusions(state, event.results),
            confidence=confidence_of(event.results),
            reason="corrected" if corrected else lower_name(event.reason),
            correction_reason=event.reason if corrected else "",
            counted=event.counted,
            rules_version=state.results.rules_version[row],
            model_version=state.results.model_version[row],
        ),
    )


def _annotation(moment: Moment, state: Project, names: Mapping[Id, str]) -> Iterator[Outgoing]:
    event, task = moment.event, _task(state, moment.event)
    if _erased(state, task):
        return
    table, row = state.assignments, state.assignment(moment.event.assignment)
    submitted = isinstance(event, AnswerSubmitted)
    reviewed = isinstance(event, ReviewConcluded)
    yield record(
        "annotations",
        state.tasks.id_of(task),
        AnnotationRecord(
            **_about(moment, state, task, names),
            change=_change(event),
            assignment_id=to_text(Kind.ASSIGNMENT, event.assignment),
            worker_id=to_text(Kind.WORKER, state.workers.id_of(table.worker[row])),
            stage=lower_name(Stage(table.stage[row])),
            answers=_labels(state, event.answer)
            if isinstance(event, AnswerSubmitted | AnswerAmended)
            else {},
            intake=lower_name(event.receipt) if submitted else "",
            review=lower_name(event.verdict) if reviewed else "",
            reason="" if reviewed or isinstance(event, AnswerAmended) else event.reason,
            late=submitted and event.late,
            active_ms=event.active_ms if submitted else 0,
        ),
    )


def _change(event: Any) -> Any:
    match event:
        case AnswerSubmitted():
            return "submitted"
        case AnswerAmended():
            return "kept" if event.checked else "amended"
        case AnswerWithdrawn():
            return "withdrawn"
        case AnswerDiscounted():
            return "discounted"
    return "reviewed"


def _payment(moment: Moment, state: Project, names: Mapping[Id, str]) -> Iterator[Outgoing]:
    event: EntryPosted = moment.event
    yield record(
        "payments",
        event.worker,
        PaymentRecord(
            **_in(moment, state),
            entry_id=to_text(Kind.ENTRY, event.entry),
            kind=lower_name(event.kind),
            worker_id=to_text(Kind.WORKER, event.worker),
            debit=lower_name(event.debit),
            credit=lower_name(event.credit),
            amount=amount_text(event.micros),
            currency=event.currency,
            assignment_id=text_of(Kind.ASSIGNMENT, event.assignment),
            rule=event.rule,
            period=event.period,
        ),
    )


def _in(moment: Moment, state: Project) -> dict[str, Any]:
    return {
        "id": moment.id,
        "at": time_text(moment.at_us),
        "project": state.name,
        "project_id": to_text(Kind.PROJECT, state.project),
    }


def _about(moment: Moment, state: Project, task: int, names: Mapping[Id, str]) -> dict[str, Any]:
    item = state.items.id_of(state.tasks.item[task])
    return {
        **_in(moment, state),
        "task_id": to_text(Kind.TASK, state.tasks.id_of(task)),
        "item_id": to_text(Kind.ITEM, item),
        "external_id": names.get(item, ""),
    }


def _erased(state: Project, task: int) -> bool:
    return bool(state.items.erased[state.tasks.item[task]])


def _labels(state: Project, answer: Answer) -> dict[str, str]:
    """Write an answer; schemas are add-only, so that the newest one knows every code."""
    fields = state.rules.fields
    return {fields[one.field].id: fields[one.field].labels[one.label].id for one in answer}


def _conclusions(state: Project, results: Sequence[FieldResult]) -> dict[str, FieldRecord]:
    """Write what was concluded; labels that came later have no probability."""
    fields = state.rules.fields
    return {
        fields[one.field].id: FieldRecord(
            label=fields[one.field].labels[one.label].id,
            probabilities={
                label.id: probability
                for label, probability in zip(fields[one.field].labels, one.probabilities, strict=False)
            },
        )
        for one in results
    }


_TELLING: Mapping[type[Fact], tuple[Told, _Tell]] = cast(
    "Mapping[type[Fact], tuple[Told, _Tell]]",
    {
        TaskFinalised: ("results", _result),
        ResultCorrected: ("results", _result),
        AnswerSubmitted: ("annotations", _annotation),
        AnswerAmended: ("annotations", _annotation),
        AnswerWithdrawn: ("annotations", _annotation),
        AnswerDiscounted: ("annotations", _annotation),
        ReviewConcluded: ("annotations", _annotation),
        WorkerUpserted: ("workers", upserted),
        WorkerStatusChanged: ("workers", standing),
        PersonErased: ("workers", person_erased),
        EntryPosted: ("payments", _payment),
    },
)
"""What is told of each kind of event; of the others nothing is."""
