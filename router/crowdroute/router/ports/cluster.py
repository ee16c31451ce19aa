"""What those who run a cluster write down for each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from crowdroute.router.model.placement import Placement


class PlacementRecord(Protocol):
    """Where the supervisor writes each generation of the placement, before anybody acts on it."""

    async def read(self) -> Placement:
        """Give the newest generation; generation 0 when none was written."""

    async def write(self, placement: Placement) -> None:
        """Return once the generation is durable.

        Raises:
            PlacementSuperseded: that generation, or a later one, was written by somebody else; nothing
                changed.
        """


class Beats(Protocol):
    """Signs of life of those who may lead a cluster, one of each rank; beside the placement record."""

    async def beat(self, rank: int, sign: str) -> None:
        """Leave a sign in place of the one before.

        Raises:
            FleetUnavailable: whether it was left is unknown.
        """

    async def heard(self) -> Mapping[int, str]:
        """Give by rank the newest sign of everybody who ever left one.

        Raises:
            FleetUnavailable: nobody can say at present.
        """
