"""Real processes, really killed: whatever they acknowledged is in the log."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.counting_core import CountingCore
from tests.support.processes import Engine, acknowledged
from tests.support.small_disk import resize, small_disk

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import MemorySnapshots
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import Fenced
from crowdroute.router.runtime.recovery import recover

KILLS = 10
EARLY = "tests.support.seeded_bugs:RepliesEarly"

Start = Callable[..., Engine]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start engines, and leave none behind."""
    engines: list[Engine] = []

    def started(directory: Path, *options: str) -> Engine:
        engines.append(Engine(directory, *options))
        return engines[-1]

    yield started
    for engine in engines:
        engine.end()


def on_disk(directory: Path) -> list[str]:
    """Fold the log as a successor would; give the reasons in order."""
    log = SqliteLog(directory)
    try:
        return recover(log, MemorySnapshots(), CountingCore).core.reasons
    finally:
        log.close()


def lost_in_kills(start: Start, directory: Path, *options: str) -> list[str]:
    """Kill an engine under load again and again; give what it acknowledged and lost."""
    chance = random.Random(1)
    answered: list[str] = []
    for kill in range(KILLS):
        engine = start(directory, *options)
        assert engine.answer().startswith("ready ")
        engine.ask(*(f"{kill}-{n}" for n in range(4000)))
        answers = [engine.answer() for _ in range(chance.randrange(1, 1500))]
        engine.process.send_signal(signal.SIGKILL)
        answered += acknowledged(answers + engine.rest())
        engine.process.wait()
    kept = on_disk(directory)
    assert len(kept) == len(set(kept))
    assert len(answered) > KILLS
    return sorted(set(answered) - set(kept))


def test_no_kill_loses_what_was_acknowledged(tmp_path: Path, start: Start) -> None:
    assert lost_in_kills(start, tmp_path) == []


def test_an_engine_that_replies_before_the_commit_is_caught_by_kills(tmp_path: Path, start: Start) -> None:
    assert lost_in_kills(start, tmp_path, "--loop", EARLY) != []


def test_every_start_folds_to_the_state_that_was_left(tmp_path: Path, start: Start) -> None:
    digest, last = CountingCore().digest(), 0
    for run in range(3):
        engine = start(tmp_path)
        assert engine.answer() == f"ready {last} {digest}"
        engine.ask(*(f"{run}-{n}" for n in range(100)))
        answers, status = engine.finish()
        assert status == 0
        assert len(acknowledged(answers)) == 100
        digest = answers[-1].removeprefix("drained ")
        log = SqliteLog(tmp_path)
        last = log.head()[0]
        log.close()


def test_a_second_owner_is_refused_with_the_firsts_process_id(tmp_path: Path, start: Start) -> None:
    first = start(tmp_path)
    assert first.answer().startswith("ready ")
    second = start(tmp_path)
    answers, status = second.finish()
    assert status == 3
    assert answers == [
        f"stopped FENCED process {first.process.pid} owns the log in {tmp_path}:"
        " stop it first (SIGKILL if it is frozen)"
    ]
    with pytest.raises(Fenced):
        SqliteLog(tmp_path)
    first.ask("still here")
    assert first.answer() == "noted still here"


def test_a_frozen_owner_keeps_its_right_until_it_is_killed(tmp_path: Path, start: Start) -> None:
    frozen = start(tmp_path)
    assert frozen.answer().startswith("ready ")
    frozen.ask("before")
    assert frozen.answer() == "noted before"
    os.kill(frozen.process.pid, signal.SIGSTOP)
    assert start(tmp_path).finish()[1] == 3
    os.kill(frozen.process.pid, signal.SIGKILL)
    frozen.process.wait()
    assert start(tmp_path).answer().startswith("ready 1 ")


def test_a_zombie_that_lost_its_lock_is_fenced_and_ends(tmp_path: Path, start: Start) -> None:
    zombie = start(tmp_path)
    assert zombie.answer().startswith("ready ")
    zombie.ask("before")
    assert zombie.answer() == "noted before"
    os.kill(zombie.process.pid, signal.SIGSTOP)
    (tmp_path / "shard-0.lock").unlink()
    successor = start(tmp_path)
    assert successor.answer().startswith("ready 1 ")
    zombie.ask("too late")
    os.kill(zombie.process.pid, signal.SIGCONT)
    lost, stopped = zombie.answer(), zombie.answer()
    assert lost == "lost APPEND_FAILED too late"
    assert stopped.startswith("stopped FENCED ")
    assert zombie.process.wait() == 3
    successor.ask("after")
    assert successor.finish()[1] == 0
    assert on_disk(tmp_path) == ["before", "after"]
    log = SqliteLog(tmp_path)
    epochs = [stored.epoch for stored in log.read()]
    assert epochs == sorted(epochs)
    assert [len(decode_batch(stored.body, stored.sequence).entries) for stored in log.read()] == [1, 1]
    log.close()


def fill(start: Start, directory: Path, *options: str) -> tuple[list[str], str]:
    """Write until the disk is full; give what was acknowledged, and the engine's last words."""
    engine = start(directory, "--concurrency", "4", *options)
    assert engine.answer().startswith("ready ")
    engine.ask(*(f"fat {30_000 + n}" for n in range(400)))
    answers = engine.rest()
    assert engine.process.wait() == 3
    assert answers[-1].startswith("stopped APPEND_FAILED ")
    assert any(answer.startswith("lost APPEND_FAILED ") for answer in answers)
    return acknowledged(answers), answers[-1]


def assert_recovers(start: Start, directory: Path, noted: list[str]) -> None:
    engine = start(directory)
    assert engine.answer().startswith("ready ")
    engine.ask("after")
    assert engine.answer() == "noted after"
    assert engine.finish()[1] == 0
    kept = on_disk(directory)
    assert {f"fat {len(reason)}" for reason in kept} >= set(noted)
    assert kept[-1] == "after"


def test_a_file_that_may_not_grow_stops_the_engine_and_loses_nothing(tmp_path: Path, start: Start) -> None:
    noted, _ = fill(start, tmp_path, "--file-limit", str(2 << 20))
    assert 10 < len(noted) < 400
    assert_recovers(start, tmp_path, noted)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB, where the machine lets us have one."""
    with small_disk(tmp_path / "small", "3m") as mounted:
        yield mounted


def test_a_full_disk_stops_the_engine_with_a_clear_word_and_loses_nothing(disk: Path, start: Start) -> None:
    noted, last_words = fill(start, disk)
    assert f"the disk that holds {disk} is full: free space, then start again" in last_words
    assert 10 < len(noted) < 400
    resize(disk, "30m")
    assert_recovers(start, disk, noted)
