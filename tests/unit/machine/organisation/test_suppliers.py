"""Vendors and pools."""

import pytest
from tests.unit.machine.organisation.driver import POOL, UNKNOWN, VENDOR

from crowdroute.router.commands.organisation import AddPool, AddVendor
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import AlreadyExists, InvalidCommand, NotFound
from crowdroute.router.events.organisation import PoolAdded, VendorAdded
from crowdroute.router.model.ids import NO_ID


def test_a_vendor_is_added(organisation):
    assert organisation.send(AddVendor(UNKNOWN, "east")) == Created(UNKNOWN)
    assert organisation.last == VendorAdded(UNKNOWN, "east")
    assert [row.name for row in organisation.state.list_vendors()] == ["east", "north", "south"]


def test_a_pool_belongs_to_a_vendor_or_to_the_tenant(organisation):
    assert organisation.send(AddPool(UNKNOWN, VENDOR, "night shift")) == Created(UNKNOWN)
    assert organisation.last == PoolAdded(UNKNOWN, VENDOR, "night shift")
    names = [row.name for row in organisation.state.list_pools()]
    assert names == ["night shift", "north crowd", "our own", "south crowd"]


def test_a_pool_of_an_unknown_vendor_is_refused(organisation):
    organisation.refuses(AddPool(b"n" * 16, UNKNOWN, "night shift"), NotFound)


@pytest.mark.parametrize(
    "command",
    [
        AddVendor(VENDOR, "east"),
        AddVendor(UNKNOWN, "north"),
        AddPool(POOL, VENDOR, "night shift"),
        AddPool(UNKNOWN, NO_ID, "north crowd"),
    ],
)
def test_ids_and_names_are_taken_once(organisation, command):
    organisation.refuses(command, AlreadyExists)


@pytest.mark.parametrize(
    ("field", "command"),
    [
        ("vendor", AddVendor(NO_ID, "east")),
        ("name", AddVendor(UNKNOWN, "")),
        ("pool", AddPool(NO_ID, VENDOR, "night shift")),
        ("vendor", AddPool(UNKNOWN, b"", "night shift")),
        ("name", AddPool(UNKNOWN, VENDOR, "night shift ")),
    ],
)
def test_a_field_that_cannot_be_right_is_named(organisation, field, command):
    assert organisation.refuses(command, InvalidCommand).details["field"] == field


def test_a_vendor_and_a_pool_may_share_a_name(organisation):
    organisation.send(AddVendor(UNKNOWN, "north crowd"))
