"""`crowdroute cluster demo`: see a cluster at work, with a Kafka and a Redis that run and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.cli import DONE, FAILED
from crowdroute.router.cli.cluster import HOSTING
from crowdroute.router.cli.log_lines import write_log
from crowdroute.router.cli.output import console, print_json
from crowdroute.router.cli.target import AsJson
from crowdroute.router.demo.cluster.ground import (
    ACTORS,
    Services,
    own_topics,
    ports_from,
    settings_for,
)
from crowdroute.router.demo.cluster.play import Ways, play
from crowdroute.router.demo.cluster.report import ClusterFindings, find, show
from crowdroute.router.demo.cluster.stage import cluster_up
from crowdroute.router.demo.cluster.view import draw
from crowdroute.router.demo.crowd import simulated_crowd
from crowdroute.router.demo.pictures import Picture, load_pictures
from crowdroute.router.demo.view import live_view
from crowdroute.router.errors import ConfigurationError, FleetUnavailable
from crowdroute.router.runtime.cluster.ray_local import local_ray
from crowdroute.router.runtime.clustered import connection_to
from crowdroute.router.runtime.directory.opening import connection_to as redis_at
from crowdroute.router.runtime.settings import Settings
from crowdroute.router.runtime.warming import warm_up

FEWEST, MOST = 40, 1796


def cluster_demo(
    tasks: Annotated[
        int, typer.Option(help="How many digits are labelled, in two projects.", min=FEWEST, max=MOST)
    ] = 400,
    seed: Annotated[int, typer.Option(help="Which simulated crowd.")] = 1,
    kafka: Annotated[
        str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="host:port of Kafka; several with commas between.")
    ] = "",
    redis: Annotated[
        str, typer.Option(envvar="REDIS_URL", help="redis://USER:PASSWORD@HOST:PORT/0.", show_envvar=True)
    ] = "",
    name: Annotated[
        str, typer.Option(help="What its topics and keys begin with; they are removed at the end.")
    ] = "crowdroute",
    port: Annotated[
        int,
        typer.Option(
            help="Of the first of two actors, the second has the next; 0: free ones.", min=0, max=65_534
        ),
    ] = 0,
    as_json: AsJson = False,
) -> int:
    """Have tasks flow from Kafka through a crowd at two actors on Ray and back to Kafka, kill one of them in
    the middle, and count that nothing is lost.

    `make cluster-demo` starts Kafka and Redis for it. Ray is its own, in a temporary folder. Ends with 1 when
    something is lost or there twice.

    Example: crowdroute cluster demo --tasks 400 --kafka 127.0.0.1:9092
    """
    if not kafka or not redis:
        raise ConfigurationError(
            "no Kafka and Redis: `make cluster-demo` starts them; or name those that run, with --kafka and"
            " --redis"
        )
    write_log("warning")
    pictures = load_pictures(tasks)
    with tempfile.TemporaryDirectory(prefix="crowdroute-", ignore_cleanup_errors=True) as folder:
        services = Services(tuple(kafka.split(",")), redis)
        settings = settings_for(services, Path(folder), name, ports_from(port))
        findings = _on_ray(settings, pictures, seed, Path(folder) / "ray")
    if as_json:
        print_json(dataclasses.asdict(findings))
    else:
        show(findings, console())
    return DONE if findings.whole else FAILED


def _on_ray(settings: Settings, pictures: list[Picture], seed: int, folder: Path) -> ClusterFindings:
    assert settings.kafka is not None
    assert settings.redis is not None
    assert settings.feeds is not None
    kafka, redis = connection_to(settings.kafka), redis_at(settings.redis)
    if unreachable := asyncio.run(redis.check()):
        raise FleetUnavailable(
            f"no Redis answers at {redis.server} ({unreachable}): start one, or name another"
        )
    with own_topics(kafka, settings.feeds):
        _say("compiling what is not compiled yet: a minute the first time, and nothing later")
        warm_up()
        _say("starting Ray")
        with local_ray(folder, ACTORS):
            told_to_stop = threading.Event()

            def stop(_number: int, _frame: FrameType | None) -> None:
                told_to_stop.set()
                signal.raise_signal(signal.SIGINT)

            # Whoever tells us to stop wants what Ctrl-C does: everything put away.
            signal.signal(signal.SIGTERM, stop)
            try:
                findings = asyncio.run(_play(settings, kafka, pictures, seed))
            finally:
                asyncio.run(redis.forget(settings.redis.namespace))
            # What was under way may have ended instead of being interrupted.
            if told_to_stop.is_set():
                raise KeyboardInterrupt
            return findings


async def _play(
    settings: Settings, kafka: KafkaConnection, pictures: list[Picture], seed: int
) -> ClusterFindings:
    assert settings.feeds is not None
    crowd = simulated_crowd(seed)
    _say(f"starting a supervisor and {ACTORS} actors")
    async with cluster_up(settings, HOSTING) as cluster:
        addresses = [actor.address for actor in (await cluster.look()).actors]
        token = (settings.directory / "admin.token").read_text().strip()
        ways = Ways(addresses, token, kafka, settings.feeds)
        _say(f"{len(crowd)} workers label {len(pictures)} pictures at {' and '.join(addresses)}")
        with live_view(Console(stderr=True), draw) as shown:
            flow, seconds = await play(ways, cluster, pictures, crowd, seed, shown)
        _say("comparing what Kafka has with what the engine has, and with the truth")
        return await asyncio.to_thread(find, flow, crowd, seed, seconds)


def _say(what: str) -> None:
    typer.echo(what, err=True)
