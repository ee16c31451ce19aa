"""The processes of a cluster, without Ray."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.cluster import ray_actors
from crowdroute.router.runtime.cluster.hosting import Hosting, Place
from crowdroute.router.runtime.cluster.orders import Standing, decode
from crowdroute.router.runtime.cluster.ray_actors import BROKEN, ActorProcess

WHY = "peers speak without encryption: give peers.tls"


async def refuses(told: bytes, place: Place) -> Hosting:
    """A `HostingFactory` that cannot work with its settings."""
    raise ConfigurationError(WHY)


async def fails(told: bytes, place: Place) -> Hosting:
    """A `HostingFactory` with a defect."""
    raise KeyError(WHY)


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let actors run in this process; gives with what status they would have ended it."""
    here = SimpleNamespace(get_node_id=lambda: "node")
    ray = SimpleNamespace(
        get_runtime_context=lambda: here, util=SimpleNamespace(get_node_ip_address=lambda: "10.0.0.5")
    )
    statuses: list[int] = []

    def leave(status: int) -> None:
        statuses.append(status)
        raise asyncio.CancelledError

    async def settings(head: object) -> bytes:
        return b"{}"

    monkeypatch.setattr(ray_actors, "load_ray", lambda: ray)
    monkeypatch.setattr(ray_actors, "Head", object)
    monkeypatch.setattr(ray_actors, "kept_settings", settings)
    monkeypatch.setattr("os._exit", leave)
    return statuses


async def standing(actor: ActorProcess) -> Standing:
    return decode(await actor.standing(), Standing)


@pytest.mark.parametrize(
    ("hosting", "why"),
    [("refuses", WHY), ("fails", "a defect (KeyError): the log of the process has the rest")],
)
async def test_a_process_that_cannot_begin_says_why_for_a_while_and_ends(
    exits: list[int], monkeypatch: pytest.MonkeyPatch, hosting: str, why: str
) -> None:
    over = asyncio.Event()

    async def until_over(seconds: float) -> None:
        assert seconds == ray_actors.TOLD_S
        await over.wait()

    monkeypatch.setattr(ray_actors.asyncio, "sleep", until_over)
    actor = ActorProcess("actor-0", f"{__name__}:{hosting}")
    while not (said := await standing(actor)).why:
        await asyncio.wait((actor._beginning,), timeout=0.01)
    assert said.why == why
    assert said.at.public == ""
    assert exits == []
    over.set()
    await asyncio.wait((actor._beginning,))
    assert exits == [BROKEN]
