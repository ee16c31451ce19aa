"""How a call ends with an error."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
import structlog

from crowdroute.router.errors import RouterError
from crowdroute.router.rpc.call_record import who
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.deadlines import Context
from crowdroute.router.rpc.status import DETAILS_KEY, status_code, status_message, told

_log = structlog.get_logger("crowdroute.rpc")


async def refuse(
    context: Context,
    error: BaseException,
    name: str,
    request: str,
    call: Call | None = None,
    metadata: Sequence[tuple[str, str]] = (),
) -> None:
    """End a call with an error's status, and more metadata; it does not return.

    The frames behind the error are let go. gRPC's context and the exception that ends the call keep each
    other, and with them every message that was refused, until the collector looks; and those that come beyond
    the limits come when memory is short. They are not cleared: of an error that several calls share, some
    belong to calls that still run.
    """
    raised = error
    if not isinstance(error, RouterError):
        _log.error("call failed", call=name, request=request, **who(call), exc_info=error)
        error = RouterError(f"the call failed by a defect of the engine; its log tells more under {request}")
        error.code = "INTERNAL"
        code = grpc.StatusCode.INTERNAL
    else:
        code = status_code(error)
    forget_frames(raised)
    status = status_message(error, request)
    status.code = code.value[0]
    await context.abort(code, told(error), ((DETAILS_KEY, status.SerializeToString()), *metadata))


def forget_frames(error: BaseException | None) -> None:
    """Let go where an error, and each that led to it, was raised."""
    while error is not None and error.__traceback__ is not None:  # what is without was here before
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
