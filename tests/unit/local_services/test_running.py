"""A program runs beside services that were there, or beside fresh ones that end with it."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from local_services import running
from local_services.errors import ProgramMissing, StartFailed
from local_services.stack import Stack, State

WHERE = "KAFKA_BOOTSTRAP"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Path]]:
    """What was done to which folder's services; nothing is started."""
    done: list[tuple[str, Path]] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Stack, "up", lambda stack: done.append(("up", stack.folder)))
    monkeypatch.setattr(Stack, "down", lambda stack: done.append(("down", stack.folder)))
    monkeypatch.setattr(Stack, "variables", lambda stack: {WHERE: str(stack.folder)})
    return done


def stack(folder: Path, monkeypatch: pytest.MonkeyPatch, *answering: bool) -> Stack:
    states = [State(f"service-{n}", (), 1, one, folder) for n, one in enumerate(answering)]
    monkeypatch.setattr(Stack, "states", lambda _: states)
    return Stack(folder, {"PATH": os.environ["PATH"]}, print)


def telling(file: Path, code: int = 0) -> list[str]:
    """A program that writes down where it was told that Kafka is."""
    words = f"import os, sys; open({str(file)!r}, 'w').write(os.environ[{WHERE!r}]); sys.exit({code})"
    return [sys.executable, "-c", words]


def test_services_that_run_are_used_and_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[tuple[str, Path]]
) -> None:
    folder = tmp_path / "kept"
    assert running.beside(stack(folder, monkeypatch, True, True), telling(tmp_path / "told")) == 0
    assert (tmp_path / "told").read_text() == str(folder)
    assert done == []


@pytest.mark.parametrize("answering", [(), (True, False)], ids=["none", "not all"])
def test_otherwise_fresh_ones_are_started_and_stopped_when_the_program_has_ended(
    answering: tuple[bool, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    done: list[tuple[str, Path]],
) -> None:
    folder = tmp_path / "kept"
    assert running.beside(stack(folder, monkeypatch, *answering), telling(tmp_path / "told", 7)) == 7
    (up, fresh), (down, stopped) = done
    assert (up, down) == ("up", "down")
    assert str(fresh) == str(stopped) == (tmp_path / "told").read_text() != str(folder)
    assert not fresh.exists()


def test_fresh_services_are_stopped_when_there_is_no_such_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[tuple[str, Path]]
) -> None:
    with pytest.raises(ProgramMissing, match="no-such-program cannot be run"):
        running.beside(stack(tmp_path, monkeypatch), ["no-such-program"])
    assert [what for what, _ in done] == ["up", "down"]


def test_a_program_is_not_run_when_fresh_services_do_not_come_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[tuple[str, Path]]
) -> None:
    def fail(_: Stack) -> None:
        raise StartFailed("kafka-1 ended")

    monkeypatch.setattr(Stack, "up", fail)
    with pytest.raises(StartFailed):
        running.beside(stack(tmp_path, monkeypatch), telling(tmp_path / "told"))
    assert done == []  # what had been started, `up` has stopped
    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize("number", running.TOLD_TO_STOP)
def test_who_is_told_to_stop_tells_the_program_and_waits_for_it(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[tuple[str, Path]]
) -> None:
    ready, before = tmp_path / "ready", signal.getsignal(number)
    words = (
        "import pathlib, signal, sys, threading\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(9))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "threading.Event().wait(60)"
    )

    def tell() -> None:
        until = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    teller = threading.Thread(target=tell)
    teller.start()
    assert running.beside(stack(tmp_path, monkeypatch), [sys.executable, "-c", words]) == 9
    teller.join()
    assert [what for what, _ in done] == ["up", "down"]
    assert signal.getsignal(number) == before


def test_a_program_that_a_signal_ended_is_told_as_shells_tell_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[tuple[str, Path]]
) -> None:
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert running.beside(stack(tmp_path, monkeypatch), killed) == 128 + 9
    assert len(done) == 2
