"""Where the metrics are served, and what is served there."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.unit.docs.documents import codes, read, section, tables

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.metrics.catalogue import CATALOGUE
from crowdroute.router.metrics.endpoint import make_registry, metrics_served
from crowdroute.router.rpc.assembly import SERVICES
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.limits import RateLimiter


class Idle:
    """A server that has not begun."""

    gate = Gate(RateLimiter(0, 1))
    work_streams = 0


async def test_an_address_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=f"cannot serve metrics on {address}"):
            async with metrics_served(address, Idle(), FeedStanding()):
                pass


async def test_the_guide_has_every_metric_with_its_type_and_labels() -> None:
    registry = make_registry(asyncio.get_running_loop(), Idle(), FeedStanding())
    families = await asyncio.to_thread(lambda: list(registry.collect()))
    ours = {metric.name: (metric.kind, list(metric.labels), metric.meaning) for metric in CATALOGUE}
    process = {
        f"{family.name}_total" if family.type == "counter" else family.name: (family.type, [])
        for family in families
        if not family.name.startswith("crowdroute_")
    }
    (table,) = tables(section(read("docs/operations.md"), "Metrics"))
    told = {codes(name)[0]: (kind, codes(labels), meaning) for name, kind, labels, meaning in table}
    assert len(told) == len(table)
    assert {name: row for name, row in told.items() if name in ours} == ours
    assert {name: row[:2] for name, row in told.items() if name not in ours} == process


def test_no_two_services_have_a_call_of_the_same_name() -> None:
    names = [method.name for service in SERVICES for method in service.methods]
    assert len(names) == len(set(names))
