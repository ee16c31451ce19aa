"""The messages that a call brings."""

from __future__ import annotations

import pytest

from crowdroute.api.v1 import assignments_pb2
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.rpc.calls import LONGEST_KEY, checked_key, parse
from crowdroute.router.rpc.status import MalformedMessage, MessageTooLarge


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
