"""A real Redis server of a test's own: killed, frozen, emptied, put back to an old dump."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE_S = 20.0


class RedisServer:
    """One server process on a port of its own, which survives its restarts."""

    def __init__(self, folder: Path, *options: str, host: str = "127.0.0.1") -> None:
        """Start it.

        Args:
            folder: where its dump lies.
            options: more settings, as on the command line of redis-server.
            host: address that it listens at.
        """
        self.folder = folder
        self.host = host
        self.options = options
        with socket.socket() as free:
            free.bind((host, 0))
            self.port: int = free.getsockname()[1]
        self.start()

    @property
    def server(self) -> str:
        """Where it is, as the settings say it."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [
                *("redis-server", "--bind", self.host, "--port", str(self.port)),
                *("--dir", str(self.folder), "--save", "", "--appendonly", "no"),
                *("--enable-debug-command", "yes", "--loglevel", "warning", *self.options),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self.say("PING"):  # whatever it says: it may want a password
                    return
            except OSError:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.01)

    def say(self, *words: str) -> str:
        """Send one command over a connection of its own; gives the first line of the answer."""
        with socket.create_connection((self.host, self.port), timeout=PATIENCE_S) as connection:
            connection.sendall((" ".join(words) + "\r\n").encode())
            with connection.makefile("rb") as stream:
                line = stream.readline()
                if not line:
                    raise ConnectionError
                return line.decode().strip()

    def evaluate(self, script: str) -> int:
        """Run a script without double quotes that returns a number."""
        answer = self.say("EVAL", f'"{script}"', "0")
        assert answer.startswith(":"), answer
        return int(answer[1:])

    def kill(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Have it answer nobody."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Have it forget everything."""
        assert self.say("FLUSHALL") == "+OK"

    def dump(self, name: str) -> None:
        """Keep what it holds now under a name."""
        assert self.say("SAVE") == "+OK"
        shutil.copyfile(self.folder / "dump.rdb", self.folder / name)

    def restart_from(self, name: str) -> None:
        """Kill it and start it with what it held when the dump was taken."""
        self.kill()
        shutil.copyfile(self.folder / name, self.folder / "dump.rdb")
        self.start()

    def load(self, name: str) -> None:
        """Put an old dump into the running server."""
        shutil.copyfile(self.folder / name, self.folder / "dump.rdb")
        assert self.say("DEBUG", "RELOAD", "NOSAVE").startswith("+OK")


def require_redis() -> None:
    """End the test without a server: a failure in CI, skipped on a laptop."""
    if shutil.which("redis-server") is not None:
        return
    what = "redis-server is not installed: apt-get install --no-install-recommends redis-server"
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@contextmanager
def redis_server(folder: Path, *options: str, host: str = "127.0.0.1") -> Iterator[RedisServer]:
    """Run a server until the block is left."""
    require_redis()
    server = RedisServer(folder, *options, host=host)
    try:
        yield server
    finally:
        server.kill()
