"""Processes that outlive the command which started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_services import processes
from local_services.processes import Process

LOCAL = Path(processes.__file__).parents[1]
# Opening the pipe ends the wait of whoever reads it: the signals are set by then.
WAIT = "import signal; open('up', 'w').close(); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('up', 'w').close(); signal.pause()"
STARTER = """
import sys
from pathlib import Path
from local_services.processes import Process
Process(Path(sys.argv[1])).start([sys.executable, "-c", sys.argv[2]])
"""


def start(folder: Path, program: str) -> Process:
    """A process whose starter has ended, as it is in use."""
    subprocess.run(
        [sys.executable, "-c", STARTER, str(folder), program],
        env=os.environ | {"PYTHONPATH": str(LOCAL)},
        check=True,
    )
    return Process(folder)


def started(folder: Path, program: str) -> Process:
    """A process that has come so far as to wait for signals."""
    os.mkfifo(folder / "up")
    process = start(folder, program)
    (folder / "up").read_text()
    return process


def test_a_process_is_found_again_by_its_folder_and_stopped(tmp_path: Path) -> None:
    pid = started(tmp_path, WAIT).pid()
    again = Process(tmp_path)
    assert again.pid() == pid is not None
    assert again.ask_to_stop()
    assert again.end(grace=30.0)
    assert again.pid() is None
    assert not (tmp_path / "pid").exists()


def test_a_process_that_does_not_listen_is_killed_and_that_is_told(tmp_path: Path) -> None:
    process = started(tmp_path, DEAF)
    process.ask_to_stop()
    assert not process.end(grace=0.2)
    assert process.pid() is None


def test_a_process_that_never_was_is_asked_in_vain_and_has_ended(tmp_path: Path) -> None:
    assert not Process(tmp_path).ask_to_stop()
    assert Process(tmp_path).end(grace=0.0)


def test_a_process_that_was_killed_behind_our_back_does_not_run(tmp_path: Path) -> None:
    process = started(tmp_path, WAIT)
    pid = process.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert process.end(grace=30.0)
    assert process.pid() is None


def test_an_interrupt_at_the_start_waits_until_the_process_can_be_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(pid: int) -> str:
        """What is asked between the start and the record of it."""
        signal.raise_signal(signal.SIGINT)
        return identity(pid)

    identity = processes._identity
    monkeypatch.setattr(processes, "_identity", interrupted)
    children = []
    popen = subprocess.Popen

    def kept(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        """A child that is let go while it lives is a warning."""
        children.append(popen(*arguments, **options))
        return children[0]

    monkeypatch.setattr(subprocess, "Popen", kept)
    process = Process(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        process.start([sys.executable, "-c", "import signal; signal.pause()"])
    monkeypatch.setattr(processes, "_identity", identity)
    assert process.pid() == children[0].pid
    process.ask_to_stop()
    assert children[0].wait() == -signal.SIGTERM


@pytest.mark.parametrize("pid_file", ["", "12", "{pid} 1 another-boot", "{pid} {ticks}"])
def test_another_process_with_the_same_number_is_never_ours(pid_file: str, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(pid_file.format(pid=os.getpid(), ticks=1))
    assert Process(tmp_path).pid() is None
    assert not Process(tmp_path).ask_to_stop()


def test_the_log_of_the_run_before_is_kept_and_the_tail_is_short(tmp_path: Path) -> None:
    process = Process(tmp_path)
    assert process.log_tail() == "(there is no log)"
    (tmp_path / "log").write_text("old\n")
    start(tmp_path, "print(*range(100), sep='\\n')")
    process.end(grace=30.0)
    assert process.log_tail().splitlines() == [
        str(number) for number in range(100 - processes.TAIL_LINES, 100)
    ]
    assert (tmp_path / "log.previous").read_text() == "old\n"
