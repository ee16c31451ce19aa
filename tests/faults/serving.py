"""Starts `crowdroute serve` as a process, and ends it in every way there is."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.processes import PYTHONPATH

STARTS_IN = 120.0
"""Seconds: compiled code is made anew on a fresh checkout."""

RESTART_S = 1.0
"""Pause before a process is started again: `RestartSec` of `deploy/systemd/crowdroute.service`."""


def free_port() -> int:
    """Give a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Serving:
    """One directory and one port, with a process that comes and goes."""

    def __init__(self, directory: Path, *options: str, variables: Mapping[str, str] | None = None) -> None:
        """Prepare.

        Args:
            directory: with the log, or the copy of one.
            options: those of `tests.faults.server`.
            variables: settings, as the environment names them.
        """
        self.directory = directory
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.words: list[str] = []
        """What the processes said."""
        self.ends: list[str] = []
        """Codes of those that ended by themselves while they were kept up."""
        self._options = options
        self._variables = variables or {}
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._serves = asyncio.Event()

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process that was started last."""
        assert self._process is not None
        return self._process

    async def start(self, settings: Sequence[str] = ()) -> None:
        """Start a process and wait until it serves."""
        await self._begin(settings)
        assert self._serves.is_set(), f"it did not start: {self.words}"

    async def keep_up(self) -> None:
        """Start the next process whenever one has ended, as systemd would; runs until it is cancelled."""
        while True:
            await self.ended()
            self.ends.append(self.last_code())
            await asyncio.sleep(RESTART_S)
            await self._begin()

    async def start_in_vain(self) -> str:
        """Start a process that must end by itself without having served; give the code of its last words."""
        await self._begin()
        assert not self._serves.is_set(), f"it serves: {self.words}"
        await self.ended()
        return self.last_code()

    def last_code(self) -> str:
        """Give the code of the last words of a process that ended by itself; empty if it gave none."""
        code: str = json.loads(self.words[-1]).get("code", "") if self.words else ""
        return code

    async def _begin(self, settings: Sequence[str] = ()) -> None:
        """Start a process and wait until it serves or has ended."""
        self._serves.clear()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.server", *self._options),
            *("--", "serve", "--dir", str(self.directory), "--address", self.address, *settings),
            env={**os.environ, "PYTHONPATH": PYTHONPATH, **self._variables},
            stderr=asyncio.subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen(self._process))
        serves = asyncio.create_task(self._serves.wait())
        async with asyncio.timeout(STARTS_IN):
            await asyncio.wait((serves, self._listening), return_when=asyncio.FIRST_COMPLETED)
        serves.cancel()

    async def ended(self) -> int:
        """Wait for the process to end; give its status."""
        assert self._listening is not None
        await asyncio.shield(self._listening)
        return await self.process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, not to its snapshotter."""
        self.process.send_signal(number)

    async def kill(self) -> None:
        """End the process without any warning."""
        self.send(signal.SIGKILL)
        await self.ended()

    def limit_files(self, size: int) -> None:
        """Let no file of the process grow beyond so many bytes, as a full disk would."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, size))

    async def close(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := (await process.stderr.readline()).decode():
            self.words.append(line.rstrip("\n"))
            if line.startswith("{") and json.loads(line)["event"] == "serving":
                self._serves.set()
