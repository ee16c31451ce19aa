"""A directory in Redis: how long a flush is felt at 100,000 workers, and what it costs beside the calls.

    python benchmarks/bench_directory.py [--workers 100000] [--flushes 3] [--cycles 6000] [--rounds 3]

First, one engine in this process keeps the profiles of all workers in Redis, FLUSHALL is sent, and the clock
runs until every row can be read again: noticing, writing the rows out, and Redis' part. The reference writes
the same rows to the same Redis with plain pipelined HSETs, without stamps, parts or a state behind them.

Then two servers are worked at in turns, as `bench_rpc_cycle` does it: one shares presence, limits, profiles
and what workers did with Redis, the other has no Redis. Both count their calls. "server µs" is the CPU of the
serving process per cycle of Next and Submit; Redis' own is told apart.

Redis is started here, and has nothing on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from bench_rpc_cycle import Scene, announce, cost, cpu_seconds, prepare, unary_load
from peer_servers import FORGETFUL, REDIS_HINT, Peer, redis_program, redis_server
from redis.asyncio import Redis

from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import NO_ID, Kind, to_text
from crowdroute.router.ports import Directory
from crowdroute.router.rpc.server import Server
from crowdroute.router.rpc.sharing import rows_kept, shared
from crowdroute.router.runtime.directory.opening import opened_directory
from crowdroute.router.runtime.directory.tables import profiles_of
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import LimitSettings, RedisSettings, Settings

TENANT = "bench"
NO_LIMIT = 1e12
"""So high that nobody reaches it, and every call is counted all the same."""

TOGETHER = 1000
"""Commands or rows at once."""

LOOK_S = 0.01
LONGEST_S = 120.0


# Flushing


@contextlib.asynccontextmanager
async def crowd(workers: int) -> AsyncIterator[ShardGroup]:
    """Give an engine in memory that knows this many workers."""
    log = MemoryLog(MemoryDisk(bytes(32)))
    engine = Engine(
        Shard(),
        log,
        MemoryContents(MemoryDisk(bytes(32))),
        ManualClock(),
        SeededIds(1),
        content_key=log.content_key,
    )
    engine.start()
    organisation = organisation_stream(TENANT)
    await engine.submit(engine.request(organisation, CreateOrganisation(TENANT)))
    for begin in range(0, workers, TOGETHER):
        for _ in range(begin, min(begin + TOGETHER, workers)):
            command = UpsertWorker(engine.new_id(), NO_ID, NO_ID, languages=("en", "de"))
            engine.decide(engine.request(organisation, command))
        await engine.observe()
    try:
        yield ShardGroup.alone(engine)
    finally:
        await engine.drain()


async def readable(directory: Directory, keys: list[str]) -> float:
    """Wait until every row can be read, looking at one of each thousand first; gives the seconds."""
    begun = time.perf_counter()
    some = keys[::TOGETHER]
    async with asyncio.timeout(LONGEST_S):
        while len(await directory.get(profiles_of(TENANT), some)) < len(some):
            await asyncio.sleep(LOOK_S)
        felt = time.perf_counter() - begun
        assert len(await directory.get(profiles_of(TENANT), keys)) == len(keys)
    return felt


async def plain(client: Redis, rows: list[tuple[str, bytes]]) -> float:
    """Write rows as simply as can be; gives the seconds."""
    begun = time.perf_counter()
    for start in range(0, len(rows), TOGETHER):
        async with client.pipeline(transaction=False) as pipeline:
            for key, row in rows[start : start + TOGETHER]:
                pipeline.hset("plain", key, row)  # type: ignore[arg-type]
            await pipeline.execute()
    return time.perf_counter() - begun


async def measure_flushes(settings: RedisSettings, password: str, workers: int, flushes: int) -> None:
    host, _, port = settings.server.rpartition(":")
    client = Redis(host=host, port=int(port), password=password)
    felt, reference = [], []
    async with crowd(workers) as group, opened_directory(settings) as directory:
        engine = group.engines[0]
        keys = [to_text(Kind.WORKER, worker) for worker in engine.organisation(TENANT).workers]
        begun = time.perf_counter()
        async with rows_kept(directory, group, "127.0.0.1:1"):
            built = time.perf_counter() - begun
            await readable(directory, keys)
            for _ in range(flushes):
                found = list((await directory.get(profiles_of(TENANT), keys)).items())
                reference.append(await plain(client, found))
                await client.flushall()
                felt.append(await readable(directory, keys))
    await client.aclose()
    rate = statistics.median(felt) / statistics.median(reference)
    print(
        f"{workers:,} workers: built at the start in {built:.2f} s; after FLUSHALL every row is there again"
        f" in {statistics.median(felt):.2f} s (longest of {flushes}: {max(felt):.2f} s),"
        f" {rate:.1f} times plain HSETs ({statistics.median(reference):.2f} s)"
    )


# Calls


async def serve(redis: RedisSettings | None, workers: int, tasks: int) -> None:
    """Serve an engine with this many open tasks beside a directory."""
    with tempfile.TemporaryDirectory() as folder:
        limits = LimitSettings(calls_per_second=NO_LIMIT, burst=NO_LIMIT)
        server = Server(Settings(address="127.0.0.1:0", grace_seconds=1, limits=limits))
        await server.start()
        async with opened_directory(redis) as directory, embedded_group(Path(folder)) as group:
            scene = await prepare(group.engines[0], workers, tasks)
            scene.port = server.port
            await server.serve(group)
            async with shared(directory, server, group, f"127.0.0.1:{server.port}"):
                await announce(scene)
            await server.stop()


def start(flight: int, tasks: int, redis: RedisSettings | None) -> tuple[subprocess.Popen[bytes], Scene]:
    command = [sys.executable, __file__, "--serve", "--in-flight", str(flight), "--open", str(tasks)]
    if redis is not None:
        command += ["--redis", redis.model_dump_json()]
    # Its lines tell of a directory that was built; the table is what counts here.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"{"):
            return process, msgspec.json.decode(line, type=Scene)
    raise AssertionError(f"the server ended with {process.wait()}")


def measure_calls(settings: RedisSettings, peer: Peer, options: argparse.Namespace) -> None:
    flight, cycles = options.in_flight, options.cycles // options.in_flight
    tasks = int((options.rounds + 1) * options.cycles)
    servers = {"without": start(flight, tasks, None), "beside Redis": start(flight, tasks, settings)}
    costs: dict[str, list[float]] = {name: [] for name in servers}
    of_redis: list[float] = []
    for number in range(options.rounds + 1):
        own = cycles if number else cycles // 4 + 1  # the first round warms up
        for name, (process, scene) in servers.items():
            before = cpu_seconds(peer.pid)
            loads = [unary_load(scene, worker, own) for worker in range(flight)]
            found = cost(process.pid, scene.port, loads, own * flight)
            if number:
                costs[name].append(found)
                if name != "without":
                    of_redis.append((cpu_seconds(peer.pid) - before) / (own * flight) * 1e6)
    for process, _ in servers.values():
        process.communicate()
    ratio = statistics.median(
        beside / without for without, beside in zip(costs["without"], costs["beside Redis"], strict=True)
    )
    print(
        f"Next and Submit, {flight} in flight: {statistics.median(costs['without']):.0f} server µs a cycle"
        f" without Redis, {statistics.median(costs['beside Redis']):.0f} beside it: {ratio:.2f} times;"
        f" and {statistics.median(of_redis):.0f} µs of Redis' own"
    )


def measure(program: str, options: argparse.Namespace) -> None:
    before = os.getloadavg()[0]
    with redis_server(program, FORGETFUL) as peer, tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "password"
        secret.write_text(peer.password)
        settings = RedisSettings(server=f"127.0.0.1:{peer.port}", password_file=secret, timeout_ms=5000)
        asyncio.run(measure_flushes(settings, peer.password, options.workers, options.flushes))
        measure_calls(settings.model_copy(update={"namespace": "calls"}), peer, options)
    print(f"{os.cpu_count()} CPUs, load average {before:.1f} before and {os.getloadavg()[0]:.1f} after")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=100_000)
    parser.add_argument("--flushes", type=int, default=3)
    parser.add_argument("--cycles", type=int, default=6000, help="in each round, of each server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--open", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--redis", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        redis = RedisSettings.model_validate_json(options.redis) if options.redis else None
        asyncio.run(serve(redis, options.in_flight, options.open))
        return
    program = redis_program()
    if program is None:
        sys.exit(f"Redis is not installed: {REDIS_HINT}")
    # Also whoever ends us early finds no server left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    measure(program, options)


if __name__ == "__main__":
    main()
