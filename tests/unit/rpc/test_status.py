"""Every error has a status, and details that a program can read."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterator

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from crowdroute.router import errors
from crowdroute.router.errors import Category, InvalidCommand, Refusal, RouterError, StorageError
from crowdroute.router.rpc import status
from crowdroute.router.rpc.status import problem_message, retry_seconds, status_code, status_message, told


def tree(kind: type[RouterError]) -> Iterator[type[RouterError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


OURS = sorted(
    {kind for kind in tree(RouterError) if kind.__module__ in (errors.__name__, status.__name__)},
    key=lambda kind: kind.__name__,
)


def details(message: status_pb2.Status, kind: type) -> list[object]:
    found = []
    for packed in message.details:
        detail = kind()
        if packed.Unpack(detail):
            found.append(detail)
    return found


@pytest.mark.parametrize("kind", OURS, ids=[kind.__name__ for kind in OURS])
def test_every_error_has_a_status_and_carries_its_code(kind: type[RouterError]) -> None:
    error = kind("what happened", {"state": "PARKED"})

    message = status_message(error, "r-1")

    assert status_code(error) is not grpc.StatusCode.OK
    assert message.code == status_code(error).value[0]
    (info,) = details(message, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain) == (error.code, "crowdroute")
    assert dict(info.metadata) == {"state": "PARKED", "request_id": "r-1"}
    assert bool(details(message, error_details_pb2.RetryInfo)) == bool(retry_seconds(error))


@pytest.mark.parametrize("kind", OURS, ids=[kind.__name__ for kind in OURS])
def test_only_defects_and_lost_data_are_told_as_the_servers_fault(kind: type[RouterError]) -> None:
    server = status_code(kind("x")) in (
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.UNAVAILABLE,
    )
    if issubclass(kind, Refusal):
        assert not server or kind.category is Category.UNAVAILABLE
    if issubclass(kind, StorageError):
        assert server


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.InvalidCommand, grpc.StatusCode.INVALID_ARGUMENT),
        (errors.UnknownLabel, grpc.StatusCode.INVALID_ARGUMENT),
        (errors.NotFound, grpc.StatusCode.NOT_FOUND),
        (errors.AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
        (errors.LeaseEnded, grpc.StatusCode.FAILED_PRECONDITION),
        (errors.KeyReused, grpc.StatusCode.FAILED_PRECONDITION),
        (errors.AtCapacity, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (errors.PermissionRefused, grpc.StatusCode.PERMISSION_DENIED),
        (errors.ShuttingDown, grpc.StatusCode.UNAVAILABLE),
        (errors.AppendFailed, grpc.StatusCode.UNAVAILABLE),
        (errors.LogCorrupt, grpc.StatusCode.DATA_LOSS),
        (errors.InvariantBroken, grpc.StatusCode.INTERNAL),
        (status.NotAuthenticated, grpc.StatusCode.UNAUTHENTICATED),
        (status.DeadlineExceeded, grpc.StatusCode.DEADLINE_EXCEEDED),
        (status.MessageTooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_statuses_are_those_that_grpc_means(kind: type[RouterError], code: grpc.StatusCode) -> None:
    assert status_code(kind("x")) is code


def test_a_wrong_field_is_named_as_bad_request() -> None:
    message = status_message(InvalidCommand("count 0 is not in 1..100", {"field": "count"}), "r")

    (bad,) = details(message, error_details_pb2.BadRequest)
    (violation,) = bad.field_violations
    assert (violation.field, violation.description) == ("count", "count 0 is not in 1..100")


def test_what_may_help_later_says_when() -> None:
    assert retry_seconds(errors.AtCapacity("x")) > 0
    assert retry_seconds(errors.ShuttingDown("x")) > 0
    assert retry_seconds(errors.NotFound("x")) == 0
    assert retry_seconds(status.MessageTooLarge("x")) == 0, "a large message stays large"


def test_a_status_fits_into_the_headers_whatever_the_error_says() -> None:
    huge = {f"name {number}": "é" * 10_000 for number in range(1000)}
    error = InvalidCommand("ü" * 100_000, {"field": "x" * 10_000, **huge})

    details = len(base64.b64encode(status_message(error, "r" * 64).SerializeToString()))
    message = len(urllib.parse.quote(told(error)))

    assert details + message < 8 * 1024, "a header with more is dropped by clients"


def test_a_problem_says_what_a_status_would() -> None:
    problem = problem_message(errors.AtCapacity("later", {"limit": "3"}))

    assert problem.code == "AT_CAPACITY"
    assert problem.status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert dict(problem.details) == {"limit": "3"}
    assert problem.retry_after.seconds > 0
    assert not problem_message(errors.NotFound("no")).HasField("retry_after")
