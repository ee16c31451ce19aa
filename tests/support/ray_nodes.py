"""Several Ray nodes on one machine, each in network and process namespaces of its own, with its own address.

Needs root (or whatever lets one make namespaces) and Debian's iproute2; `why_not` says what is missing.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.processes import PYTHONPATH, REPOSITORY
from tests.support.program import COMMAND

RAY = Path(sys.executable).parent / "ray"

HEAD_PORT = 6379

REDIS_PORT = 6380

PATIENCE_S = 60.0

MOUNTED = 'mount --bind "$0" "$1" && shift && exec "$@"'
"""Runs a program that sees a directory behind another."""

PROGRAMS = ("ip", "unshare", "nsenter", "redis-server")


def why_not() -> str | None:
    """What is missing here, if anything."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"no {', '.join(missing)} here (Debian: iproute2, util-linux, redis-server)"
    probe = subprocess.run(["unshare", "--net", "--pid", "--fork", "true"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "namespaces cannot be made here: it takes root"


def _ip(*words: str) -> None:
    ran = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"ip {' '.join(words)}: {ran.stderr}"


class Node:
    """A namespace with an address, and what runs in it."""

    def __init__(self, network: Network, number: int) -> None:
        self.network = network
        self.name = f"{network.name}n{number}"
        self.address = f"{network.prefix}.{number + 1}"
        self.link = f"{self.name}v"
        self.process: subprocess.Popen[bytes] | None = None
        self.disk.mkdir()
        _ip("netns", "add", self.name)
        _ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("link", "set", self.link, "master", network.name, "up")
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
            # Ray takes for its own the address from which it would reach the world.
            ("route", "add", "default", "via", f"{network.prefix}.254"),
        ):
            _ip("-n", self.name, *words)

    def start(self, *words: str) -> None:
        """Start Ray on it; returns at once."""
        network = ["ip", "netns", "exec", self.name]
        inside = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        disk = [
            "sh",
            "-c",
            'mount --bind "$0" "$1" && shift && exec "$@"',
            str(self.disk),
            str(self.network.disk),
        ]
        ray = [str(RAY), "start", "--block", f"--node-ip-address={self.address}", "--num-cpus=1"]
        quiet = ["--disable-usage-stats", "--object-store-memory=80000000"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*network, *inside, *disk, *ray, *quiet, f"--temp-dir={self.temp}", *words],
                env=self.network.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def has_ended(self) -> bool:
        """Whether its Ray does not run, or no longer."""
        return self.process is None or self.process.poll() is not None

    def wait(self) -> None:
        """Wait until its Ray runs."""
        until(f"Ray runs on {self.address}", self.runs)

    def runs(self) -> bool:
        """Whether its Ray has started."""
        return "Ray runtime started" in self.log.read_text()

    @property
    def disk(self) -> Path:
        """What the network's disk is on it."""
        return self.network.folder / f"{self.name}.disk"

    @property
    def log(self) -> Path:
        """What Ray's start says."""
        return self.network.folder / f"{self.name}.log"

    @property
    def temp(self) -> Path:
        """Where its Ray keeps sockets and logs; short, because sockets have short names."""
        return self.network.temp / self.name

    def kill(self) -> None:
        """Kill everything in it."""
        if self.process is not None:
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def pids(self) -> dict[int, int]:
        """The processes in it: what each is called in here, by what it is called outside."""
        found = {}
        ours = self._namespace
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                with contextlib.suppress(OSError):
                    if (process / "ns" / "net").readlink() == ours:
                        names = next(
                            line
                            for line in (process / "status").read_text().splitlines()
                            if line.startswith("NSpid:")
                        ).split()
                        found[int(process.name)] = int(names[-1])
        return found

    @cached_property
    def _namespace(self) -> Path:
        ran = subprocess.run(
            ["ip", "netns", "exec", self.name, "readlink", "/proc/self/ns/net"],
            capture_output=True,
            text=True,
            check=True,
        )
        return Path(ran.stdout.strip())

    def outside(self, pid: int) -> int:
        """What a process is called outside, by what it is called in here."""
        return next(outside for outside, inside in self.pids().items() if inside == pid)

    def signal(self, pid: int, sent: signal.Signals) -> None:
        """Send a signal to a process by what it is called in here."""
        os.kill(self.outside(pid), sent)

    def running(self, program: str) -> list[int]:
        """The processes in it with a word in their command line, by what they are called in here."""
        found = []
        for outside, inside in self.pids().items():
            with contextlib.suppress(OSError):
                if program in Path(f"/proc/{outside}/cmdline").read_text():
                    found.append(inside)
        return found

    def words(self, pid: int) -> str:
        """What a process of Ray's in it has said."""
        return "".join(log.read_text() for log in self.temp.glob(f"session_2*/logs/worker-*-{pid}.err"))

    def keep_words(self) -> None:
        """Have what all of them said where a test's other files are: its Ray's own folder is removed."""
        for log in self.temp.glob("session_2*/logs/worker-*.err"):
            shutil.copy(log, self.network.folder / f"{self.name}-{log.name}")

    def cut(self) -> None:
        """Let nothing in or out."""
        _ip("link", "set", self.link, "down")

    def mend(self) -> None:
        """Let everything in and out again."""
        _ip("link", "set", self.link, "up")

    def command(self, *words: str) -> list[str]:
        """The words that run a program on it.

        In all its namespaces: Ray's client belongs to a node that it finds among the processes that it sees,
        to the head's before any other, and dies with that node.
        """
        assert self.process is not None
        starter = self.process.pid  # `unshare`, which itself stays outside
        first = Path(f"/proc/{starter}/task/{starter}/children").read_text().split()[0]
        return ["nsenter", f"--target={first}", "--net", "--pid", "--mount", *words]


class Network:
    """A bridge with a Redis on it, and nodes; the first is the head."""

    def __init__(self, folder: Path, nodes: int) -> None:
        self.folder = folder
        self.name = f"cr{secrets.token_hex(2)}"
        self.prefix = f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"
        self.temp = Path("/tmp") / self.name
        self.disk = folder / "disk"
        """A directory that each node has a disk of its own behind."""
        self.disk.mkdir()
        password = secrets.token_hex(16)
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("RAY_", "CROWDROUTE_"))
            },
            "HOME": str(folder),
            "PYTHONPATH": PYTHONPATH,
            "RAY_AUTH_MODE": "token",
            "RAY_kill_worker_timeout_milliseconds": "1000",
            # Brokers and clients share the processors with them here, and are not to go before them.
            "RAY_worker_niceness": "0",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "2000",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_REDIS_ADDRESS": f"{self.prefix}.254:{REDIS_PORT}",
            "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(REPOSITORY / ".numba-cache")),
        }
        self._password = password
        _ip("link", "add", self.name, "type", "bridge")
        _ip("addr", "add", f"{self.prefix}.254/24", "dev", self.name)
        _ip("link", "set", self.name, "up")
        self.redis = subprocess.Popen(
            [
                *("redis-server", "--bind", f"{self.prefix}.254", "--port", str(REDIS_PORT)),
                *("--requirepass", password, "--save", "", "--dir", str(folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        self.nodes = [Node(self, number) for number in range(nodes)]

    @property
    def head(self) -> Node:
        """The node that Ray's head runs on."""
        return self.nodes[0]

    @property
    def outside(self) -> str:
        """The address of this machine, as nodes see it."""
        return f"{self.prefix}.254"

    @property
    def address(self) -> str:
        """Where Ray's head is."""
        return f"{self.head.address}:{HEAD_PORT}"

    def start_head(self) -> None:
        """Start the head; returns at once."""
        self.head.start(
            "--head", "--include-dashboard=false", f"--port={HEAD_PORT}", f"--redis-password={self._password}"
        )

    def start(self) -> None:
        """Start Ray on every node, and wait for it: a client takes the head for its node until its own is
        there."""
        self.start_head()
        for node in self.nodes[1:]:
            node.start(f"--address={self.address}")
        for node in self.nodes:
            node.wait()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `crowdroute cluster` on the second node."""
        return subprocess.run(
            self.nodes[1].command(*COMMAND, "cluster", *words, "--ray", self.address),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def node_at(self, address: str) -> Node:
        """The node with an address, or the one that host:port is on."""
        return next(node for node in self.nodes if node.address == address.partition(":")[0])

    def close(self) -> None:
        """End everything and take the network down."""
        for node in self.nodes:
            node.kill()
            node.keep_words()
            _ip("netns", "delete", node.name)
        self.redis.kill()
        self.redis.wait()
        _ip("link", "delete", self.name)
        shutil.rmtree(self.temp, ignore_errors=True)


@contextlib.contextmanager
def ray_nodes(folder: Path, nodes: int) -> Iterator[Network]:
    """Give a network of Ray nodes that run."""
    network = Network(folder, nodes)
    try:
        network.start()
        yield network
    finally:
        network.close()


def until(what: str, look: Any, patience_s: float = PATIENCE_S) -> Any:
    """Look again and again until something is seen, and give it.

    Raises:
        AssertionError: it was not seen in time.
    """
    end = time.monotonic() + patience_s
    while True:
        if seen := look():
            return seen
        assert time.monotonic() < end, f"not within {patience_s:.0f} s: {what}"
        time.sleep(0.1)
