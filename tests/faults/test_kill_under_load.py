"""SIGKILL under 32 clients, again and again: nothing that anybody was told is lost, doubled or too much."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

from tests.faults.annotators import Crowd
from tests.faults.journal import KILL, START, Journal, Line
from tests.faults.scene import prepare
from tests.faults.serving import Serving
from tests.faults.verdict import history, judge, kills_in_flight

CLIENTS = 32
KILLS = int(os.environ.get("CROWDROUTE_KILLS", "20" if os.environ.get("CI") else "6"))
ANSWERS_PER_LIFE = 1_000
"""Receipts between two kills, on average; 21 lives make more than 20 000."""

SNAPSHOT_EVERY = "500"
"""Batches between snapshots: several per life, so that starts fold a snapshot and what follows it."""


async def lives(directory: Path, kills: int, *options: str) -> tuple[Journal, str, list[BaseException]]:
    """Let 32 annotators work while the engine is killed and started again; give what they were told."""
    chance = random.Random(1)
    scene = await prepare(directory / "data", CLIENTS, tasks=kills * ANSWERS_PER_LIFE + 2_000)
    serving = Serving(directory / "data", *options)
    journal = Journal(directory / "journal")
    try:
        await serving.start()
        journal.note(Line(START))
        crowd = Crowd(scene, serving.address, journal)
        for _ in range(kills):
            await crowd.answers(chance.randrange(ANSWERS_PER_LIFE // 2, ANSWERS_PER_LIFE * 3 // 2))
            journal.note(Line(KILL))
            await serving.kill()
            await serving.start()
            journal.note(Line(START))
        await crowd.answers(ANSWERS_PER_LIFE)
        errors = await crowd.stop()
        serving.send(signal.SIGTERM)
        assert await serving.ended() == 0, serving.words
    finally:
        await serving.close()
    print(*serving.words, sep="\n")
    return journal, scene.stream, errors


async def test_no_kill_loses_doubles_or_overfills_anything(tmp_path: Path) -> None:
    journal, stream, errors = await lives(tmp_path, KILLS, "--snapshot-every", SNAPSHOT_EVERY)
    lines = journal.close()
    batches = history(tmp_path / "data")

    broken, told_otherwise = judge(batches, stream, lines)
    in_flight = kills_in_flight(batches, lines)

    print(f"{KILLS} kills, {in_flight} with a batch in flight, {journal.answers} answers acknowledged")
    assert errors == []
    assert broken.ok, broken
    assert told_otherwise.ok, told_otherwise
    assert told_otherwise.counters["acknowledged answers"] >= KILLS * ANSWERS_PER_LIFE
    assert in_flight >= KILLS // 2
    assert list((tmp_path / "data" / "snapshots").glob("*.snap"))


async def test_an_engine_that_replies_before_the_commit_is_caught(tmp_path: Path) -> None:
    journal, stream, _ = await lives(tmp_path, 3, "--replies-early")

    _, told_otherwise = judge(history(tmp_path / "data"), stream, journal.close())

    assert {"answer-lost", "grant-lost"} & told_otherwise.rules()
