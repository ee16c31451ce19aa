"""What is kept and told of calls that ended."""

from __future__ import annotations

from time import perf_counter

import structlog
from structlog.testing import capture_logs

from crowdroute.router.errors import AtCapacity, InvariantBroken
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.rpc.authentication import Principal
from crowdroute.router.rpc.call_record import CANCELLED, OK, CallRecord, code_of
from crowdroute.router.rpc.calls import Call

PATH = "/crowdroute.api.v1.AnnotationService/Next"


def call() -> Call:
    principal = Principal("acme", bytes(range(16)), "tok_1", frozenset(), NO_ID, NO_ID, NO_ID, NO_ID, 0)
    return Call(None, PATH, principal, "req-1")  # type: ignore[arg-type]  # nobody asks the context


def test_calls_are_counted_by_their_status() -> None:
    record = CallRecord(PATH)
    for code in (OK, CANCELLED, OK):
        record.ended(perf_counter(), code, "req", None)
    assert record.name == "Next"
    assert {code: list(times.cumulative())[-1] for code, times in record.durations.items()} == {
        OK: 2,
        CANCELLED: 1,
    }


def test_a_call_lasts_from_its_beginning_to_its_end() -> None:
    record = CallRecord(PATH)
    record.ended(perf_counter() - 7, OK, "req", None)
    assert record.durations[OK].total >= 7
    counts = dict(zip(record.durations[OK].bounds, record.durations[OK].cumulative(), strict=False))
    assert (counts[5.0], counts[60.0]) == (0, 1)


def test_errors_have_the_status_that_the_caller_is_told() -> None:
    assert code_of(AtCapacity("full")) == "RESOURCE_EXHAUSTED"
    assert code_of(InvariantBroken("no")) == "INTERNAL"
    assert code_of(KeyError("a defect")) == "INTERNAL"


def test_a_line_names_call_request_and_principal() -> None:
    structlog.reset_defaults()  # a command that ran before in this process may have set a level
    with capture_logs() as lines:
        CallRecord(PATH, lines=True).ended(perf_counter(), OK, "req-1", call())
        CallRecord(PATH, lines=True).ended(perf_counter(), "UNAUTHENTICATED", "req-2", None)
        CallRecord(PATH).ended(perf_counter(), OK, "req-3", call())
    for line in lines:
        assert line.pop("seconds") >= 0
    common = {"event": "call ended", "log_level": "debug", "call": PATH}
    assert lines == [
        {**common, "request": "req-1", "tenant": "acme", "principal": "tok_1", "code": "OK"},
        {**common, "request": "req-2", "code": "UNAUTHENTICATED"},
    ]
