"""SIGTERM: the engine finishes what is under way and goes, and its clients' callers notice nothing."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.scene import prepare
from tests.faults.serving import Serving
from tests.faults.verdict import history, judge

RESTARTS = 3


async def test_engines_that_are_replaced_under_load_show_their_clients_no_error(tmp_path: Path) -> None:
    scene = await prepare(tmp_path / "data", 16, tasks=4_000)
    serving = Serving(tmp_path / "data")
    journal = Journal(tmp_path / "journal")
    statuses = []
    try:
        await serving.start()
        journal.note(Line(START))
        crowd = Crowd(scene, serving.address, journal)
        for _ in range(RESTARTS):
            await crowd.answers(400)
            serving.send(signal.SIGTERM)
            statuses.append(await serving.ended())
            await serving.start()
        await crowd.answers(400)
        errors = await crowd.stop()
        serving.send(signal.SIGTERM)
        statuses.append(await serving.ended())
    finally:
        await serving.close()

    broken, told_otherwise = judge(history(tmp_path / "data"), scene.stream, journal.close())
    assert errors == []
    assert statuses == [0] * (RESTARTS + 1), serving.words
    assert broken.ok, broken
    assert told_otherwise.ok, told_otherwise
