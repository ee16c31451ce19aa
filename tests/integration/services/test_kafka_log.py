"""Owners of a shard on a real broker, killed, frozen and replaced: what was acknowledged stays."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.counting_core import CountingCore
from tests.support.processes import Engine, acknowledged
from tests.support.services import Services

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.adapters.memory import MemorySnapshots
from crowdroute.router.runtime.recovery import recover

pytestmark = pytest.mark.cluster

Start = Callable[..., Engine]
KILLS = 4


@pytest.fixture
def start(services: Services, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start owners of a log of the test's own, each on the node of its directory; leave none behind."""
    engines: list[Engine] = []

    def started(directory: Path, generation: int = 0) -> Engine:
        engine = Engine(
            directory,
            "--kafka",
            services.bootstrap[0],
            "--name",
            request.node.name,
            "--generation",
            str(generation),
        )
        engines.append(engine)
        assert engine.answer().startswith("ready ")
        return engine

    yield started
    for engine in engines:
        engine.end()


@pytest.fixture
def kept(services: Services, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], list[str]]:
    """Fold the log on a node that has no copy of it; give the reasons in order."""

    def read() -> list[str]:
        connection = KafkaConnection((services.bootstrap[0],))
        node = tmp_path / "auditor"
        place = KafkaPlace(connection, request.node.name, 0, 1, Durability.SINGLE_BROKER, node)
        log = open_kafka_log(place, 1_000)
        try:
            return recover(log, MemorySnapshots(), CountingCore).core.reasons
        finally:
            log.close()

    return read


def test_no_kill_of_an_owner_loses_or_doubles_what_was_acknowledged(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path
) -> None:
    answered: list[str] = []
    for kill in range(KILLS):
        engine = start(tmp_path / f"node-{kill % 2}")
        engine.ask(*(f"{kill}-{number}" for number in range(2000)))
        answers = [engine.answer() for _ in range(100 + 150 * kill)]
        engine.process.send_signal(signal.SIGKILL)
        answered += acknowledged(answers + engine.rest())
        engine.process.wait()
    found = kept()
    assert len(answered) > 100 * KILLS
    assert set(answered) <= set(found)
    assert len(found) == len(set(found))


def test_an_owner_that_was_frozen_while_another_took_over_acknowledges_nothing_more(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path
) -> None:
    zombie = start(tmp_path / "old")
    zombie.ask("before")
    assert zombie.answer() == "noted before"
    zombie.process.send_signal(signal.SIGSTOP)
    successor = start(tmp_path / "new", 1)
    successor.ask("after")
    assert successor.answer() == "noted after"
    zombie.process.send_signal(signal.SIGCONT)
    zombie.ask("of the zombie")
    answers, status = zombie.finish()
    assert acknowledged(answers) == []
    assert any(line.startswith("stopped FENCED") for line in answers)
    assert status == 3
    successor.ask("later")
    assert successor.answer() == "noted later"
    answers, status = successor.finish()
    assert status == 0
    assert kept() == ["before", "after", "later"]


def test_an_owner_of_an_older_placement_is_turned_away(
    start: Start, tmp_path: Path, services: Services
) -> None:
    owner = start(tmp_path / "new", 7)
    late = Engine(
        tmp_path / "old",
        "--kafka",
        services.bootstrap[0],
        "--name",
        "test_an_owner_of_an_older_placement_is_turned_away",
        "--generation",
        "6",
    )
    assert late.answer().startswith("stopped FENCED")
    late.end()
    owner.ask("still here")
    assert owner.answer() == "noted still here"


def test_a_frozen_broker_acknowledges_nothing_and_the_next_owner_goes_on(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path, services: Services
) -> None:
    engine = start(tmp_path / "node")
    engine.ask("before")
    assert engine.answer() == "noted before"
    broker = services.pid("kafka-1")
    os.kill(broker, signal.SIGSTOP)
    try:
        engine.ask("into the ice")
        answers, status = engine.finish()
    finally:
        os.kill(broker, signal.SIGCONT)
    assert acknowledged(answers) == []
    assert any(line.startswith("stopped APPEND_FAILED") for line in answers)
    assert status == 3
    again = start(tmp_path / "node")
    again.ask("after")
    assert again.answer() == "noted after"
    again.end()
    found = kept()
    assert [reason for reason in found if reason != "into the ice"] == ["before", "after"]


def test_a_killed_broker_lost_nothing_that_was_acknowledged(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path, services: Services
) -> None:
    engine = start(tmp_path / "node")
    engine.ask(*(f"{number}" for number in range(300)))
    answers = [engine.answer() for _ in range(200)]
    os.kill(services.pid("kafka-1"), signal.SIGKILL)
    answers += engine.rest()
    services.up()
    found = kept()
    assert set(acknowledged(answers)) <= set(found)
    assert len(found) == len(set(found))
