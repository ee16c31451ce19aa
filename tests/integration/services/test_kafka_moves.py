"""Engines that work while their log moves between a file and a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from tests.support.counting_core import CountingCore
from tests.support.histories import append
from tests.support.kafka_logs import LEASE_US, opened, place
from tests.support.processes import Engine, acknowledged
from tests.support.services import Services

from crowdroute.router.adapters.kafka_opening import open_kafka_log
from crowdroute.router.adapters.memory import MemorySnapshots
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.unfinished_copy import require_finished
from crowdroute.router.cli.program import run
from crowdroute.router.errors import AppendFailed, ConfigurationError, Fenced
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime import log_place, moving
from crowdroute.router.runtime.log_place import Log, place_of
from crowdroute.router.runtime.moving import Stage, Told
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.recovery import recover

pytestmark = pytest.mark.cluster

REFUSED_SECONDS = 20.0
"""More than the refusal takes, and less than a copy under a hold would on the slowest machine."""


def test_an_engine_moves_to_kafka_and_back_and_keeps_all_that_it_acknowledged(
    services: Services, tmp_path: Path
) -> None:
    settings = tmp_path / "kafka.toml"
    settings.write_text(
        f'directory = "{tmp_path / "node"}"\n'
        f'[kafka]\nservers = {json.dumps(services.bootstrap)}\nname = "engine"\n'
        'durability = "single-broker"\n'
    )
    generation = str(ShardMap().generation)  # which who serves alone claims with, and `log copy`
    on_kafka = ("--kafka", services.bootstrap[0], "--name", "engine", "--generation", generation)

    def worked(directory: Path, reason: str, *options: str) -> None:
        engine = Engine(directory, *options)
        try:
            assert engine.answer().startswith("ready ")
            engine.ask(*(f"{reason}-{number}" for number in range(100)))
            answers, status = engine.finish()
        finally:
            engine.end()
        assert status == 0
        noted.extend(acknowledged(answers))

    noted: list[str] = []
    worked(tmp_path / "file", "in a file")
    assert run(["log", "copy", str(tmp_path / "file"), str(settings)]) == 0
    worked(tmp_path / "node", "on kafka", *on_kafka)
    assert run(["log", "copy", str(settings), str(tmp_path / "back")]) == 0
    worked(tmp_path / "back", "back in a file")
    log = SqliteLog(tmp_path / "back")
    found = recover(log, MemorySnapshots(), CountingCore).core.reasons
    log.close()
    assert len(noted) == 300
    assert found == noted


def never(_took_s: float, _before_s: float) -> bool:
    """Have as many rounds as there may be."""
    return False


class Crowd:
    """Has an engine note reasons while the copy goes on."""

    def __init__(self, engine: Engine) -> None:
        assert engine.answer().startswith("ready ")
        self._engine = engine
        self._number = count()
        self.acknowledged: list[str] = []

    def work(self, reasons: int = 20) -> None:
        """Have so many reasons noted, and see that each is acknowledged."""
        self._engine.ask(*(f"reason-{next(self._number)}" for _ in range(reasons)))
        answers = [self._engine.answer() for _ in range(reasons)]
        assert len(acknowledged(answers)) == reasons
        self.acknowledged += acknowledged(answers)

    def finish(self, reasons: int = 0) -> list[str]:
        """Ask for some more without waiting, and give all that the engine says until it has ended."""
        self._engine.ask(*(f"reason-{next(self._number)}" for _ in range(reasons)))
        answers, _ = self._engine.finish()
        self._engine.end()
        self.acknowledged += acknowledged(answers)
        return answers


def settings_for(services: Services, name: str, folder: Path) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(
        f'directory = "{folder / "target node"}"\n'
        f'[kafka]\nservers = {json.dumps(services.bootstrap)}\nname = "{name}"\n'
        'durability = "single-broker"\n'
    )
    return file


def reasons_in(log: Log) -> set[str]:
    return set(recover(log, MemorySnapshots(), CountingCore).core.reasons)


async def test_an_engine_on_a_file_works_until_the_copy_on_kafka_has_caught_up_and_nothing_is_lost(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "suffices", never)
    settings = settings_for(services, "busy-file", tmp_path)
    crowd = Crowd(Engine(tmp_path / "file"))
    crowd.work(300)
    worked: set[int] = set()

    def told(what: Told) -> None:
        if what.stage is Stage.ROUND and what.round <= moving.MOST_ROUNDS:
            crowd.work()
            worked.add(what.round)
        elif what.stage is Stage.WAITING:
            crowd.finish(reasons=100)

    moved = await moving.move(place_of(tmp_path / "file", 0), place_of(settings, 0), told, patience_s=60)
    assert worked == set(range(1, moving.MOST_ROUNDS + 1))  # acknowledged in every round
    assert moved.held_s < REFUSED_SECONDS
    on_kafka = await opened(place(services, "busy-file", tmp_path / "another node"), 1)
    assert reasons_in(on_kafka) == set(crowd.acknowledged)
    on_kafka.close()
    assert not (tmp_path / "target node" / log_place.READ_INTO).exists()


async def test_an_engine_on_kafka_works_until_the_rest_is_copied_to_a_file_and_nothing_is_lost(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "suffices", never)
    settings = settings_for(services, "busy-kafka", tmp_path)
    options = ("--kafka", services.bootstrap[0], "--name", "busy-kafka", "--generation", "3")
    crowd = Crowd(Engine(tmp_path / "node", *options))
    crowd.work(300)
    worked: set[int] = set()

    def told(what: Told) -> None:
        if what.stage is Stage.ROUND:
            crowd.work()
            worked.add(what.round)

    moved = await moving.move(place_of(settings, 3), place_of(tmp_path / "file", 0), told)
    assert any(answer.startswith("stopped FENCED") for answer in crowd.finish(reasons=20))
    assert worked == set(range(1, moving.MOST_ROUNDS + 1))
    assert moved.held_s < REFUSED_SECONDS
    with closing(SqliteLog(tmp_path / "file")) as log:
        assert reasons_in(log) == set(crowd.acknowledged)
    assert not (tmp_path / "target node" / log_place.READ_INTO).exists()


async def test_contents_that_an_engine_changes_and_erases_beside_the_copy_are_the_same_in_the_end(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "suffices", never)
    settings = settings_for(services, "erasing", tmp_path)
    owner = await opened(place(services, "erasing", tmp_path / "owner"))
    for n in range(20):
        await append(owner, b"%d" % n, ContentChange(f"item/{n}", b"the secret text %d" % n))
    erasing = asyncio.Event()

    async def work() -> None:
        await erasing.wait()
        with contextlib.suppress(Fenced, AppendFailed):
            for n in count():
                await append(
                    owner,
                    b"more %d" % n,
                    ContentChange(f"item/{n}", None),
                    ContentChange(f"item/{n + 10}", b"changed %d" % n),
                )

    working = asyncio.create_task(work())
    moved = await moving.move(
        place_of(settings, 0), place_of(tmp_path / "file", 0), lambda _told: erasing.set()
    )
    await working
    assert moved.copied[0].sequence > 21
    on_kafka = await opened(place(services, "erasing", tmp_path / "another node"), 1)
    with closing(SqliteLog(tmp_path / "file")) as log:
        assert log.select(["item/0"]) == {}
        assert log.contents_after("", 1000) == on_kafka.contents_after("", 1000)
        assert log.head() == on_kafka.head()
    on_kafka.close()
    owner.close()
    files = [file.read_bytes() for file in (tmp_path / "file").iterdir()]
    assert not any(b"the secret text 0" in file for file in files)


async def test_an_engine_that_takes_the_log_back_before_all_is_copied_makes_the_copy_end_unfinished(
    services: Services, tmp_path: Path
) -> None:
    settings = settings_for(services, "taken-back", tmp_path)
    owner = await opened(place(services, "taken-back", tmp_path / "owner"))
    await append(owner, b"one")
    owner.close()

    def told(what: Told) -> None:
        if what.stage is Stage.HOLDING:
            back = place(services, "taken-back", tmp_path / "owner")
            open_kafka_log(back, 0, query_lease_us=LEASE_US).close()

    with pytest.raises(Fenced, match="another process claimed the shard"):
        await moving.move(place_of(settings, 0), place_of(tmp_path / "file", 0), told)
    with pytest.raises(ConfigurationError, match="not finished"):
        require_finished(tmp_path / "file")
    again = await moving.move(place_of(settings, 0), place_of(tmp_path / "file", 0))
    assert again.copied[0].batches == 1  # the last of the second hold
    require_finished(tmp_path / "file")
