"""Processes that outlive the command which starts them, found again by a file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local_services import private_files

PAUSE = 0.05  # s between two looks at a process
KILL_WAIT = 10.0  # s that the kernel gets to end a killed process, which may be writing
TAIL_LINES = 40


@dataclass(frozen=True, slots=True)
class Process:
    """One service's process: its folder holds its pid, its log and the log of the run before."""

    folder: Path

    @property
    def log(self) -> Path:
        """Where the process writes what it has to say."""
        return self.folder / "log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def start(self, command: list[str]) -> None:
        """Starts `command` in the folder, apart from this terminal, with a new log."""
        if self.log.exists():
            self.log.replace(self.folder / "log.previous")
        with self.log.open("wb") as log, _undisturbed():
            started = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            private_files.write(self._pid_file, f"{started.pid} {_identity(started.pid)}\n")

    def pid(self) -> int | None:
        """The pid of the process if it lives; another one that got its number since does not count."""
        try:
            text, identity = self._pid_file.read_text().split(maxsplit=1)
        except (FileNotFoundError, ValueError):
            return None
        pid = int(text)
        return pid if _identity(pid) == identity.strip() else None

    def ask_to_stop(self) -> bool:
        """Sends SIGTERM; False if there is no process to send it to."""
        pid = self.pid()
        if pid is not None:
            _send(pid, signal.SIGTERM)
        return pid is not None

    def end(self, grace: float) -> bool:
        """Waits `grace` seconds for a process that was asked to stop, then kills it; False if it had to."""
        ended = self._gone_within(grace)
        pid = self.pid()
        if pid is not None:
            _send(pid, signal.SIGKILL)
            self._gone_within(KILL_WAIT)
        self._pid_file.unlink(missing_ok=True)
        return ended

    def log_tail(self) -> str:
        """The last lines of the log."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "(there is no log)"
        return "\n".join(lines[-TAIL_LINES:]) or "(the log is empty)"

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid() is not None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(PAUSE)
        return True


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Puts an interrupt off to the end: a process whose pid is not written yet could not be stopped again."""
    interrupted: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted:
        raise KeyboardInterrupt


def _identity(pid: int) -> str:
    """What no other process ever has: when it was started, in which boot; empty if it lives no more."""
    try:
        # The name in parentheses may hold anything; the state is the first field after it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if fields[0] in "ZX":
        return ""
    return f"{fields[19]} {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
