"""Annotations: what workers were given and what they answered, as operators see it."""

from __future__ import annotations

from crowdroute.api.v1 import answers_pb2
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.states import AssignmentState, Payment, Receipt, Review, Revision, Stage
from crowdroute.router.rpc.convert.money import money_message
from crowdroute.router.rpc.convert.schema import Schema
from crowdroute.router.rpc.convert.states import number_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.state.project import Project


def annotation_message(state: Project, schema: Schema, row: int, comment: str = "") -> answers_pb2.Annotation:
    """Write one assignment with its answer; `schema` is the one that holds now."""
    table = state.assignments
    version = table.rules_version[row]
    return answers_pb2.Annotation(
        assignment_id=to_text(Kind.ASSIGNMENT, table.id_of(row)),
        task_id=to_text(Kind.TASK, state.tasks.id_of(table.task[row])),
        worker_id=to_text(Kind.WORKER, state.workers.id_of(table.worker[row])),
        stage=number_of(Stage(table.stage[row])),
        state=number_of(AssignmentState(table.state[row])),
        granted_at=timestamp(table.granted_us[row]),
        deadline=timestamp(table.deadline_us[row]),
        answered_at=timestamp(table.answered_us[row]),
        answers=schema.coded_values(state.answer_codes(row)),
        intake=number_of(Receipt(table.receipt[row])),
        intake_reason=state.reasons.values[table.reason[row]],
        review=number_of(Review(table.review[row])),
        payment=number_of(Payment(table.payment[row])),
        price=money_message(table.price_micros[row], state.rules_at(version).prices.currency),
        revision=number_of(Revision(table.revision[row])),
        revisions=table.revisions[row],
        late=bool(table.late[row]),
        rules_version=version,
        comment=comment,
    )
