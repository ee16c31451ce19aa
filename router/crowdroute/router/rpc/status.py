"""Errors as gRPC statuses, with details that programs can read.

Every refusal carries `google.rpc.ErrorInfo` (reason: the error's stable code, domain `crowdroute`, metadata:
its details and the request id). `BadRequest` names the field that is wrong, `RetryInfo` says when trying
again may help. An error that is not one of ours is INTERNAL and tells the request id alone; the log has the
rest.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from crowdroute.api.v1 import types_pb2
from crowdroute.router.errors import Category, InvariantBroken, Refusal, RouterError

DOMAIN = "crowdroute"

DETAILS_KEY = "grpc-status-details-bin"
"""Trailer in which gRPC carries a `google.rpc.Status`."""

LONGEST_MESSAGE = 800
LONGEST_DESCRIPTION = 300
LONGEST_DETAIL = 120
LONGEST_NAME = 64
MOST_DETAILS = 8
"""Bytes of texts, and number of details, on the wire: a status travels in headers. Clients take 8 KiB of
those, and there the message stands a second time with three characters for each byte that is not ASCII."""

RETRY_SECONDS = 1
"""When to come again after a limit was reached or while a process is replaced."""


class NotAuthenticated(Refusal):
    """The call carries no credential that is good."""

    code = "UNAUTHENTICATED"
    category = Category.DENIED


class DeadlineMissing(Refusal):
    """The call has no deadline, or one that lies too far away."""

    code = "DEADLINE_REQUIRED"
    category = Category.INVALID


class DeadlineExceeded(Refusal):
    """The call's time was over before anything was done."""

    code = "DEADLINE_EXCEEDED"
    category = Category.UNAVAILABLE


class MalformedMessage(Refusal):
    """The bytes are not a message of this kind."""

    code = "MALFORMED_MESSAGE"
    category = Category.INVALID


class MessageTooLarge(Refusal):
    """The message is larger than its call allows."""

    code = "MESSAGE_TOO_LARGE"
    category = Category.EXHAUSTED


class TooManyCalls(Refusal):
    """A credential is used more often than it may be."""

    code = "RATE_LIMITED"
    category = Category.EXHAUSTED


BY_CATEGORY: Mapping[Category, grpc.StatusCode] = {
    Category.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Category.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Category.EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Category.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Category.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Category.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Category.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Category.CORRUPT: grpc.StatusCode.DATA_LOSS,
}

BY_CODE: Mapping[str, grpc.StatusCode] = {
    NotAuthenticated.code: grpc.StatusCode.UNAUTHENTICATED,
    DeadlineExceeded.code: grpc.StatusCode.DEADLINE_EXCEEDED,
    InvariantBroken.code: grpc.StatusCode.INTERNAL,
}
"""Where the category does not tell all."""

RETRYABLE = frozenset({Category.EXHAUSTED, Category.UNAVAILABLE})
NOT_RETRYABLE = frozenset({MessageTooLarge.code, DeadlineExceeded.code})


def status_code(error: RouterError) -> grpc.StatusCode:
    """Give the gRPC status of an error."""
    return BY_CODE.get(error.code) or BY_CATEGORY[error.category]


def retry_seconds(error: RouterError) -> int:
    """Give after how many seconds trying again may help; 0: it does not."""
    return RETRY_SECONDS if error.category in RETRYABLE and error.code not in NOT_RETRYABLE else 0


def status_message(error: RouterError, request: str) -> status_pb2.Status:
    """Write an error with its details, for the call with this request id."""
    number: int = status_code(error).value[0]
    status = status_pb2.Status(code=number, message=told(error))
    details = _bounded(error.details)
    info = error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN, metadata=details)
    info.metadata["request_id"] = request
    status.details.add().Pack(info)
    if number == grpc.StatusCode.INVALID_ARGUMENT.value[0] and "field" in details:
        bad = error_details_pb2.BadRequest()
        bad.field_violations.add(
            field=details["field"], description=_cut(error.message, LONGEST_DESCRIPTION), reason=error.code
        )
        status.details.add().Pack(bad)
    seconds = retry_seconds(error)
    if seconds:
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=seconds)))
    return status


def problem_message(error: RouterError) -> types_pb2.Problem:
    """Write an error as part of a message (a row of many, an action on a stream)."""
    number: int = status_code(error).value[0]
    problem = types_pb2.Problem(
        code=error.code,
        message=told(error),
        details=_bounded(error.details),
        status=number,
    )
    seconds = retry_seconds(error)
    if seconds:
        problem.retry_after.seconds = seconds
    return problem


def told(error: RouterError) -> str:
    """Give an error's message as long as the wire takes it."""
    return _cut(error.message, LONGEST_MESSAGE)


def _bounded(details: Mapping[str, str]) -> dict[str, str]:
    return {
        _cut(name, LONGEST_NAME): _cut(value, LONGEST_DETAIL)
        for name, value in list(details.items())[:MOST_DETAILS]
    }


def _cut(text: str, longest: int) -> str:
    return text.encode(errors="replace")[:longest].decode(errors="ignore")
