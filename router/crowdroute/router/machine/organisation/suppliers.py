"""Decisions on vendors and pools, and the rule that a pool belongs to one vendor."""

from __future__ import annotations

from crowdroute.router.commands.organisation import AddPool, AddVendor
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import AlreadyExists, NotFound, WrongState
from crowdroute.router.events.organisation import PoolAdded, VendorAdded
from crowdroute.router.machine.organisation.fields import allow_id, require_id, require_name
from crowdroute.router.machine.stream import Decision
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.state.organisation import OrganisationState


def add_vendor(state: OrganisationState, command: AddVendor) -> Decision:
    """Make a supplier of workers known."""
    require_id("vendor", command.vendor)
    require_name("name", command.name)
    if command.vendor in state.vendors:
        raise AlreadyExists(
            f"{to_text(Kind.VENDOR, command.vendor)} exists already: use a new id", {"field": "vendor"}
        )
    if command.name in state.vendor_names:
        raise AlreadyExists(
            f"a vendor is named {command.name!r} already: choose another name", {"field": "name"}
        )
    yield VendorAdded(command.vendor, command.name)
    return Created(command.vendor)


def add_pool(state: OrganisationState, command: AddPool) -> Decision:
    """Make a group of workers known, of one vendor or of the tenant itself."""
    require_id("pool", command.pool)
    require_name("name", command.name)
    require_supplier(state, command.vendor, NO_ID)
    if command.pool in state.pools:
        raise AlreadyExists(
            f"{to_text(Kind.POOL, command.pool)} exists already: use a new id", {"field": "pool"}
        )
    if command.name in state.pool_names:
        raise AlreadyExists(
            f"a pool is named {command.name!r} already: choose another name", {"field": "name"}
        )
    yield PoolAdded(command.pool, command.vendor, command.name)
    return Created(command.pool)


def require_supplier(state: OrganisationState, vendor: Id, pool: Id) -> None:
    """Refuse a vendor or pool that does not exist, and a pool of another vendor; NO_ID stands for none.

    Raises:
        InvalidCommand: what is given is no id.
        NotFound: there is no such vendor or pool.
        WrongState: the pool belongs to another vendor, or to none.
    """
    allow_id("vendor", vendor)
    allow_id("pool", pool)
    if vendor != NO_ID and vendor not in state.vendors:
        raise NotFound(f"no vendor {to_text(Kind.VENDOR, vendor)}: add it first", {"field": "vendor"})
    if pool == NO_ID:
        return
    row = state.pools.get(pool)
    if row is None:
        raise NotFound(f"no pool {to_text(Kind.POOL, pool)}: add it first", {"field": "pool"})
    if row.vendor != vendor:
        raise WrongState(
            f"pool {row.name!r} does not belong to the vendor given: name the pool's own vendor, or none if "
            "it has none",
            {"field": "pool", "state": "of another vendor"},
        )
