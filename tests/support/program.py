"""The program `crowdroute` in processes of its own, as people run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.processes import PYTHONPATH

COMMAND = [sys.executable, "-c", "from crowdroute.router.cli import main; main()"]
PATIENCE_S = 120


def environment(**more: str) -> dict[str, str]:
    """Give our environment without anything that would lead the program elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CROWDROUTE_")}
    return {**kept, "PYTHONPATH": PYTHONPATH, **more}


def run(
    folder: Path,
    *words: str,
    program: Sequence[str] = COMMAND,
    patience_s: float = PATIENCE_S,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder until it ends by itself."""
    return subprocess.run(
        [*program, *words],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=patience_s,
        check=False,
    )


class Served:
    """`crowdroute serve` on a free port, with more options and variables if given; commands talk to it
    as its administrator."""

    def __init__(self, folder: Path, directory: Path, *words: str, **variables: str) -> None:
        self.folder = folder
        self.directory = directory
        self.remarks: list[str] = []
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--dir", str(directory), "--address", "127.0.0.1:0", *words],
            cwd=folder,
            env=environment(**variables),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.remarks.append(line.rstrip("\n"))
            told = json.loads(line)
            if told["event"] == "serving":
                self.address = f"127.0.0.1:{told['port']}"
                return
        raise AssertionError(f"serve ended with {self.process.wait()}: {self.remarks}")

    @property
    def token_file(self) -> Path:
        """Where the administrator's token lies."""
        return self.directory / "admin.token"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command against it."""
        known = {"CROWDROUTE_ADDRESS": self.address, "CROWDROUTE_TOKEN_FILE": str(self.token_file)}
        return run(self.folder, *words, **known)

    def done(self, *words: str) -> str:
        """Run one command that must succeed and give what it prints."""
        ended = self.run(*words)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def told(self, *words: str) -> Any:
        """Run one command that must succeed and give the JSON that it prints."""
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str) -> str:
        """Run one command that the engine must refuse, and give the message."""
        ended = self.run(*words)
        assert ended.returncode == 3, (ended.returncode, ended.stderr)
        assert ended.stderr.startswith("error: ")
        assert ended.stderr.rstrip().endswith("]")
        return ended.stderr

    def stop(self) -> int:
        """Tell it to stop and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=PATIENCE_S)
        self.remarks += (rest or "").splitlines()
        return self.process.returncode
