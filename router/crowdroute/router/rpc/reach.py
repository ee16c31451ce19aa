"""How far a credential reaches within its tenant: all of it, or one vendor's or pool's workers."""

from __future__ import annotations

from typing import NamedTuple

from crowdroute.router.errors import PermissionRefused
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.rpc.authentication import Principal


class Reach(NamedTuple):
    """The vendor and pool that a credential is bound to; NO_ID for no bound."""

    vendor: Id
    pool: Id

    @property
    def whole(self) -> bool:
        """Whether it reaches everything in the tenant."""
        return self.vendor == NO_ID and self.pool == NO_ID

    def covers(self, facts: WorkerFacts) -> bool:
        """Say whether a worker is within reach."""
        return self.vendor in (NO_ID, facts.vendor) and self.pool in (NO_ID, facts.pool)


def reach_of(principal: Principal) -> Reach:
    """Give how far a credential reaches."""
    return Reach(principal.vendor, principal.pool)


def require_whole(principal: Principal) -> None:
    """Refuse a credential that is bound to a vendor or pool.

    Raises:
        PermissionRefused: it is.
    """
    if not reach_of(principal).whole:
        raise PermissionRefused(
            f"{principal.name} reaches the workers of one vendor or pool only, and this concerns the whole"
            " organisation: use a token that is not bound",
            {"token": principal.name},
        )
