"""What a call can end with, as exceptions that carry the engine's own code and words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError

from crowdroute.api.v1 import status_pb2, types_pb2

DETAILS_KEY = "grpc-status-details-bin"


class ClientError(Exception):
    """A call did not succeed; `code` is stable, `message` is for people, `details` for programs."""

    def __init__(
        self,
        code: str,
        message: str,
        details: dict[str, str] | None = None,
        status: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        retry_after_s: float = 0.0,
    ) -> None:
        """Store what is known of the failure; `retry_after_s` is 0 when trying again does not help."""
        super().__init__(f"{message} [{code}]")
        self.code = code
        self.message = message
        self.details = details or {}
        self.status = status
        self.retry_after_s = retry_after_s


class Refused(ClientError):
    """The engine looked at the request and said no; nothing changed."""


class NotConnected(ClientError):
    """The engine could not be reached, or did not answer in time; what was asked may have happened or not."""


UNREACHED = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)


def from_call(
    status: grpc.StatusCode, message: str, trailers: Iterable[tuple[str, str | bytes]]
) -> ClientError:
    """Give the exception for a call that ended with this status."""
    code, details, retry_after_s = status.name, {}, 0.0
    for detail in _details(trailers):
        kind = detail.type_url.rpartition(".")[2]
        if kind == "ErrorInfo":
            reason = status_pb2.ErrorReason.FromString(detail.value)
            code, details = reason.reason, dict(reason.metadata)
        elif kind == "RetryInfo":
            delay = status_pb2.ErrorRetry.FromString(detail.value).retry_delay
            retry_after_s = delay.seconds + delay.nanos / 1e9
    kind_of_error = NotConnected if status in UNREACHED else Refused
    return kind_of_error(code, message, details, status, retry_after_s)


def from_aio(error: grpc.aio.AioRpcError) -> ClientError:
    """Give the exception for an asyncio call that failed."""
    return from_call(error.code(), error.details() or "", pairs(error.trailing_metadata()))


def pairs(metadata: object) -> Iterable[tuple[str, str | bytes]]:
    """Give gRPC's metadata as what it is: pairs, which its type stubs do not say."""
    return cast("Iterable[tuple[str, str | bytes]]", metadata or ())


def from_problem(problem: types_pb2.Problem) -> Refused:
    """Give the exception for an action on a stream that was refused."""
    status = next(one for one in grpc.StatusCode if one.value[0] == problem.status)
    retry_after_s = problem.retry_after.seconds + problem.retry_after.nanos / 1e9
    return Refused(problem.code, problem.message, dict(problem.details), status, retry_after_s)


def _details(trailers: Iterable[tuple[str, str | bytes]]) -> Iterable[Any]:
    for key, value in trailers:
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                yield from status_pb2.ErrorStatus.FromString(value).details
            except DecodeError:
                return
