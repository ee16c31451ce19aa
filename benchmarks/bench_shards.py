"""What several shards cost: CPU of the servers per label cycle, forwarded beside direct, two beside apart.

    python benchmarks/bench_shards.py [--cycles 3200] [--rounds 5] [--in-flight 32]

Four processes of `crowdroute serve` run: two with a shard each that are peers of one another, and two that
know nothing of each other. Each has a project with the same tasks. The loads, of `bench_rpc_cycle.py`, in
turns:

    direct      the second shard's project, asked for at the process that has it
    forwarded   the same project, asked for at the other process
    together    both shards' projects at once, each asked for where it is
    apart       the two unrelated servers' projects at once; as many in flight at each

CPU is what /proc charges to all threads of all four servers. The ratios are forwarded to direct, and together
to apart; rounds alternate, and the median of the rounds' ratios counts.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
from bench_rpc_cycle import ECHO_BYTES, Scene, cpu_seconds, stream_load, unary_load
from lean_grpc import Connection as Lean
from lean_grpc import Load

from crowdroute.api.v1 import projects_pb2, tasks_pb2, tokens_pb2, types_pb2
from crowdroute.client import Client, Connection

FORWARDED_TARGET, TOGETHER_TARGET = 2.5, 1.15
IMPORT_ROWS = 1000
START_SECONDS = 120.0
LOADS: dict[str, Callable[[Scene, int, int], Load]] = {"unary": unary_load, "stream": stream_load}
OWNER = "crowdroute-owner"
"""Trailing metadata of a call that was forwarded."""

RULES = """\
schema: crowdroute.rules/v1
labels:
  - {id: cat, title: Cat}
  - {id: dog, title: Dog}
  - {id: bird, title: Bird}
  - {id: none, title: None of them}
guideline: Say which animal it is.
quality:
  overlap: {minimum: 2, maximum: 5}
money:
  crowd: "0.02"
routing:
  lease: {per_worker: 100}
"""


def free_ports(count: int) -> list[int]:
    """Give ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Servers:
    """The four processes, in the order home, away, first apart, second apart."""

    def __init__(self, folder: Path) -> None:
        """Start them; `close` ends them."""
        ports = free_ports(6)
        self.ports, private = ports[:4], ports[4:]
        self.directories = [folder / name for name in ("home", "away", "one", "other")]
        secret = folder / "peers.secret"
        secret.write_text("0123456789abcdef" * 4)
        self.processes = []
        for number, (directory, port) in enumerate(zip(self.directories, self.ports, strict=True)):
            lines = [f'address = "127.0.0.1:{port}"', f'directory = "{directory}"']
            if number < 2:
                other = 1 - number
                lines += [
                    "shards = 2",
                    "[peers]",
                    f'address = "127.0.0.1:{private[number]}"',
                    f'secret_file = "{secret}"',
                    "[[peers.others]]",
                    f"shards = [{other}]",
                    f'peers = "127.0.0.1:{private[other]}"',
                    f'public = "127.0.0.1:{self.ports[other]}"',
                ]
            lines += ["[limits]", "calls_per_second = 0"]
            config = folder / f"{directory.name}.toml"
            config.write_text("\n".join(lines) + "\n")
            program = Path(sys.executable).with_name("crowdroute")
            command = (str(program), "serve", "--config", str(config))
            said = subprocess.DEVNULL
            self.processes.append(subprocess.Popen(command, stdout=said, stderr=said))

    def token(self, number: int) -> str:
        """Give the administrator's token of a server, once it is there."""
        file = self.directories[number] / "admin.token"
        ends = time.monotonic() + START_SECONDS
        while not file.exists():
            if time.monotonic() > ends or self.processes[number].poll() is not None:
                raise SystemExit(f"the server in {self.directories[number]} does not start")
            time.sleep(0.1)
        return file.read_text().strip()

    def cpu_seconds(self) -> float:
        """Give the CPU time of all of them."""
        return sum(cpu_seconds(process.pid) for process in self.processes)

    def close(self) -> None:
        """End them."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def prepare(client: Client, port: int, name: str, workers: int, tasks: int) -> Scene:
    """Make a project with this many tasks, and a session for each worker."""
    operations = client.operations
    project = operations.CreateProject(projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES))
    bearers = []
    for number in range(workers):
        upsert = tokens_pb2.CreateWorkerSessionRequest(upsert={"external_id": f"{name}-{number}"})
        bearers.append(operations.CreateWorkerSession(upsert).bearer)
    for begin in range(0, tasks, IMPORT_ROWS):
        items = []
        for number in range(begin, min(begin + IMPORT_ROWS, tasks)):
            text = f"{number}: a picture of an animal that somebody took on the way to work".ljust(ECHO_BYTES)
            part = types_pb2.ContentPart(id="text", mime_type="text/plain", text=text, language="en")
            items.append(tasks_pb2.NewItem(external_id=str(number), content=[part]))
        operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project.id, items=items))
    return Scene(port, project.id, bearers)


def is_forwarded(scene: Scene, token: str) -> bool:
    """Say whether calls for a project go on to another process."""
    with grpc.insecure_channel(f"127.0.0.1:{scene.port}") as channel:
        ask = channel.unary_unary("/crowdroute.api.v1.OperationsService/GetStats")
        request = projects_pb2.GetStatsRequest(project_id=scene.project).SerializeToString()
        _, call = ask.with_call(request, 10.0, metadata=(("authorization", f"Bearer {token}"),))
        return any(key == OWNER for key, _ in call.trailing_metadata() or ())


def work(scenes: list[Scene], load: Callable[[Scene, int, int], Load], flight: int, each: int) -> None:
    """Do so many cycles for each worker of each scene, all scenes at once."""

    def at(scene: Scene) -> None:
        connection = Lean(scene.port)
        connection.run([load(scene, worker, each) for worker in range(flight)])
        connection.close()

    threads = [threading.Thread(target=at, args=(scene,)) for scene in scenes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def scenes(options: argparse.Namespace, folder: Path) -> Iterator[tuple[Servers, dict[str, list[Scene]]]]:
    """Give the servers, and by kind of load the scenes that it plays in."""
    servers = Servers(folder)
    try:
        tokens = [servers.token(0), servers.token(0), servers.token(2), servers.token(3)]
        tasks = 3 * len(LOADS) * (options.rounds + 1) * options.cycles // 2
        made = []
        # Projects go to the shard with fewest: the first to the one at home, the second to the other.
        for number, address in enumerate((0, 0, 2, 3)):
            place = Connection(f"127.0.0.1:{servers.ports[address]}", tokens[number])
            with Client(place) as client:
                made.append(
                    prepare(client, servers.ports[number], f"project-{number}", options.in_flight, tasks)
                )
        home, away, one, other = made
        forwarded = Scene(servers.ports[0], away.project, away.bearers)
        if is_forwarded(away, tokens[0]) or not is_forwarded(forwarded, tokens[0]):
            raise SystemExit("the projects are not where they were expected")
        yield (
            servers,
            {"direct": [away], "forwarded": [forwarded], "together": [home, away], "apart": [one, other]},
        )
    finally:
        servers.close()


def measure(options: argparse.Namespace) -> None:
    """Print the table."""
    flight, each = options.in_flight, options.cycles // options.in_flight
    with (
        tempfile.TemporaryDirectory() as folder,
        scenes(options, Path(folder)) as (servers, played),
    ):
        print(f"{'load':>8} {'direct µs':>10} {'forwarded':>10} {'ratio':>6}", end="")
        print(f" {'apart µs':>10} {'together':>10} {'ratio':>6}")
        for kind, load in LOADS.items():
            costs: dict[str, list[float]] = {name: [] for name in played}
            for number in range(options.rounds + 1):
                for name in sorted(played, reverse=bool(number % 2)):
                    before = servers.cpu_seconds()
                    work(played[name], load, flight, each)
                    spent = servers.cpu_seconds() - before
                    if number:  # the first round warms up
                        costs[name].append(spent / (each * flight * len(played[name])) * 1e6)
            print(f"{kind:>8}", end="")
            for reference, own in (("direct", "forwarded"), ("apart", "together")):
                ratio = statistics.median(b / a for a, b in zip(costs[reference], costs[own], strict=True))
                for name in (reference, own):
                    print(f" {statistics.median(costs[name]):>10.0f}", end="")
                print(f" {ratio:>6.2f}", end="")
            print(flush=True)
        print(f"targets: forwarded {FORWARDED_TARGET} times direct, together {TOGETHER_TARGET} times apart")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=3200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=32)
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
