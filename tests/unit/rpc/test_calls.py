"""What goes around every handler."""

from __future__ import annotations

import pytest

from crowdroute.api.v1 import annotation_pb2, assignments_pb2
from crowdroute.router.errors import ConfigurationError, InvalidCommand
from crowdroute.router.rpc.calls import LONGEST_KEY, Gate, Service, checked_key, parse, snake_case
from crowdroute.router.rpc.limits import RateLimiter
from crowdroute.router.rpc.status import MalformedMessage, MessageTooLarge

SERVICE = annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"]


@pytest.mark.parametrize(
    ("call", "method"), [("Next", "next"), ("SaveDraft", "save_draft"), ("GetGuideline", "get_guideline")]
)
def test_a_method_is_named_after_its_call(call: str, method: str) -> None:
    assert snake_case(call) == method


def test_a_message_is_read() -> None:
    message = assignments_pb2.NextRequest(project_id="prj_1", count=2)
    assert parse(assignments_pb2.NextRequest, message.SerializeToString(), 100) == message


@pytest.mark.parametrize(
    "raw", [b"\xff", b"\x0a\x05abc", b"\x0a\x02\xff\xfe"], ids=["no tag", "cut off", "no UTF-8"]
)
def test_bytes_that_are_no_message_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(assignments_pb2.NextRequest, raw, 100)


def test_a_message_has_a_largest_size() -> None:
    raw = assignments_pb2.NextRequest(project_id="x" * 98).SerializeToString()
    assert parse(assignments_pb2.NextRequest, raw, len(raw))
    with pytest.raises(MessageTooLarge):
        parse(assignments_pb2.NextRequest, raw, len(raw) - 1)


def test_a_key_has_a_largest_length() -> None:
    assert checked_key("k" * LONGEST_KEY)
    with pytest.raises(InvalidCommand) as refused:
        checked_key("k" * (LONGEST_KEY + 1))
    assert refused.value.details == {"field": "idempotency_key"}


def test_a_servicer_that_lacks_a_call_is_not_bound() -> None:
    service = Service(Gate(RateLimiter(0, 1)), SERVICE, 100)
    with pytest.raises(ConfigurationError, match="Next"):
        service.bind(object())
