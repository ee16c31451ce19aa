"""Vendors and pools."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from crowdroute.api.v1 import workers_pb2 as wire
from crowdroute.router.commands.organisation import AddPool, AddVendor
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import NotFound
from crowdroute.router.model.ids import NO_ID, Id, Kind
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.ids import optional_id_of
from crowdroute.router.rpc.convert.workers import pool_message, vendor_message
from crowdroute.router.rpc.operations.office import Office, organisation_of
from crowdroute.router.rpc.pages import Page, page_of


class Suppliers(Office):
    """The calls that concern who supplies workers."""

    async def add_vendor(self, call: Call, message: wire.AddVendorRequest) -> wire.Vendor:
        """Make a vendor known."""
        organisation = self.tenant(call)
        command = AddVendor(self._group.new_id(), message.name)
        reply = await self.act(call, organisation_of(call), command, message)
        return vendor_message(organisation.vendors[expect(Created, reply).id])

    async def list_vendors(self, call: Call, message: wire.ListVendorsRequest) -> wire.ListVendorsResponse:
        """Give a page of the vendors within reach, in the order of their names."""
        organisation, reach = self.reachable(call)
        page = page_of(message, str)
        names = {
            name: vendor
            for name, vendor in organisation.vendor_names.items()
            if reach.whole or vendor == reach.vendor
        }
        some, token = _names_page(names, page)
        response = wire.ListVendorsResponse(
            vendors=[vendor_message(organisation.vendors[names[name]]) for name in some],
            next_page_token=token,
        )
        await self.observe()
        return response

    async def add_pool(self, call: Call, message: wire.AddPoolRequest) -> wire.Pool:
        """Make a pool known."""
        organisation = self.tenant(call)
        vendor = optional_id_of(Kind.VENDOR, message.vendor_id, "vendor_id")
        command = AddPool(self._group.new_id(), vendor, message.name)
        reply = await self.act(call, organisation_of(call), command, message)
        return pool_message(organisation.pools[expect(Created, reply).id])

    async def list_pools(self, call: Call, message: wire.ListPoolsRequest) -> wire.ListPoolsResponse:
        """Give a page of the pools within reach, in the order of their names."""
        organisation, reach = self.reachable(call)
        page = page_of(message, str)
        vendor = optional_id_of(Kind.VENDOR, message.vendor_id, "vendor_id")
        foreign = reach.vendor not in (NO_ID, vendor)
        if vendor != NO_ID and (foreign or vendor not in organisation.vendors):
            raise NotFound(f"no vendor {message.vendor_id}", {"field": "vendor_id"})
        names = {
            name: pool
            for name, pool in organisation.pool_names.items()
            if vendor in (NO_ID, organisation.pools[pool].vendor)
            and reach.vendor in (NO_ID, organisation.pools[pool].vendor)
            and reach.pool in (NO_ID, pool)
        }
        some, token = _names_page(names, page)
        response = wire.ListPoolsResponse(
            pools=[pool_message(organisation.pools[names[name]]) for name in some], next_page_token=token
        )
        await self.observe()
        return response


def _names_page(names: Mapping[str, Id], page: Page) -> tuple[list[str], str]:
    """Give the names of one page in order, and the token of the next."""
    ordered = sorted(names)
    begin = 0 if page.after is None else bisect_right(ordered, page.after)
    some = ordered[begin : begin + page.rows]
    return some, page.token(some[-1]) if begin + page.rows < len(ordered) else ""
