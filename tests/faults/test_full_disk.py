"""A full disk under a served engine: it says so and goes, and comes back with all it acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.scene import Scene, prepare
from tests.faults.serving import Serving
from tests.faults.verdict import history, judge
from tests.support.small_disk import resize, small_disk

FAILED = 1
"""Exit status of the command line after a failure that is not the caller's."""

TASKS = 3_000
GROWTH = 1 << 20
"""Bytes by which files may still grow: some hundred answers."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, where the machine lets us have one."""
    with small_disk(tmp_path / "small", "100m") as mounted:
        yield mounted


def used(directory: Path) -> int:
    """Give the bytes that the files of a directory take."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


async def fill(serving: Serving, scene: Scene, journal: Journal) -> Crowd:
    """Let annotators work until the engine has ended by itself."""
    crowd = Crowd(scene, serving.address, journal)
    assert await serving.ended() == FAILED, serving.words
    return crowd


async def recover(serving: Serving, crowd: Crowd) -> None:
    """Start again with room, and let everybody go on."""
    await serving.start()
    await crowd.answers(200)
    assert await crowd.stop() == []
    await serving.kill()


def assert_nothing_lost(directory: Path, scene: Scene, journal: Journal, told: int) -> None:
    broken, told_otherwise = judge(history(directory), scene.stream, journal.close())
    assert broken.ok, broken
    assert told_otherwise.ok, told_otherwise
    assert told_otherwise.counters["acknowledged answers"] >= told + 200


async def test_a_full_disk_ends_the_engine_with_a_clear_word_and_loses_nothing(
    tmp_path: Path, disk: Path
) -> None:
    data = disk / "data"
    scene = await prepare(data, 16, TASKS)
    serving, journal = Serving(data), Journal(tmp_path / "journal")
    journal.note(Line(START))
    try:
        await serving.start()
        resize(disk, str(used(disk) + GROWTH))
        crowd = await fill(serving, scene, journal)
        told = journal.answers
        resize(disk, "100m")
        last_words = json.loads(serving.words[-1])
        await recover(serving, crowd)
    finally:
        await serving.close()

    assert f"the disk that holds {data} is full: free space, then start again" in last_words["reason"]
    assert last_words["code"] == "APPEND_FAILED"
    assert told > 0
    assert_nothing_lost(data, scene, journal, told)


async def test_a_file_that_may_not_grow_ends_the_engine_and_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    scene = await prepare(data, 16, TASKS)
    serving, journal = Serving(data), Journal(tmp_path / "journal")
    journal.note(Line(START))
    try:
        await serving.start()
        serving.limit_files(GROWTH)
        crowd = await fill(serving, scene, journal)
        told = journal.answers
        last_words = json.loads(serving.words[-1])
        await recover(serving, crowd)
    finally:
        await serving.close()

    assert last_words["code"] == "APPEND_FAILED"
    assert told > 0
    assert_nothing_lost(data, scene, journal, told)
