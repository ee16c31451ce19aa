"""What takes a command to the shard that it is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from crowdroute.router.commands import Reply, Request
from crowdroute.router.ports import ContentChange


class Carrier(Protocol):
    """Takes commands that cross to any shard."""

    async def carry(self, shard: int, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Have a command decided in a shard, here or in another process, and answer when it is durable.

        Raises:
            Refusal: nothing changed there.
            RouterError: whether it took effect is unknown.
        """
