"""Results: what was concluded from the answers."""

from __future__ import annotations

from collections.abc import Iterable

from crowdroute.api.v1 import results_pb2
from crowdroute.router.model.answers import FieldResult
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.rules import Field
from crowdroute.router.model.states import FinalReason
from crowdroute.router.rpc.convert.schema import Schema
from crowdroute.router.rpc.convert.states import number_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.state.project import Project


def conclusion_messages(
    results: Iterable[FieldResult], fields: tuple[Field, ...]
) -> dict[str, results_pb2.FieldConclusion]:
    """Write what was concluded, by field id.

    Args:
        results: label and probabilities per field.
        fields: of the version of the rules that held then; labels that came later have no probability.
    """
    return {
        fields[result.field].id: results_pb2.FieldConclusion(
            label=fields[result.field].labels[result.label].id,
            probabilities={
                label.id: probability
                for label, probability in zip(fields[result.field].labels, result.probabilities, strict=False)
            },
        )
        for result in results
    }


def confidence_of(results: Iterable[FieldResult]) -> float:
    """Give the probability of the least certain field's label."""
    return min((result.probabilities[result.label] for result in results), default=0.0)


def result_message(
    state: Project, schema: Schema, row: int, external_id: str, counted: int
) -> results_pb2.Result:
    """Write one revision of a result.

    Args:
        state: of the project.
        schema: of the version of the rules that the result was published under.
        row: in the table of results.
        external_id: of the item.
        counted: answers behind it.
    """
    table = state.results
    task = table.task[row]
    corrected = bool(table.corrected[row])
    results = state.result_fields(row)
    return results_pb2.Result(
        project_id=to_text(Kind.PROJECT, state.project),
        task_id=to_text(Kind.TASK, state.tasks.id_of(task)),
        item_id=to_text(Kind.ITEM, state.items.id_of(state.tasks.item[task])),
        external_id=external_id,
        revision=table.revision[row],
        fields=conclusion_messages(results, schema.fields),
        confidence=confidence_of(results),
        reason=results_pb2.RESULT_REASON_CORRECTED
        if corrected
        else number_of(FinalReason(table.reason[row])),
        correction_reason=state.corrections[row] if corrected else "",
        counted=counted,
        rules_version=table.rules_version[row],
        model_version=table.model_version[row],
        published_at=timestamp(table.at_us[row]),
        superseded=state.tasks.result[task] != row,
    )
