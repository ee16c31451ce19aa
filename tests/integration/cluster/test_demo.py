"""The demonstration on a cluster, from nothing to its report; told to stop, it leaves nothing behind."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.services.conftest import requirements  # noqa: F401  # a fixture
from tests.support.program import COMMAND, environment
from tests.support.services import PROGRAM

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("requirements")]

TASKS = 40
PATIENCE_S = 180.0
LEFT_S = 20.0
"""Within this, everything that a demonstration started has ended: Ray's agents look now and then."""

MARK = "CROWDROUTE_DEMO_MARK"


class Ground:
    """A folder for everything temporary, and a mark in the environment of everything that is started."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder
        self.mark = secrets.token_hex(8)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a demonstration as `make cluster-demo` does."""
        variables = {
            MARK: self.mark,
            "TMPDIR": str(self.temporary),
            "CROWDROUTE_SERVICES_DIR": str(self.temporary / "none"),
        }
        return subprocess.Popen(
            [sys.executable, str(PROGRAM), "run", *COMMAND, "cluster", "demo", "--tasks", str(TASKS), *words],
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def running(self) -> list[str]:
        """Give what was started here and lives."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark in (process / "environ").read_text(errors="replace"):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it ended meanwhile, or is somebody else's
        return found

    def nothing_is_left(self) -> None:
        """See that every process has ended and every file is removed."""
        until = time.monotonic() + LEFT_S
        while (left := self.running()) and time.monotonic() < until:
            time.sleep(0.1)
        assert left == []
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def ground() -> Iterator[Ground]:
    # Not pytest's own folder: Ray's sockets lie below it, and their names must be short.
    with tempfile.TemporaryDirectory(prefix="crd", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Ground(Path(folder))


def test_tasks_come_from_kafka_and_all_results_are_there_once_though_an_actor_was_killed(
    ground: Ground,
) -> None:
    program = ground.start("--json")
    out, said = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == 0, said
    found = json.loads(out)
    assert found["whole"], found
    assert found["finalised"] == found["pictures"] == TASKS - TASKS // 10
    first, second = found["projects"]
    assert {first["shard"], second["shard"]} == {0, 1}
    for project in (first, second):
        assert project["produced"] == project["taken"] == TASKS // 2
        assert project["results"] == project["finalised"] > 0
    assert found["kept"]["acknowledged"] == found["kept"]["answers"] == found["labels"] + found["gold_labels"]
    assert found["outage"]["shards"] == [0]
    assert 0 < found["outage"]["away_s"] <= found["outage"]["back_s"]
    ground.nothing_is_left()


def test_told_to_stop_in_the_middle_it_puts_everything_away(ground: Ground) -> None:
    program = ground.start()
    assert program.stderr is not None
    for line in program.stderr:
        if "workers label" in line:
            break
    program.send_signal(signal.SIGTERM)
    out, said = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == 130, said
    assert "interrupted" in said
    assert out == ""
    ground.nothing_is_left()
