"""The handlers of a service."""

from __future__ import annotations

import pytest

from crowdroute.api.v1 import annotation_pb2
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.limits import RateLimiter
from crowdroute.router.rpc.service import Service, snake_case

SERVICE = annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"]


@pytest.mark.parametrize(
    ("call", "method"), [("Next", "next"), ("SaveDraft", "save_draft"), ("GetGuideline", "get_guideline")]
)
def test_a_method_is_named_after_its_call(call: str, method: str) -> None:
    assert snake_case(call) == method


def test_a_servicer_that_lacks_a_call_is_not_bound() -> None:
    service = Service(Gate(RateLimiter(0, 1)), SERVICE, 100)
    with pytest.raises(ConfigurationError, match="Next"):
        service.bind(object())
