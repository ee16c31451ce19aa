"""CPU of the whole server per label cycle, beside bare gRPC echo calls; and the wait for a task.

    python benchmarks/bench_rpc_cycle.py [--cycles 6000] [--rounds 3] [--in-flight 64] [--open 20000 ...]

A cycle is: ask for a task, get it with its content, answer it, get the receipt, all durable in SQLite. The
reference is a bare grpc.aio server that gives 200 bytes back. Each server is a process of its own; the load
comes from this process, with the same lean client for all. CPU is what /proc charges to all threads of the
server process, so it is the same whether the machine is busy or not; rounds alternate, and the median counts.
The last column is the p99 of the time that one call of Next takes with nothing else under way.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import grpc
import msgspec
from labelling import LABELS, TENANT, begin_labelling
from lean_grpc import Connection, Load, Stub

from crowdroute.api.v1 import annotation_pb2, assignments_pb2, types_pb2, work_pb2
from crowdroute.router.commands.project import AddTasks, NewTask
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model import content
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.ports import ContentChange, Tracer
from crowdroute.router.rpc.convert.content import encode_item
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import LimitSettings, Settings

ECHO_BYTES = 200
ACCURACY = 0.85
IMPORT_ROWS = 1000
SERVICE = f"/{annotation_pb2.DESCRIPTOR.services_by_name['AnnotationService'].full_name}"
TICK = os.sysconf("SC_CLK_TCK")


class Scene(msgspec.Struct):
    """What the load needs to know of a server."""

    port: int
    project: str = ""
    bearers: list[str] = []


# The servers


async def serve_echo() -> None:
    """Give back what comes."""

    async def echo(message: bytes, _context: object) -> bytes:
        return message

    server = grpc.aio.server()
    handlers = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await announce(Scene(port))
    await server.stop(0)


async def serve_engine(
    workers: int,
    tasks: int,
    tracer: Tracer | None = None,
    opened: Callable[[Path], AbstractAsyncContextManager[ShardGroup]] = embedded_group,
) -> None:
    """Serve an engine with this many open tasks; `opened` opens it in a directory."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(address="127.0.0.1:0", grace_seconds=1, limits=LimitSettings(calls_per_second=0))
        server = Server(settings, tracer=tracer)
        await server.start()
        async with opened(Path(directory)) as group:
            engine = group.engines[0]
            scene = await prepare(engine, workers, tasks)
            scene.port = server.port
            await server.serve(group)
            await announce(scene)
            await server.stop()


async def prepare(engine: Engine, workers: int, tasks: int) -> Scene:
    project, bearers = await begin_labelling(engine, workers)
    stream = project_stream(TENANT, project)
    for begin in range(0, tasks, IMPORT_ROWS):
        rows, contents = [], []
        for number in range(begin, min(begin + IMPORT_ROWS, tasks)):
            text = f"{number}: a picture of an animal that somebody took on the way to work".ljust(ECHO_BYTES)
            body = encode_item(ItemContent("", (Part("text", "text/plain", text, language="en"),)))
            item = engine.new_id()
            rows.append(NewTask(item, engine.new_id(), digest=engine.digest(body)))
            contents.append(ContentChange(content.item(item), body))
        await engine.submit(engine.request(stream, AddTasks(tuple(rows))), contents)
    return Scene(0, to_text(Kind.PROJECT, project), [*bearers])


async def announce(scene: Scene) -> None:
    """Tell the load that all is ready, and wait until it is done."""
    print(msgspec.json.encode(scene).decode(), flush=True)
    await asyncio.to_thread(sys.stdin.read)


# The load


def start(*arguments: str, program: str = __file__) -> tuple[subprocess.Popen[bytes], Scene]:
    command = (sys.executable, program, *arguments)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, msgspec.json.decode(process.stdout.readline(), type=Scene)


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of all threads of a process, living and gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cost(pid: int, port: int, loads: list[Load], cycles: int) -> float:
    """Give the server's CPU per cycle in microseconds."""
    connection = Connection(port)
    before = cpu_seconds(pid)
    connection.run(loads)
    spent = cpu_seconds(pid) - before
    connection.close()
    return spent / cycles * 1e6


def echo_load(cycles: int) -> Load:
    stub, body = Stub("/bench.Echo/Echo"), b"x" * ECHO_BYTES
    for _ in range(cycles):
        yield stub, body, False


def chosen(offer: assignments_pb2.Offer) -> dict[str, types_pb2.Value]:
    """Answer as a worker does who is right most of the time."""
    right = int(offer.content[0].text.partition(":")[0]) % len(LABELS)
    code = right if random.random() < ACCURACY else random.randrange(len(LABELS))
    return {"label": types_pb2.Value(label=LABELS[code])}


def submission(offer: assignments_pb2.Offer) -> assignments_pb2.SubmitRequest:
    return assignments_pb2.SubmitRequest(
        project_id=offer.project_id,
        assignment_id=offer.assignment_id,
        lease_token=offer.lease_token,
        answers=chosen(offer),
    )


def unary_load(scene: Scene, number: int, cycles: int, times: list[float] | None = None) -> Load:
    bearer = scene.bearers[number]
    ask, send = Stub(f"{SERVICE}/Next", bearer), Stub(f"{SERVICE}/Submit", bearer)
    wanted = assignments_pb2.NextRequest(project_id=scene.project, count=1).SerializeToString()
    for _ in range(cycles):
        begun = time.perf_counter()
        raw = yield ask, wanted, False
        if times is not None:
            times.append(time.perf_counter() - begun)
        (offer,) = assignments_pb2.NextResponse.FromString(raw).offers
        raw = yield send, submission(offer).SerializeToString(), False
        assert assignments_pb2.SubmitResponse.FromString(raw).receipt == assignments_pb2.RECEIPT_ACCEPTED


def stream_load(scene: Scene, number: int, cycles: int) -> Load:
    stub = Stub(f"{SERVICE}/Work", scene.bearers[number], timeout="")
    hello = work_pb2.Hello(project_id=scene.project, credits=1, resume=True)
    message = work_pb2.WorkRequest(sequence=1, hello=hello)
    accepted = 0
    while True:
        response = work_pb2.WorkResponse.FromString((yield stub, message.SerializeToString(), True))
        accepted += sum(reply.HasField("submit") for reply in response.replies)
        if accepted == cycles:
            return
        (offer,) = (*response.offers, *(one.offer for one in response.resumed))
        message = work_pb2.WorkRequest(sequence=accepted + 2, submit=submission(offer))


def measure(options: argparse.Namespace) -> None:
    echo, echo_scene = start("--serve-echo")
    flight, cycles = options.in_flight, options.cycles // options.in_flight
    print(
        f"{'open tasks':>10} {'echo µs':>9} {'unary µs':>9} {'ratio':>6} {'stream µs':>9} {'ratio':>6}"
        f" {'Next p99 ms':>12}"
    )
    for tasks in options.open:
        engine, scene = start("--serve-engine", "--in-flight", str(flight), "--open", str(tasks))
        times: list[float] = []
        cost(engine.pid, scene.port, [unary_load(scene, 0, options.calls, times)], options.calls)
        costs: dict[str, list[float]] = {"echo": [], "unary": [], "stream": []}
        for number in range(options.rounds + 1):
            own = cycles if number else cycles // 4 + 1  # the first round warms up
            loads = {
                "echo": (echo.pid, echo_scene.port, [echo_load(2 * own) for _ in range(flight)], 2),
                "unary": (engine.pid, scene.port, [unary_load(scene, n, own) for n in range(flight)], 1),
                "stream": (engine.pid, scene.port, [stream_load(scene, n, own) for n in range(flight)], 1),
            }
            for name, (pid, port, load, factor) in loads.items():
                found = cost(pid, port, load, own * flight * factor)
                if number:
                    costs[name].append(found)
        median = {name: statistics.median(values) for name, values in costs.items()}
        print(
            f"{tasks:>10} {median['echo']:>9.0f}"
            f" {median['unary']:>9.0f} {median['unary'] / median['echo']:>6.2f}"
            f" {median['stream']:>9.0f} {median['stream'] / median['echo']:>6.2f}"
            f" {statistics.quantiles(times, n=100)[98] * 1e3:>12.2f}",
            flush=True,
        )
        engine.communicate()
    echo.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--open", type=int, nargs="+", default=[20_000])
    parser.add_argument("--serve-echo", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve-engine", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_echo:
        asyncio.run(serve_echo())
    elif options.serve_engine:
        asyncio.run(serve_engine(options.in_flight, options.open[0]))
    else:
        # Every task takes two answers at least; unary calls and streams answer as often as each other.
        needed = int((options.rounds + 0.25) * options.cycles) + options.calls // 2
        if needed > min(options.open):
            parser.error(f"--open {min(options.open)} tasks do not last: give at least {needed}")
        measure(options)


if __name__ == "__main__":
    main()
