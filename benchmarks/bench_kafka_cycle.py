"""CPU of the whole server per label cycle with the log on Kafka, beside the same with the log in a file.

    python benchmarks/bench_kafka_cycle.py HOST:PORT [--cycles 6000] [--rounds 5] [--in-flight 64]

The broker is that of `make services-up`, which flushes each record; its own CPU is not counted. Each server
is a process of its own with the same tasks, under the load of `bench_rpc_cycle.py`, unary and over work
streams; the reference is the embedded profile. Rounds alternate, and the median of the rounds' ratios counts.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from bench_rpc_cycle import Scene, cost, serve_engine, start, stream_load, unary_load
from lean_grpc import Load

from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.opening import opened_group
from crowdroute.router.runtime.settings import KafkaLogSettings, Settings

TARGET = 2.0
FILE = "file"
LOADS: dict[str, Callable[[Scene, int, int], Load]] = {"unary": unary_load, "stream": stream_load}


def on_kafka(server: str, directory: Path) -> AbstractAsyncContextManager[ShardGroup]:
    """Open a shard over topics of its own."""
    name = f"bench-{time.time_ns()}"
    kafka = KafkaLogSettings(servers=[server], name=name, durability="single-broker")
    return opened_group(Settings(directory=directory, kafka=kafka))


def serve(where: str, workers: int, tasks: int) -> None:
    """Serve from a file, or with the log at a broker."""
    opened = () if where == FILE else (None, partial(on_kafka, where))
    asyncio.run(serve_engine(workers, tasks, *opened))


def measure(options: argparse.Namespace) -> None:
    """Print the table."""
    flight, each = options.in_flight, options.cycles // options.in_flight
    tasks = 2 * (options.rounds + 1) * options.cycles
    profiles = {FILE: FILE, "Kafka": options.server}
    servers = {
        profile: start(f"--serve={where}", f"--in-flight={flight}", f"--tasks={tasks}", program=__file__)
        for profile, where in profiles.items()
    }
    costs: dict[tuple[str, str], list[float]] = {(kind, one): [] for kind in LOADS for one in profiles}
    for number in range(options.rounds + 1):
        for kind, load in LOADS.items():
            for profile in sorted(profiles, reverse=bool(number % 2)):
                process, scene = servers[profile]
                found = cost(
                    process.pid,
                    scene.port,
                    [load(scene, worker, each) for worker in range(flight)],
                    each * flight,
                )
                if number:  # the first round warms up
                    costs[kind, profile].append(found)
    print(f"{'load':>8} {'file µs':>9} {'Kafka µs':>9} {'ratio':>6}   (target {TARGET})")
    for kind in LOADS:
        file, kafka = costs[kind, FILE], costs[kind, "Kafka"]
        ratio = statistics.median(own / reference for own, reference in zip(kafka, file, strict=True))
        print(f"{kind:>8} {statistics.median(file):>9.0f} {statistics.median(kafka):>9.0f} {ratio:>6.2f}")
    for process, _ in servers.values():
        process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("server", nargs="?", help="host:port of a broker")
    parser.add_argument("--cycles", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--tasks", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.in_flight, options.tasks)
    elif options.server is None:
        parser.error("name a broker: HOST:PORT, for example that of `make services-up`")
    else:
        measure(options)


if __name__ == "__main__":
    main()
