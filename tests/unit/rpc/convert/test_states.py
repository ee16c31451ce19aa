"""Enumerations mean on the wire what they mean inside; a new state without its number fails here."""

from __future__ import annotations

from enum import IntEnum

import pytest

from crowdroute.api.v1 import (
    answers_pb2,
    ledger_pb2,
    projects_pb2,
    results_pb2,
    tasks_pb2,
    types_pb2,
    workers_pb2,
)
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model import states
from crowdroute.router.rpc.convert.states import EQUAL, SHIFTED, number_of, optional_state_of, state_of

WIRE = {
    states.Account: (ledger_pb2.Account, "ACCOUNT"),
    states.AssignmentState: (answers_pb2.AssignmentState, "ASSIGNMENT_STATE"),
    states.EntryKind: (ledger_pb2.EntryKind, "ENTRY_KIND"),
    states.FinalReason: (results_pb2.ResultReason, "RESULT_REASON"),
    states.Payment: (answers_pb2.PaymentState, "PAYMENT_STATE"),
    states.ProjectState: (projects_pb2.ProjectState, "PROJECT_STATE"),
    states.Purpose: (tasks_pb2.Purpose, "PURPOSE"),
    states.Receipt: (answers_pb2.Intake, "INTAKE"),
    states.Review: (answers_pb2.ReviewState, "REVIEW_STATE"),
    states.Revision: (answers_pb2.RevisionKind, "REVISION_KIND"),
    states.Stage: (types_pb2.Stage, "STAGE"),
    states.TaskState: (tasks_pb2.TaskState, "TASK_STATE"),
    states.WorkerKind: (workers_pb2.WorkerKind, "WORKER_KIND"),
    states.WorkerStatus: (workers_pb2.WorkerStatus, "WORKER_STATUS"),
}
MEMBERS = [member for kind in WIRE for member in kind]
UNTOLD = {states.Mode}
"""Enumerations that no message has."""


def test_every_enumeration_of_the_engine_is_on_the_wire_or_known_not_to_be() -> None:
    kinds = {
        kind
        for name in states.__all__
        if isinstance(kind := getattr(states, name), type) and issubclass(kind, IntEnum)
    }
    assert kinds - UNTOLD == set(WIRE) == {*SHIFTED, *EQUAL}


@pytest.mark.parametrize(
    "member", MEMBERS, ids=[f"{type(member).__name__}.{member.name}" for member in MEMBERS]
)
def test_a_state_has_the_same_name_on_the_wire(member: IntEnum) -> None:
    wire, prefix = WIRE[type(member)]
    name = wire.Name(number_of(member))

    none = type(member) in EQUAL and member == 0
    assert name == f"{prefix}_UNSPECIFIED" if none else name == f"{prefix}_{member.name}"
    assert state_of(type(member), number_of(member), "x") is member


@pytest.mark.parametrize("kind", SHIFTED)
def test_a_state_that_is_not_told_is_refused_or_none(kind: type[IntEnum]) -> None:
    with pytest.raises(InvalidCommand):
        state_of(kind, 0, "state")
    assert optional_state_of(kind, 0, "state") is None


@pytest.mark.parametrize("kind", WIRE)
def test_a_state_of_a_newer_release_is_refused(kind: type[IntEnum]) -> None:
    with pytest.raises(InvalidCommand) as refused:
        optional_state_of(kind, 99, "state")
    assert refused.value.details == {"field": "state"}
