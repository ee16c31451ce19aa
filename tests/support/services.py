"""The real services of `deploy/local` in a folder of their own, driven as people drive them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = REPOSITORY / "deploy" / "local" / "services.py"
LOOPBACK = "127.0.0.1"
ELSEWHERE = """
import sys
from local_services import ports
ports.HOST = sys.argv.pop(1)
from local_services.commands import main
sys.exit(main(sys.argv[1:]))
"""
"""The same program, at another address: only a test's network has anything to look for there."""
# What would decide a test from outside.
AMBIENT = {"BROKERS", "SECURE", "KAFKA_PORT", "KAFKA_CONTROLLER_PORT", "REDIS_PORT"}


@dataclass
class Services:
    """Services whose state lies in `folder`, started with the variables `asked`."""

    folder: Path
    asked: dict[str, str] = field(default_factory=dict)
    host: str = LOOPBACK
    """Address that they listen at."""

    def environment(self) -> dict[str, str]:
        """What the commands see, without wishes from outside."""
        ours = {name: value for name, value in os.environ.items() if name not in AMBIENT}
        return ours | {"CROWDROUTE_SERVICES_DIR": str(self.folder)} | self.asked

    def run(self, command: str, **asked: str) -> subprocess.CompletedProcess[str]:
        """Runs `up`, `down` or `status` and gives what it said."""
        program = [str(PROGRAM)] if self.host == LOOPBACK else ["-c", ELSEWHERE, self.host]
        return subprocess.run(
            [sys.executable, *program, command],
            env=self.environment() | {"PYTHONPATH": str(PROGRAM.parent)} | asked,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self) -> None:
        """Starts them; what `up` says is the failure if it cannot."""
        ran = self.run("up")
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def down(self) -> str:
        """Stops them and gives what was said; a service that had to be killed is a failure."""
        ran = self.run("down")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def variables(self) -> dict[str, str]:
        """What the file of addresses says."""
        assignments = shlex.split((self.folder / "env").read_text())
        return dict(assignment.split("=", 1) for assignment in assignments)

    @property
    def bootstrap(self) -> list[str]:
        """Where Kafka is."""
        return self.variables()["KAFKA_BOOTSTRAP"].split(",")

    @property
    def redis_url(self) -> str:
        """Where Redis is, with user and password."""
        return self.variables()["REDIS_URL"]

    def pid(self, service: str) -> int:
        """The pid that was recorded for a service; KeyError if there is none."""
        return self.pids()[service]

    def pids(self) -> dict[str, int]:
        """The recorded pids by service."""
        return {file.parent.name: int(file.read_text().split()[0]) for file in self.folder.glob("*/pid")}

    def choices(self) -> dict[str, Any]:
        """What was chosen at the first start."""
        chosen: dict[str, Any] = json.loads((self.folder / "choices.json").read_text())
        return chosen

    def processes_left(self) -> list[str]:
        """The command lines of all processes whose working folder lies in this one."""
        left = []
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdecimal() and (process / "cwd").readlink().is_relative_to(self.folder):
                    left.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it ended meanwhile, or is somebody else's
        return left
