"""What an actor needs of the engine: shards that can be opened and given back while others serve on."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol, cast

from crowdroute.router.errors import ConfigurationError, RouterError
from crowdroute.router.runtime.cluster.orders import At


class Hosting(Protocol):
    """The shards of one process behind one gRPC server."""

    at: At
    """Where the process is reached."""
    failed: asyncio.Future[RouterError]
    """Done, with the reason, once the process must end."""

    def know(self, generation: int, owners: Mapping[int, At]) -> None:
        """Learn where callers of each shard are to go, by a placement that is not older than the one
        known."""

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


class Place(NamedTuple):
    """Where a process is."""

    actor: str
    """Its name."""
    ip: str
    """Of its node, as the cluster reaches it."""


HostingFactory = Callable[[bytes, Place], Awaitable[Hosting]]
"""Makes what listens and has no shards yet, from settings as JSON."""


def load_hosting(name: str) -> HostingFactory:
    """Find the factory that is named `module:attribute`: it stands in a layer above.

    Raises:
        ConfigurationError: there is none of that name.
    """
    module, _, attribute = name.partition(":")
    try:
        return cast("HostingFactory", getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"no hosting {name!r}: {error}") from error
