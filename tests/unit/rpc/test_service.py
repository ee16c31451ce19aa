"""The handlers of a service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from crowdroute.api.v1 import annotation_pb2, operations_pb2, projects_pb2
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.rpc.authentication import Principal
from crowdroute.router.rpc.calls import Call
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


class GoneContext:
    """Of a caller who hung up."""

    async def write(self, message: bytes) -> None:
        raise asyncio.CancelledError


async def test_a_call_whose_caller_hung_up_is_over_before_anything_else_happens() -> None:
    ended = []

    async def refit_project(call: Call, message: object) -> AsyncIterator[projects_pb2.RefitProjectProgress]:
        try:
            yield projects_pb2.RefitProjectProgress()
        finally:
            ended.append(message)

    operations = operations_pb2.DESCRIPTOR.services_by_name["OperationsService"]
    methods = {snake_case(method.name): refit_project for method in operations.methods}
    service = Service(Gate(RateLimiter(0, 1)), operations, 100)
    service.bind(SimpleNamespace(**methods))
    service.handlers()
    context: Any = GoneContext()
    principal = Principal("acme", NO_ID, "tok_1", frozenset(), NO_ID, NO_ID, NO_ID, NO_ID, 0)
    call = Call(context, "RefitProject", principal, "1")

    with pytest.raises(asyncio.CancelledError):
        await service.perform_streaming("RefitProject", call, b"", context)

    assert len(ended) == 1
