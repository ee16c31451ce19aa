"""What an actor needs of the engine: shards that can be opened and given back while others serve on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Hosting(Protocol):
    """The shards of one process behind one gRPC server."""

    async def open(self, shard: int, generation: int) -> None:
        """Claim a shard, fold its log, and serve it.

        Raises:
            Fenced: another owner has it, or the generation is not new enough; `details["generation"]` is then
                the one that counts, where it is known.
            RouterError: it cannot be opened.
        """

    async def release(self, shard: int) -> None:
        """Finish what was taken for a shard, mark its log as handed over, and close it.

        Raises:
            RouterError: what was taken last may not have become durable; the shard is closed all the same.
        """

    def know_owners(self, owners: Mapping[int, str]) -> None:
        """Learn where each shard is served: calls for those that are not here are forwarded there."""
