"""The wait for a task while a large project's results are exported, beside the wait while they are not.

    python benchmarks/bench_exports.py [--tasks 100000] [--calls 600] [--rounds 3] [--directory DIRECTORY]

One process serves a project of many finalised tasks and some open ones from disk; a second exports its
results with annotations and contents, again and again; this one asks for tasks and answers them, one call
after the other. Rounds with and without exports alternate. The wait is what a client sees, and depends on
what else the machine does; how long the loop is held by one callback is CPU time of its thread, and does not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from asyncio.events import Handle
from pathlib import Path

import msgspec
from bench_rpc_cycle import unary_load
from labelling import TENANT, begin_labelling
from large_engine import add_tasks
from lean_grpc import Connection

from crowdroute.api.v1 import results_pb2
from crowdroute.client import Client
from crowdroute.client import Connection as Address
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.commands.organisation import IssueToken
from crowdroute.router.commands.project import ApplyRules, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.rules import Overlap
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.authentication import new_secret
from crowdroute.router.rpc.scopes import EVERY_SCOPE
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.settings import LimitSettings, Settings

WORKERS = 64
LEASES = 10
"""Tasks that a worker takes at once while the results are made."""
SPARE = 2
"""Open tasks for each call that is measured: every task takes two answers."""


class Scene(msgspec.Struct):
    """What the clients need to know."""

    port: int
    project: str
    bearers: list[str]
    exporter: str


class Held(msgspec.Struct):
    """How long the loop was held by one callback since the last time: CPU of its thread, milliseconds."""

    callbacks: int
    p99: float
    most: float


# The server


class Watched:
    """Takes the CPU time of every callback of the event loop."""

    def __init__(self) -> None:
        self._times: list[float] = []
        run = Handle._run

        def timed(handle: Handle) -> None:
            begun = time.thread_time()
            run(handle)
            self._times.append(time.thread_time() - begun)

        Handle._run = timed  # type: ignore[method-assign]

    def take(self) -> Held:
        """Give what was seen, and begin anew."""
        times, self._times = self._times, []
        return Held(len(times), statistics.quantiles(times, n=100)[98] * 1e3, max(times) * 1e3)


async def finish_tasks(engine: Engine, stream: str, workers: list[bytes], tasks: int) -> None:
    """Have every task answered twice, alike, so that each has a result."""
    turn = 0
    while engine.shard.project_state(stream).results.count < tasks:
        worker = workers[turn % len(workers)]
        turn += 1
        offered = engine.decide(engine.request(stream, RequestNext(worker, LEASES)))
        assert isinstance(offered, Offered)
        for lease in offered.leases:
            answer = SubmitAnswer(worker, lease.assignment, lease.fence, (Choice(0, 0),))
            engine.decide(engine.request(stream, answer))
        await engine.observe()


async def serve(directory: Path, tasks: int, spare: int) -> None:
    server = make_server(
        Settings(address="127.0.0.1:0", grace_seconds=1, limits=LimitSettings(calls_per_second=0))
    )
    await server.start()
    async with embedded_group(directory) as group:
        engine = group.engines[0]
        project, bearers = await begin_labelling(engine, WORKERS)
        stream = project_stream(TENANT, project)
        rules = msgspec.structs.replace(
            engine.shard.project_state(stream).rules, version=2, overlap=Overlap(2, 2)
        )
        await engine.submit(engine.request(stream, ApplyRules(rules)))
        await add_tasks(engine, stream, tasks)
        await finish_tasks(engine, stream, list(engine.organisation(TENANT).workers), tasks)
        await add_tasks(engine, stream, spare)
        token = engine.new_id()
        secret = new_secret(token)
        issue = IssueToken(token, secret.digest, "exports", EVERY_SCOPE)
        await engine.submit(engine.request(organisation_stream(TENANT), issue))
        await serve_group(server, group, ProcessJobs())
        watched = Watched()
        scene = Scene(server.port, to_text(Kind.PROJECT, project), [*bearers], secret.bearer)
        print(msgspec.json.encode(scene).decode(), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(msgspec.json.encode(watched.take()).decode(), flush=True)
        await server.stop()


# The clients


def export(scene: Scene) -> None:
    """Export all results again and again, and tell when each export has begun and how many rows it had."""
    request = results_pb2.ExportResultsRequest(
        project_id=scene.project, with_annotations=True, with_content=True
    )
    with Client(Address(f"127.0.0.1:{scene.port}", scene.exporter)) as client:
        while True:
            begun = time.perf_counter()
            for number, _ in enumerate(client.operations.ExportResults(request), 1):
                if number == 1:
                    print("begun", flush=True)
            print(f"{number / (time.perf_counter() - begun):.0f} rows/s", flush=True)


def waits(scene: Scene, number: int, calls: int) -> list[float]:
    """Give the seconds that each call of Next took, by one worker."""
    times: list[float] = []
    connection = Connection(scene.port)
    connection.run([unary_load(scene, number % WORKERS, calls, times)])  # type: ignore[arg-type]  # a Scene too
    connection.close()
    return times


def measure(directory: Path, tasks: int, calls: int, rounds: int) -> None:
    spare = SPARE * calls * (2 * rounds + 1)
    command = [sys.executable, __file__, "--directory", str(directory)]
    server = subprocess.Popen(
        [*command, "--serve", "--tasks", str(tasks), "--calls", str(spare)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    raw = server.stdout.readline()
    scene = msgspec.json.decode(raw, type=Scene)

    def held() -> Held:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("held\n")
        server.stdin.flush()
        return msgspec.json.decode(server.stdout.readline(), type=Held)

    print(f"{tasks:,} results exported with annotations and contents, load {os.getloadavg()[0]:.1f}")
    waits(scene, 0, calls)  # warms up
    times: dict[str, list[float]] = {"quiet": [], "exporting": []}
    loops: dict[str, list[Held]] = {"quiet": [], "exporting": []}
    told: list[str] = []
    for number in range(rounds):
        held()
        times["quiet"] += waits(scene, 2 * number, calls)
        loops["quiet"].append(held())
        exporting = subprocess.Popen(
            [*command, "--export", raw], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert exporting.stdout is not None
        exporting.stdout.readline()
        held()
        times["exporting"] += waits(scene, 2 * number + 1, calls)
        loops["exporting"].append(held())
        exporting.terminate()
        told += [line.strip() for line in exporting.stdout if line.endswith("rows/s\n")]
        exporting.wait()
    found = {name: statistics.quantiles(some, n=100) for name, some in times.items()}
    print(f"{'':<12} {'Next p50 ms':>12} {'p99 ms':>8} {'held p99 ms':>12} {'most ms':>8} {'callbacks':>10}")
    for name, cuts in found.items():
        some = loops[name]
        print(
            f"{name:<12} {cuts[49] * 1e3:>12.2f} {cuts[98] * 1e3:>8.2f}"
            f" {statistics.median(one.p99 for one in some):>12.3f}"
            f" {statistics.median(one.most for one in some):>8.2f} {sum(one.callbacks for one in some):>10,}"
        )
    print(
        f"ratio        {found['exporting'][49] / found['quiet'][49]:>12.2f}"
        f" {found['exporting'][98] / found['quiet'][98]:>8.2f}"
    )
    print(f"whole exports that ended meanwhile: {', '.join(told) or 'none'}")
    server.communicate("")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=600, help="of Next, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="on the disk to be measured")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--export", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.directory, options.tasks, options.calls))
    elif options.export:
        export(msgspec.json.decode(options.export, type=Scene))
    else:
        with tempfile.TemporaryDirectory(dir=options.directory) as made:
            measure(Path(made), options.tasks, options.calls, options.rounds)


if __name__ == "__main__":
    main()
