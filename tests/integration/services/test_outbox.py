"""What a served engine puts out to real topics, read as others read it, while the engine is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.support.outbox import PROJECT, WORKERS, House
from tests.support.program import Served
from tests.support.services import Services
from tests.support.wire import TENANT

from crowdroute.api.v1 import tokens_pb2, workers_pb2
from crowdroute.client import Client, Connection
from crowdroute.router.adapters import kafka_outbox
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_outbox import KafkaOutbox
from crowdroute.router.adapters.kafka_topics import Durability, ensure_outbox
from crowdroute.router.feeds.outbox import Outbox
from crowdroute.router.runtime.settings import FeedSettings

pytestmark = pytest.mark.cluster

ITEMS = 20
PATIENCE_SECONDS = 60.0
RULES = """\
schema: crowdroute.rules/v1
labels: [cat, dog]
guideline: Say what is in the picture.
quality: {overlap: {minimum: 2, maximum: 2}}
money: {currency: EUR, crowd: "0.05"}
"""


def answer_all(served: Served, project: str, worker: str) -> None:
    """Let a worker answer all items, which are still coming in."""
    with Client(Connection(served.address, served.token_file.read_text().strip())) as client:
        asked = tokens_pb2.CreateWorkerSessionRequest(
            upsert=workers_pb2.UpsertWorkerRequest(external_id=worker)
        )
        session = client.operations.CreateWorkerSession(asked)
    answered, until = 0, time.monotonic() + PATIENCE_SECONDS
    with Client(Connection(served.address, session.bearer)) as annotator:
        while answered < ITEMS and time.monotonic() < until:
            for offer in annotator.next(project, wait_s=1.0):
                annotator.submit(offer, {"label": "cat"})
                answered += 1
    assert answered == ITEMS


def write(server: str, topic: str) -> None:
    """Write tasks with kcat, as a producer does."""
    tasks = [{"project": "cats", "external_id": f"e{n}", "content": {"text": f"t{n}"}} for n in range(ITEMS)]
    lines = "".join(json.dumps(task) + "\n" for task in tasks)
    subprocess.run(["kcat", "-P", "-b", server, "-t", topic], input=lines, text=True, check=True, timeout=60)


def told(server: str, topic: str) -> list[dict[str, Any]]:
    """Read a topic with kcat, and drop what came again as docs/feeds.md says."""
    read = ["kcat", "-C", "-q", "-e", "-b", server, "-t", topic, "-o", "beginning"]
    lines = subprocess.run(read, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    kept: list[dict[str, Any]] = []
    for record in map(json.loads, lines):
        if not kept or record["id"] > kept[-1]["id"]:
            kept.append(record)
    return kept


@pytest.mark.parametrize("log", ["file", "kafka"])
def test_every_answer_and_result_is_in_its_topic_once_although_the_engine_was_killed(
    services: Services, tmp_path: Path, log: str
) -> None:
    server, name = services.bootstrap[0], f"out-{log}"
    place = f'servers = ["{server}"]\nname = "{name}"\ndurability = "single-broker"\n'
    config = tmp_path / "crowdroute.toml"
    config.write_text(f"[feeds]\n{place}" + (f"[kafka]\n{place}" if log == "kafka" else ""))
    (tmp_path / "rules.yaml").write_text(RULES)
    options = (tmp_path, tmp_path / "home", "--config", str(config))

    served = Served(*options)
    try:
        project = served.told("project", "create", "cats", "--rules", "rules.yaml")["id"]
        write(server, f"{name}.tasks")
        answer_all(served, project, "ann")
        served.process.kill()  # right after the last acknowledgement, whatever was put out of it
        served.process.communicate()
        served = Served(*options)
        answer_all(served, project, "bob")
        until = time.monotonic() + PATIENCE_SECONDS
        while len(told(server, f"{name}.payments")) < 2 * ITEMS and time.monotonic() < until:
            time.sleep(0.2)
        served.done("export", "cats", "--out", "out.jsonl")
    finally:
        served.stop()

    exported = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    results, annotations = told(server, f"{name}.results"), told(server, f"{name}.annotations")
    assert {(each["task_id"], each["fields"]["label"]["label"]) for each in results} == {
        (each["task_id"], each["label"]) for each in exported
    }
    assert len(results) == len(exported) == ITEMS
    assert {each["external_id"] for each in results} == {f"e{n}" for n in range(ITEMS)}
    assert len({each["assignment_id"] for each in annotations}) == len(annotations) == 2 * ITEMS
    payments = told(server, f"{name}.payments")
    assert len({each["entry_id"] for each in payments}) == len(payments) == 2 * ITEMS
    assert {each["worker_id"] for each in told(server, f"{name}.workers")} == {
        each["worker_id"] for each in annotations
    }
    consumer = ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"]
    consumer += ["-cp", services.variables()["KAFKA_CLASSPATH"]]
    consumer += ["org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", server]
    consumer += ["--topic", f"{name}.results", "--from-beginning", "--max-messages", str(ITEMS)]
    read = subprocess.run(consumer, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(read.stdout.splitlines()[0])["id"] == results[0]["id"]


async def test_a_broker_that_is_frozen_holds_nobody_up_and_is_told_everything_when_it_goes_on(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_outbox, "DEADLINE_SECONDS", 2.0)
    connection = KafkaConnection(tuple(services.bootstrap))
    feeds = FeedSettings(servers=services.bootstrap, name="frozen", out=["annotations"])
    topic, positions = feeds.topic("annotations"), feeds.topic("outbox")
    await asyncio.to_thread(ensure_outbox, connection, [topic], positions, 1, Durability.SINGLE_BROKER)
    house = House()
    await house.begin()
    outbox = Outbox(
        feeds, TENANT, house.engine, house.standing, lambda: KafkaOutbox(connection, positions, 0)
    )
    following = asyncio.create_task(outbox.follow())

    async def put_out() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while house.standing.sequence < house.engine.loop.commits.sequence and not following.done():
                await asyncio.sleep(0.01)

    await house.add("before")
    await house.answer(WORKERS[0])
    await put_out()
    broker = services.pid("kafka-1")
    os.kill(broker, signal.SIGSTOP)
    try:
        with capture_logs() as lines:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not any("waits" in line["event"] for line in lines):  # a record was given up
                    await house.add(f"frozen-{len(house.disk.batches)}")
                    await house.answer(WORKERS[0])
                    await asyncio.sleep(0.1)
    finally:
        os.kill(broker, signal.SIGCONT)
    await put_out()
    following.cancel()
    await asyncio.wait((following,))

    answers = house.engine.project(TENANT, PROJECT).assignments.count
    assert answers > 1
    assert len(await asyncio.to_thread(told, services.bootstrap[0], topic)) == answers
