"""Label cycles per second of the gRPC service, beside bare gRPC echo calls and three common task queues.

    python benchmarks/bench_queues.py [--cycles 6000] [--rounds 3] [--in-flight 64] [--open 20000]

A cycle is: take a task with its content of 200 bytes, answer it, know that the answer is on disk. The echo
is one bare grpc.aio call of 200 bytes. The queues are a Redis list (LMOVE to a second list; LREM and RPUSH
of the answer in one transaction; `appendfsync always`), a Redis stream (XREADGROUP; XACK and XADD of the
answer in one transaction) in the same server, and a PostgreSQL table (FOR UPDATE SKIP LOCKED; each
step one transaction, `synchronous_commit = on`). They are measured if installed, and started here, in a
temporary folder: the environment's TMPDIR says on which disk, for all servers.

All servers run at once and take turns; the median of the rounds counts, and the p50 and p99 of the wait for
a task are those of all rounds. A take of the Work stream is all of its cycle, for one message carries the
answer there, and its receipt comes back with the next task. "server µs" is the CPU of all processes of a
server per cycle, "load µs" that of this process; "of echo" compares with the echo of the same rounds.

Each queue is measured twice: with the client that Python programs use, and bare (a socket, or libpq), with a
load about as light as the lean client of the gRPC rows. The servers have the same work from both.

Comparable: the CPU of the servers, for all answer only when the disk has it, and one flush may serve many;
and the cycles per second of the bare and the gRPC rows. Where "load µs" is high, the client is what is
full, not the server. The gRPC rows share one connection, the queues have one for each in flight.

Not comparable: what a cycle does. The queues give out the oldest task, and keep one answer for it. They
check no skill and no token, may give a worker what they had before, take no lease back, keep no ledger and
aggregate nothing; whoever needs that builds it on top, and pays for it there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench_rpc_cycle import echo_load, start, stream_load, unary_load
from lean_grpc import Connection, Load
from peer_servers import (
    POSTGRES_HINT,
    REDIS_HINT,
    cpu_seconds,
    postgres_programs,
    postgres_server,
    redis_program,
    redis_server,
)
from queue_load import BareWorker, Key, Worker, bare_work_all, close_all, task_text, work_all

ECHO = "bare grpc.aio echo"


class Turn(NamedTuple):
    """What one round of one server cost, per cycle in seconds, and how long each take was."""

    wall: float
    server: float
    load: float
    takes: list[float]


Side = Callable[[int], Turn]
"""Goes through this many cycles with each worker."""


def measured(pid: int, cycles: int, takes: list[float], run: Callable[[], object]) -> Turn:
    server, load, begun = cpu_seconds(pid), time.process_time(), time.perf_counter()
    run()
    wall, load = time.perf_counter() - begun, time.process_time() - load
    return Turn(wall / cycles, (cpu_seconds(pid) - server) / cycles, load / cycles, takes)


# The gRPC service and the echo


def timed(load: Load, calls: int, takes: list[float]) -> Load:
    """Keep the time of the first call of every cycle of so many calls."""
    call, number = next(load), 0
    while True:
        begun = time.perf_counter()
        response = yield call
        if number % calls == 0:
            takes.append(time.perf_counter() - begun)
        number += 1
        try:
            call = load.send(response)
        except StopIteration:
            return


def grpc_side(pid: int, port: int, flight: int, calls: int, load: Callable[[int, int], Load]) -> Side:
    """Give the side whose worker number N does its cycles by `load(N, cycles)`."""

    def turn(cycles: int) -> Turn:
        takes: list[float] = []
        loads = [timed(load(number, cycles), calls, takes) for number in range(flight)]
        connection = Connection(port)
        found = measured(pid, cycles * flight, takes, lambda: connection.run(loads))
        connection.close()
        return found

    return turn


def grpc_sides(stack: ExitStack, flight: int, tasks: int) -> dict[str, Side]:
    process, scene = start("--serve-echo")
    stack.callback(process.communicate)
    echo = grpc_side(process.pid, scene.port, flight, 1, lambda _, cycles: echo_load(cycles))
    # Both ways to work answer from the same tasks: each takes two answers or more.
    process, scene = start("--serve-engine", "--in-flight", str(flight), "--open", str(tasks))
    stack.callback(process.communicate)
    pid, port = process.pid, scene.port
    unary = grpc_side(pid, port, flight, 2, lambda number, cycles: unary_load(scene, number, cycles))
    stream = grpc_side(pid, port, flight, 1, lambda number, cycles: stream_load(scene, number, cycles))
    return {ECHO: echo, "crowdroute, Next and Submit": unary, "crowdroute, Work stream": stream}


# The queues


def usual_side(stack: ExitStack, pid: int, runner: asyncio.Runner, workers: list[Worker[Key]]) -> Side:
    """Give the side of a queue with its usual client; the workers stay connected as long as the stack."""
    stack.callback(lambda: runner.run(close_all(workers)))

    def turn(cycles: int) -> Turn:
        takes: list[float] = []
        count = cycles * len(workers)
        return measured(pid, count, takes, lambda: runner.run(work_all(workers, cycles, takes)))

    return turn


def bare_side(stack: ExitStack, pid: int, workers: list[BareWorker[Key]]) -> Side:
    """Give the side of a queue with hardly a client."""
    for worker in workers:
        stack.callback(worker.close)

    def turn(cycles: int) -> Turn:
        takes: list[float] = []
        count = cycles * len(workers)
        return measured(pid, count, takes, lambda: bare_work_all(workers, cycles, takes))

    return turn


def redis_sides(stack: ExitStack, program: str, flight: int, texts: list[str]) -> dict[str, Side]:
    from redis_queue import BareRedisWorker, RedisWorker
    from redis_stream import BareRedisStreamWorker, RedisStreamWorker

    peer = stack.enter_context(redis_server(program))
    runner = stack.enter_context(asyncio.Runner())
    workers = [runner.run(RedisWorker.connect(peer)) for _ in range(flight)]
    runner.run(workers[0].fill(texts))
    streamers = [runner.run(RedisStreamWorker.connect(peer)) for _ in range(flight)]
    runner.run(streamers[0].fill(texts))
    return {
        "Redis list, redis-py": usual_side(stack, peer.pid, runner, [*workers]),
        "Redis list, bare": bare_side(stack, peer.pid, [BareRedisWorker(peer) for _ in range(flight)]),
        "Redis stream, redis-py": usual_side(stack, peer.pid, runner, [*streamers]),
        "Redis stream, bare": bare_side(
            stack, peer.pid, [BareRedisStreamWorker(peer) for _ in range(flight)]
        ),
    }


def postgres_sides(stack: ExitStack, programs: Path, flight: int, texts: list[str]) -> dict[str, Side]:
    from postgres_queue import BarePostgresWorker, PostgresWorker

    peer = stack.enter_context(postgres_server(programs, 2 * flight))
    runner = stack.enter_context(asyncio.Runner())
    workers = [runner.run(PostgresWorker.connect(peer)) for _ in range(flight)]
    runner.run(workers[0].fill(texts))
    return {
        "PostgreSQL, psycopg": usual_side(stack, peer.pid, runner, [*workers]),
        "PostgreSQL, bare": bare_side(stack, peer.pid, [BarePostgresWorker(peer) for _ in range(flight)]),
    }


# The table


def report(turns: dict[str, list[Turn]], missing: dict[str, str]) -> None:
    print(
        f"{'':<28} {'cycles/s':>9} {'of echo':>8} {'take p50 ms':>12} {'p99 ms':>8}"
        f" {'server µs':>10} {'of echo':>8} {'load µs':>8}"
    )
    echo = turns[ECHO]
    for name, own in turns.items():
        wall = statistics.median(turn.wall for turn in own)
        server = statistics.median(turn.server for turn in own)
        load = statistics.median(turn.load for turn in own)
        rate = statistics.median(one.wall / turn.wall for one, turn in zip(echo, own, strict=True))
        ratio = statistics.median(turn.server / one.server for one, turn in zip(echo, own, strict=True))
        cuts = statistics.quantiles((take for turn in own for take in turn.takes), n=100)
        print(
            f"{name:<28} {1 / wall:>9,.0f} {rate:>8.3f} {cuts[49] * 1e3:>12.2f} {cuts[98] * 1e3:>8.2f}"
            f" {server * 1e6:>10.0f} {ratio:>8.2f} {load * 1e6:>8.0f}"
        )
    for name, hint in missing.items():
        print(f"{name:<28} not installed: {hint}")


def measure(options: argparse.Namespace) -> None:
    flight, cycles = options.in_flight, options.cycles // options.in_flight
    warm_up = cycles // 4 + 1
    total = flight * (warm_up + options.rounds * cycles)
    sides: dict[str, Side] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        sides |= grpc_sides(stack, flight, options.open + total)
        # Two clients take from the same queue.
        texts = [task_text(number) for number in range(options.open + 2 * total)]
        if program := redis_program():
            sides |= redis_sides(stack, program, flight, texts)
        else:
            missing["Redis"] = REDIS_HINT
        if programs := postgres_programs():
            sides |= postgres_sides(stack, programs, flight, texts)
        else:
            missing["PostgreSQL"] = POSTGRES_HINT
        turns: dict[str, list[Turn]] = {name: [] for name in sides}
        loads = [os.getloadavg()[0]]
        for number in range(options.rounds + 1):
            for name, side in sides.items():
                turn = side(cycles if number else warm_up)  # the first round warms up
                if number:
                    turns[name].append(turn)
        loads.append(os.getloadavg()[0])
    print(
        f"{cycles * flight:,} cycles a round, {options.rounds} rounds, {flight} in flight,"
        f" {options.open:,} open tasks; {os.cpu_count()} CPUs,"
        f" load average {loads[0]:.1f} before and {loads[1]:.1f} after"
    )
    report(turns, missing)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=6000, help="in each round, of each server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--open", type=int, default=20_000, help="tasks that are left at the end")
    options = parser.parse_args()
    # Also whoever ends us early finds no server left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    measure(options)


if __name__ == "__main__":
    main()
