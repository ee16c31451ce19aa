"""What runs in an actor of a cluster: the engine's server, its metrics and its log lines, put together."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TypeVar

import structlog

from crowdroute.router.adapters.node_number import lowest_number
from crowdroute.router.adapters.open_telemetry import traced
from crowdroute.router.adapters.ray_jobs import RayJobs
from crowdroute.router.cli.log_lines import write_log
from crowdroute.router.errors import InvariantBroken
from crowdroute.router.feeds.feeding import failure_of, fed
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.metrics.endpoint import metrics_served
from crowdroute.router.rpc.assembly import make_server
from crowdroute.router.rpc.group.hosting import GroupHosting
from crowdroute.router.runtime.cluster.hosting import Place
from crowdroute.router.runtime.settings import MetricsSettings, PeerSettings, Settings, settings_told
from crowdroute.router.runtime.warming import warm_up

_log = structlog.get_logger("crowdroute.actor")
_for_ever = contextlib.AsyncExitStack()
"""What ends with the process."""

Some = TypeVar("Some", PeerSettings, MetricsSettings)


async def host(told: bytes, place: Place) -> GroupHosting:
    """Load the engine and listen: the `HostingFactory` of a cluster's actors.

    Raises:
        ConfigurationError: the settings cannot work.
    """
    given = settings_told(told)
    write_log(given.log_level)
    await asyncio.to_thread(warm_up)
    number = _for_ever.enter_context(lowest_number(f"{place.ip} {_ports(given)}"))
    settings = settings_at(given, place.ip, number)
    tracer = _for_ever.enter_context(traced(settings.tracing.sample)) if settings.tracing else None
    server = make_server(settings, tracer)
    hosting = GroupHosting(settings, server, place.ip, RayJobs(settings.jobs))
    await hosting.start()
    feeds = FeedStanding()
    feeding = fed(settings, hosting.group, feeds, tracer, hosting.forwarding)
    (await _for_ever.enter_async_context(feeding)).add_done_callback(partial(_end_with, hosting))
    if settings.metrics is not None:
        served = metrics_served(settings.metrics.address, server, feeds)
        port = await _for_ever.enter_async_context(served)
        _log.info("metrics served", port=port)
    _log.info("listening", actor=place.actor, address=hosting.at.public, peers=hosting.at.peers)
    return hosting


def _end_with(hosting: GroupHosting, feeding: asyncio.Future[None]) -> None:
    """End the process when its feeds cannot go on: the next one tries again, and says why."""
    try:
        failure = failure_of(feeding)
    except Exception as error:
        failure = InvariantBroken(f"a feed ended by a defect: {error}")
    if failure is not None and not hosting.failed.done():
        hosting.failed.set_result(failure)


def settings_at(settings: Settings, ip: str, number: int) -> Settings:
    """Give the settings of one actor: at the address of its node, its ports as much higher as its number is.

    The first actor of a node listens on the ports that are given, another beside it on the next; port 0 stays
    a free one.
    """
    return settings.model_copy(
        update={
            "address": _moved(settings.address, ip, number),
            "peers": _placed(settings.peers, ip, number),
            "metrics": _placed(settings.metrics, ip, number),
        }
    )


def _ports(settings: Settings) -> list[str]:
    return [one.address for one in (settings, settings.peers, settings.metrics) if one is not None]


def _placed(settings: Some | None, ip: str, number: int) -> Some | None:
    if settings is None:
        return None
    return settings.model_copy(update={"address": _moved(settings.address, ip, number)})


def _moved(address: str, ip: str, number: int) -> str:
    port = int(address.rpartition(":")[2])
    return f"{ip}:{port + number if port else 0}"
