"""Where Prometheus finds the metrics: an HTTP server in threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.metrics.collector import EngineCollector
from crowdroute.router.metrics.reading import Served, read


def make_registry(loop: asyncio.AbstractEventLoop, served: Served, feeds: FeedStanding) -> CollectorRegistry:
    """Give what is exposed: the engine and the feeds that live in `loop`, and their process."""
    registry = CollectorRegistry()
    registry.register(EngineCollector(loop, lambda: read(served, feeds)))
    ProcessCollector(registry=registry)
    return registry


@contextlib.asynccontextmanager
async def metrics_served(address: str, served: Served, feeds: FeedStanding) -> AsyncIterator[int]:
    """Answer scrapes until the block is left, whatever state the engine is in; gives the port.

    Args:
        address: host and port; port 0 takes a free one.
        served: what is measured; it lives in the running event loop.
        feeds: of the process, in the same loop.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    registry = make_registry(asyncio.get_running_loop(), served, feeds)
    host, _, port = address.rpartition(":")
    try:
        server, thread = await asyncio.to_thread(
            start_http_server, int(port), host.strip("[]"), registry=registry
        )
    except OSError as error:
        raise ConfigurationError(
            f"cannot serve metrics on {address} ({error.strerror}): look at metrics.address in the settings"
        ) from error
    try:
        yield server.server_port
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()
