"""Durable appends per second through the shard loop, beside SQLite alone committing the same bytes in groups.

    python benchmarks/bench_log_append.py [--appends N] [--rounds N] [--directory DIRECTORY]

The loop decides with a core that does nothing, so what is left is the loop, the codec, the hash chain and
the log. The reference inserts bodies of the same size, one row each, and commits whatever arrived during the
last commit, with the same settings and the same kind of thread. Rounds of the two alternate; medians are
shown. CPU time per append is the steadier figure on a shared machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from crowdroute.router.adapters.codec import encode_entry
from crowdroute.router.adapters.sqlite_files import connect
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.system import SystemClock
from crowdroute.router.commands import Reply, Request
from crowdroute.router.commands.project import SubmitAnswer
from crowdroute.router.commands.replies import Received
from crowdroute.router.events import Batch, Cause, Entry
from crowdroute.router.events.project import AnswerSubmitted, EntryPosted
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.states import Account, EntryKind, Receipt
from crowdroute.router.ports import Sections
from crowdroute.router.runtime.shard_loop import ShardLoop

IN_FLIGHT = (1, 16, 64, 128)


class Measured(NamedTuple):
    """One round."""

    per_second: float
    cpu_us: float
    median_ms: float
    p99_ms: float


class IdleCore:
    """Answers every submit with the two facts that a counted and paid answer brings about."""

    def handle(self, request: Request, now_us: int) -> tuple[tuple[Entry, ...], Reply]:
        command = request.command
        assert isinstance(command, SubmitAnswer)
        counted = AnswerSubmitted(command.assignment, command.answer, Receipt.COUNTED, active_ms=4200)
        paid = EntryPosted(
            command.assignment,
            EntryKind.PIECE,
            command.worker,
            Account.LABELLING_COST,
            Account.WORKER_PAYABLE,
            50_000,
            "USD",
            command.assignment,
        )
        cause = Cause("SubmitAnswer", request.principal, request.request)
        return (Entry(request.stream, now_us, cause, (counted, paid)),), Received(Receipt.COUNTED, "", 50_000)

    def due(self, now_us: int) -> tuple[Entry, ...]:
        return ()

    def next_due_us(self) -> int | None:
        return None

    def apply(self, batch: Batch) -> None:
        pass

    def settle(self) -> None:
        pass

    def pack(self) -> dict[str, bytes]:
        return {}

    def unpack(self, sections: Sections) -> None:
        pass

    def digest(self) -> str:
        return ""

    def check(self) -> None:
        pass


REQUEST = Request(
    "prj_" + "a" * 32,
    SubmitAnswer(b"w" * 16, b"a" * 16, 7, (Choice(0, 3),)),
    principal="tok_" + "b" * 32,
    request="c" * 36,
)


async def submit_all(submit: Callable[[], Awaitable[object]], in_flight: int, appends: int) -> Measured:
    """Keep `in_flight` submits going until `appends` are durable."""
    latencies: list[float] = []
    left = appends

    async def client() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            began = time.perf_counter()
            await submit()
            latencies.append(time.perf_counter() - began)

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(in_flight)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    latencies.sort()
    return Measured(
        appends / seconds,
        cpu / appends * 1e6,
        statistics.median(latencies) * 1e3,
        latencies[int(0.99 * len(latencies))] * 1e3,
    )


async def through_the_loop(directory: Path, in_flight: int, appends: int) -> Measured:
    log = SqliteLog(directory)
    loop = ShardLoop(IdleCore(), log, SystemClock())
    loop.start()
    measured = await submit_all(lambda: loop.submit(REQUEST), in_flight, appends)
    await loop.drain()
    log.close()
    return measured


async def sqlite_alone(directory: Path, in_flight: int, appends: int) -> Measured:
    """Group commit and nothing else: rows inserted in the loop, COMMIT in a thread."""
    (entry,), _ = IdleCore().handle(REQUEST, time.time_ns() // 1000)
    body = encode_entry(entry)
    directory.mkdir()
    connection = connect(directory / "reference.db")
    connection.execute("CREATE TABLE log (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    waiting: list[asyncio.Future[None]] = []

    def submit() -> asyncio.Future[None]:
        waiter = loop.create_future()
        waiting.append(waiter)
        arrived.set()
        return waiter

    async def commit_for_ever(thread: ThreadPoolExecutor) -> None:
        while True:
            await arrived.wait()
            arrived.clear()
            group, waiting[:] = waiting[:], []
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO log (body) VALUES (?)", [(body,)] * len(group))
            await loop.run_in_executor(thread, connection.execute, "COMMIT")
            for waiter in group:
                waiter.set_result(None)

    with ThreadPoolExecutor(1) as thread:
        committing = asyncio.create_task(commit_for_ever(thread))
        measured = await submit_all(submit, in_flight, appends)
        committing.cancel()
    connection.close()
    return measured


def median(rounds: list[Measured]) -> Measured:
    return Measured(*(statistics.median(figures) for figures in zip(*rounds, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--appends", type=int, default=20_000, help="per round (1/20 of it at 1 in flight)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="on the disk to be measured")
    options = parser.parse_args()
    (entry,), _ = IdleCore().handle(REQUEST, time.time_ns() // 1000)
    size = len(encode_entry(entry))
    print(f"SQLite {sqlite3.sqlite_version}, {size} bytes per append, {options.rounds} rounds")
    print(f"{'in flight':>9}  {'':>9}  {'appends/s':>10}  {'CPU us':>7}  {'p50 ms':>7}  {'p99 ms':>7}")
    for in_flight in IN_FLIGHT:
        appends = options.appends // 20 if in_flight == 1 else options.appends
        ours: list[Measured] = []
        reference: list[Measured] = []
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory(dir=options.directory) as made:
                for run, results in ((through_the_loop, ours), (sqlite_alone, reference)):
                    directory = Path(made) / run.__name__
                    results.append(asyncio.run(run(directory, in_flight, appends)))
        loop, alone = median(ours), median(reference)
        for name, figures in (("loop", loop), ("SQLite", alone)):
            print(
                f"{in_flight:>9}  {name:>9}  {figures.per_second:>10,.0f}  {figures.cpu_us:>7.1f}"
                f"  {figures.median_ms:>7.2f}  {figures.p99_ms:>7.2f}"
            )
        ratio, cpu = loop.per_second / alone.per_second, loop.cpu_us / alone.cpu_us
        print(f"{'':>9}  {'ratio':>9}  {ratio:>10.2f}  {cpu:>7.2f}")


if __name__ == "__main__":
    main()
