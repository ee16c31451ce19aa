"""Every call has a scope, or the server does not start."""

from __future__ import annotations

import pytest

from crowdroute.api.v1 import annotation_pb2, operations_pb2, vendor_pb2
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.machine.organisation.fields import require_scopes
from crowdroute.router.rpc.scopes import EVERY_SCOPE, SCOPES, SESSION_SCOPES, Scope, check_scopes

SERVICES = [
    module.DESCRIPTOR.services_by_name[name]
    for module, name in (
        (annotation_pb2, "AnnotationService"),
        (operations_pb2, "OperationsService"),
        (vendor_pb2, "VendorService"),
    )
]
NEXT = "/crowdroute.api.v1.AnnotationService/Next"


def test_every_call_of_every_service_has_a_scope() -> None:
    check_scopes(SERVICES)


@pytest.mark.parametrize("name", sorted(SCOPES))
def test_a_call_that_lost_its_scope_keeps_the_server_from_starting(name: str) -> None:
    rest = {other: scope for other, scope in SCOPES.items() if other != name}
    with pytest.raises(ConfigurationError, match=name.rpartition("/")[2]):
        check_scopes(SERVICES, rest)


def test_a_scope_for_a_call_that_does_not_exist_is_told() -> None:
    with pytest.raises(ConfigurationError, match="Nest"):
        check_scopes(SERVICES, {**SCOPES, NEXT.replace("Next", "Nest"): Scope.ANNOTATE})


def test_scopes_of_services_that_are_not_served_do_no_harm() -> None:
    check_scopes(SERVICES[:1])


def test_the_core_takes_every_scope_there_is() -> None:
    require_scopes(tuple(scope.value for scope in Scope))


def test_neither_an_administrator_nor_a_worker_can_act_as_the_other() -> None:
    assert not set(EVERY_SCOPE) & set(SESSION_SCOPES)
    assert {*EVERY_SCOPE, *SESSION_SCOPES, Scope.VENDOR.value} == {scope.value for scope in Scope}
