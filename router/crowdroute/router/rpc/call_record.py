"""How calls ended and after how long: counted always, traced where they are sampled, and a line for each when
the log's level is `debug`."""

from __future__ import annotations

from time import perf_counter

import grpc
import structlog

from crowdroute.router.errors import RouterError
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.status import status_code
from crowdroute.router.runtime.histogram import Histogram
from crowdroute.router.runtime.tracing import current

CALL_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Bounds for how long calls take: to the longest deadline that a call answered with one message may have."""

OK = grpc.StatusCode.OK.name
CANCELLED = grpc.StatusCode.CANCELLED.name
"""How a call ends that its caller gave up, or that was cut off when the process stopped."""

_log = structlog.get_logger("crowdroute.rpc")


class CallRecord:
    """All calls of one name."""

    __slots__ = ("_lines", "_path", "durations", "name")

    def __init__(self, path: str, *, lines: bool = False) -> None:
        """Count nothing yet.

        Args:
            path: the call as gRPC names it, `/package.Service/Call`.
            lines: write a line for each call that ends.
        """
        self.name = path.rpartition("/")[2]
        self.durations: dict[str, Histogram] = {}
        """By the status that they ended with, in seconds."""
        self._path = path
        self._lines = lines

    def ended(self, began: float, code: str, request: str, call: Call | None) -> None:
        """Count a call, and end its span when it is traced.

        Args:
            began: when, on the clock of `perf_counter`.
            code: name of its gRPC status.
            request: its request id.
            call: who made it; None when it was not let in.
        """
        seconds = perf_counter() - began
        durations = self.durations.get(code)
        if durations is None:
            durations = self.durations[code] = Histogram(CALL_SECONDS)
        durations.observe(seconds)
        span = current.get()
        if span is not None:
            told = {f"crowdroute.{key}": value for key, value in who(call).items()}
            span.end(code, {"rpc.response.status_code": code, **told})
        if self._lines:
            _log.debug(
                "call ended",
                call=self._path,
                request=request,
                **who(call),
                code=code,
                seconds=round(seconds, 6),
            )


def code_of(error: Exception) -> str:
    """Give the name of the gRPC status that an error ends a call with."""
    code = status_code(error) if isinstance(error, RouterError) else grpc.StatusCode.INTERNAL
    return code.name


def who(call: Call | None) -> dict[str, str]:
    """Give what a line says of who called: ids alone, as the causes in the log have them."""
    if call is None:
        return {}
    return {"tenant": call.principal.tenant, "principal": call.principal.name}
