"""How long a shard of a cluster is away when its actor is killed, frozen, restarted in turn, or the shard is
moved.

    python benchmarks/bench_cluster_recovery.py [--tasks 100000] [--tail 1000] [--rounds 3]

A shard with that many open tasks, and that many batches after its newest snapshot, is served by a cluster on
one Ray
node: by its only actor, or by one of two. The clock runs from the signal, or from the command, until a health
check at the shard's new address says SERVING. The reference is the same directory served by `crowdroute
serve`, from the start of the process until a health check says SERVING.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from labelling import TENANT
from large_engine import Process

from crowdroute.router.adapters.ray_store import Head, keep_settings
from crowdroute.router.cli.cluster import HOSTING
from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.runtime.cluster.control import Move, Question, Restart, Show, Want
from crowdroute.router.runtime.cluster.overview import Overview
from crowdroute.router.runtime.cluster.ray_client import ask, connected, end, supervisor
from crowdroute.router.runtime.embedded import embedded_shard
from crowdroute.router.runtime.settings import Settings

PATIENCE_S = 120.0
LOOK_S = 0.02
BIN = Path(sys.executable).parent


async def prepare(directory: Path, tasks: int, tail: int) -> None:
    """Fill a shard's directory, have a snapshot written, and append some more batches."""
    process = Process(directory, tasks)
    await process.start()
    await process.stop()
    async with embedded_shard(directory / "data", snapshots=False) as engine:
        engine.start()
        for _ in range(tail):
            worker = UpsertWorker(engine.new_id(), NO_ID, NO_ID)
            await engine.submit(engine.request(organisation_stream(TENANT), worker))


def serves(address: str) -> bool:
    """Ask once whether an engine serves there."""
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            told = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
        return bool(told.status == health_pb2.HealthCheckResponse.SERVING)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def alone(directory: Path) -> float:
    """Give the seconds from the start of `crowdroute serve` until it serves."""
    address = f"127.0.0.1:{free_port()}"
    begun = time.perf_counter()
    words = ("serve", "--dir", directory / "data", "--address", address)
    process = subprocess.Popen([BIN / "crowdroute", *words], stderr=subprocess.DEVNULL)
    try:
        return _until(lambda: serves(address), begun)
    finally:
        process.terminate()
        process.wait()


def _until(there: Callable[[], bool], begun: float) -> float:
    while not there():
        if time.perf_counter() - begun > PATIENCE_S:
            raise TimeoutError(f"not within {PATIENCE_S:.0f} s")
        time.sleep(LOOK_S)
    return time.perf_counter() - begun


class Cluster:
    """A cluster with one shard, and what it does about what befalls it."""

    def __init__(self, led: Any) -> None:
        self._led = led

    def ask(self, question: Question) -> Overview:
        """Ask the supervisor."""
        answer = ask(self._led, question)
        assert isinstance(answer, Overview), answer
        return answer

    def rest(self) -> Overview:
        """Wait until everything is as wanted."""
        _until(lambda: self.ask(Show()).resting, time.perf_counter())
        return self.ask(Show())

    def away(self, befall: Callable[[Overview], object]) -> float:
        """Give the seconds from what befalls the shard until it serves by a new grant."""
        before = self.rest()
        begun = time.perf_counter()
        befall(before)

        def back() -> bool:
            (shard,) = self.ask(Show()).shards
            return (
                shard.generation > before.shards[0].generation
                and bool(shard.address)
                and serves(shard.address)
            )

        return _until(back, begun)

    def move(self, seen: Overview) -> None:
        """Hand the shard over to the actor that does not have it."""
        (other,) = {one.name for one in seen.actors} - {seen.shards[0].actor}
        self.ask(Move(0, other))


def send(sent: signal.Signals) -> Callable[[Overview], None]:
    """Give what sends a signal to the shard's owner."""

    def to_owner(seen: Overview) -> None:
        os.kill(next(one.pid for one in seen.actors if 0 in one.shards), sent)

    return to_owner


@contextlib.contextmanager
def ray_head(folder: Path) -> Iterator[str]:
    """Run a Ray head of one node while the block lasts; gives its address."""
    os.environ.update(
        HOME=str(folder),
        RAY_AUTH_MODE="token",
        RAY_kill_worker_timeout_milliseconds="1000",
        RAY_AUTH_TOKEN=secrets.token_hex(32),
        RAY_TMPDIR=str(folder / "ray"),
    )
    port = free_port()
    words = ("--head", f"--port={port}", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats")
    log = (folder / "ray.log").open("wb")
    with log:
        process = subprocess.Popen([BIN / "ray", "start", "--block", *words], stdout=log, stderr=log)
    try:
        _until(lambda: b"Ray runtime started" in (folder / "ray.log").read_bytes(), time.perf_counter())
        told = (folder / "ray.log").read_text()
        yield f"{told.partition('Local node IP: ')[2].split()[0]}:{port}"
    finally:
        process.terminate()
        process.wait()


def measure(led: Any, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield each kind of fault with the seconds that the shard was away."""
    cluster = Cluster(led)
    for actors in (1, 2):
        cluster.ask(Want(1, actors))
        faults: dict[str, Callable[[Overview], object]] = {
            "actor killed": send(signal.SIGKILL),
            "actor frozen": send(signal.SIGSTOP),
            "restarted in turn": lambda _seen: cluster.ask(Restart()),
        }
        if actors > 1:
            faults["shard moved"] = cluster.move
        for name, befall in faults.items():
            yield f"{name}, {actors} actor{'s'[: actors - 1]}", [cluster.away(befall) for _ in range(rounds)]
    cluster.ask(Want(1, 0))
    cluster.rest()
    end(led)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--tail", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cr", ignore_cleanup_errors=True) as folder:
        directory = Path(folder) / "shards"
        directory.mkdir()
        asyncio.run(prepare(directory, options.tasks, options.tail))
        reference = statistics.median(alone(directory) for _ in range(options.rounds))
        print(
            f"{options.tasks} open tasks, {options.tail} batches after the snapshot;"
            f" load {os.getloadavg()[0]:.1f}"
        )
        print(f"{'':34}{'median s':>10}{'longest s':>11}{'ratio':>8}")
        print(f"{'crowdroute serve started':34}{reference:10.2f}{'':11}{1:8.2f}")
        with ray_head(Path(folder)) as address, connected(address):
            settings = (
                Settings(directory=directory / "data", address="127.0.0.1:0").model_dump_json().encode()
            )
            asyncio.run(keep_settings(Head(), settings))
            for name, times in measure(supervisor(HOSTING), options.rounds):
                median = statistics.median(times)
                told = f"{name:34}{median:10.2f}{max(times):11.2f}{median / reference:8.2f}"
                print(told, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
