"""What the supervisor needs of whatever runs its processes; `ray_fleet` is the one for Ray."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Protocol

from crowdroute.router.runtime.cluster.orders import Order, Standing


class Pulse(StrEnum):
    """What came of asking an actor's gRPC for its health."""

    BEATING = "beating"
    SILENT = "silent"
    """No answer within the deadline: frozen, cut off, or far too busy."""
    GONE = "gone"
    """Nothing listens there any more."""


class Fleet(Protocol):
    """Nodes, and actors on them: named processes that are started again whenever they end."""

    async def nodes(self) -> Mapping[str, str]:
        """Give the living nodes, each with its address.

        Raises:
            FleetUnavailable: nobody can say at present.
        """

    async def actors(self) -> Set[str]:
        """Give the names of all actors that are not ended for good.

        Raises:
            FleetUnavailable: nobody can say at present.
        """

    async def start(self, actor: str, node: str) -> None:
        """Have an actor run on a node, unless one of that name runs.

        Raises:
            FleetUnavailable: it cannot be started at present.
        """

    async def renew(self, actor: str) -> None:
        """End the process of an actor whatever state it is in, and have it started again.

        Raises:
            FleetUnavailable: that cannot be done at present.
        """

    async def stop(self, actor: str) -> None:
        """End an actor for good; one that is not there is no error.

        Raises:
            FleetUnavailable: that cannot be done at present.
        """

    async def ask(self, actor: str) -> Standing:
        """Give what an actor says of itself.

        Raises:
            ActorSilent: it did not say in time.
        """

    async def order(self, actor: str, order: Order) -> Standing:
        """Tell an actor what to do; gives how it stands to that.

        Raises:
            ActorSilent: whether it heard is unknown.
        """

    async def pulse(self, address: str) -> Pulse:
        """Ask what listens at an address whether it lives."""
