"""Redis and PostgreSQL, started in a temporary folder on a free loopback port and stopped again.

Both flush every answered write to disk unless told otherwise, and nothing else is changed from their defaults
but what a benchmark does not need (Redis: snapshots, PostgreSQL: its Unix socket). Each asks for a password
made for this one run.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

REDIS_HINT = "apt-get install redis-server; pip install redis"
POSTGRES_HINT = "apt-get install postgresql; pip install 'psycopg[binary]'"
POSTGRES_FOLDERS = "usr/lib/postgresql/*/bin"
"""Where Debian keeps the programs of the server: not on PATH."""

UNPRIVILEGED = ("postgres", "nobody")
"""Whom PostgreSQL runs as when we are root, which it refuses: the first that exists."""

SPARE_CONNECTIONS = 10
"""For PostgreSQL's own needs and for the one that fills the queue."""

START_SECONDS = 30.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02
TICK = os.sysconf("SC_CLK_TCK")


class Peer(msgspec.Struct, frozen=True):
    """A server that runs: its first process, where it listens, and what opens it."""

    pid: int
    port: int
    password: str


class ServerFailed(Exception):
    """A server did not start or did not stop."""


def redis_program() -> str | None:
    """Give the path of redis-server, or nothing where it or its Python client is missing."""
    return shutil.which("redis-server") if importlib.util.find_spec("redis") else None


def postgres_programs() -> Path | None:
    """Give the folder of PostgreSQL's programs, or nothing where they or psycopg are missing.

    The one on PATH goes before Debian's, and of those the newest.
    """
    if not importlib.util.find_spec("psycopg"):
        return None
    found = sorted(Path("/").glob(f"{POSTGRES_FOLDERS}/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve())
    return found[-1].parent if found else None


DURABLE = "appendonly yes\nappendfsync always\n"
"""Of Redis: what was answered is on disk."""

FORGETFUL = "appendonly no\n"
"""Of Redis: nothing is on disk."""


@contextmanager
def redis_server(program: str, persistence: str = DURABLE) -> Iterator[Peer]:
    """Run Redis; `persistence` says what outlives it."""
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as made:
        port, password = free_port(), secrets.token_hex()
        settings = f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {made}\n{persistence}save ""\n'
        # Read from standard input: the password stands on no command line.
        with _running([program, "-"], Path(made), settings) as process:
            _await(process, lambda: _listens(port), Path(made))
            yield Peer(process.pid, port, password)


@contextmanager
def postgres_server(programs: Path, clients: int) -> Iterator[Peer]:
    """Run PostgreSQL with `synchronous_commit = on`, for this many clients."""
    owner = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="bench-postgres-") as made:
        folder, port, password = Path(made), free_port(), secrets.token_hex()
        secret = folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(password)
        if owner is not None:
            for path in (folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        initdb = [f"{programs}/initdb", f"--pgdata={data}", "--username=bench", f"--pwfile={secret}"]
        initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
        with _running(initdb, folder, owner=owner) as process:
            if process.wait(START_SECONDS):
                raise ServerFailed(f"initdb failed:\n{_log(folder)}")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "max_connections": clients + SPARE_CONNECTIONS,
            "synchronous_commit": "on",
        }
        serve = [f"{programs}/postgres", "-D", str(data)]
        for name, value in settings.items():
            serve += ["-c", f"{name}={value}"]
        with _running(serve, folder, owner=owner) as process:
            # Its first lines come before it accepts connections; this one, when it does.
            _await(process, lambda: (data / "postmaster.pid").exists() and _is_ready(data), folder)
            yield Peer(process.pid, port, password)


def free_port() -> int:
    """Give a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of a process and all its descendants, the ended ones included."""
    stats: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile: its parent has its time
        # Of itself and of the children it has waited for: utime, stime, cutime, cstime of proc(5).
        stats[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    family = {pid}
    while more := {one for one, (parent, _) in stats.items() if parent in family} - family:
        family |= more
    return sum(stats[one][1] for one in family) / TICK


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid():
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in UNPRIVILEGED:
        if name in names:
            return names[name]
    raise ServerFailed(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


@contextmanager
def _running(
    command: list[str], folder: Path, settings: str = "", owner: pwd.struct_passwd | None = None
) -> Generator[subprocess.Popen[str]]:
    """Run a program in a folder until the caller is done with it, then interrupt it and wait."""
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            text=True,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
    try:
        assert process.stdin is not None
        process.stdin.write(settings)
        process.stdin.close()
        yield process
    finally:
        if process.poll() is None:
            # Redis: save and leave. PostgreSQL: end all sessions and leave.
            process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServerFailed(
                f"{command[0]} did not stop in {STOP_SECONDS:.0f} s:\n{_log(folder)}"
            ) from None


def _await(process: subprocess.Popen[str], ready: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"{process.args!r} did not start:\n{_log(folder)}")
        time.sleep(POLL_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_ready(data: Path) -> bool:
    """Read PostgreSQL's own word in the last line of its lock file, which pg_ctl reads too."""
    return (data / "postmaster.pid").read_text().rstrip().endswith("ready")


def _log(folder: Path) -> str:
    return (folder / "log").read_text()[-2000:]
