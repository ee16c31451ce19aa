"""Tasks from a real topic into a real engine that is killed again and again: each once, or a letter."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.program import Served
from tests.support.services import Services

from crowdroute.api.v1 import projects_pb2
from crowdroute.client import Client, Connection
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_partition import KafkaPartition

pytestmark = pytest.mark.cluster

RECORDS = 10_000
BAD_EVERY = 100
KILLS = 3
PROJECTS = ("cats", "dogs")
PORTION = RECORDS // (KILLS + 1)
"""Records that come before each kill, and after the last."""
PARTITIONS = 3
PATIENCE_SECONDS = 90.0
RULES = """\
schema: crowdroute.rules/v1
labels: [cat, dog]
guideline: Say what is in the picture.
"""


def make_topic(server: str, topic: str) -> None:
    """Make the topic as its producers would."""
    from kafka.admin import KafkaAdminClient

    with closing(KafkaAdminClient(bootstrap_servers=[server])) as admin:
        admin.create_topics({topic: {"num_partitions": PARTITIONS}}, wait_for_metadata=True)


def produce(server: str, topic: str, portion: int) -> None:
    """Write a portion of the records, some of them unsound, where a partitioner of our own puts them."""
    from kafka import KafkaProducer

    with closing(KafkaProducer(bootstrap_servers=[server], linger_ms=5)) as producer:
        for number in range(portion * PORTION, (portion + 1) * PORTION):
            task = {
                "project": PROJECTS[number % 2],
                "external_id": f"e{number}",
                "content": {"text": f"cat {number}"},
            }
            value = b"{" if number % BAD_EVERY == 0 else json.dumps(task).encode()
            producer.send(topic, value, partition=number * 7 % PARTITIONS)
        producer.flush()


def letters(server: str, topic: str) -> list[dict[str, object]]:
    """Read all dead letters with kcat, as an operator does."""
    read = ["kcat", "-C", "-q", "-e", "-b", server, "-t", topic, "-o", "beginning"]
    lines = subprocess.run(read, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    return [json.loads(line) for line in lines]


def opened(served: Served, projects: list[str], least: int) -> int:
    """Wait until the projects have so many tasks, and count them."""
    asked = [projects_pb2.GetStatsRequest(project_id=project) for project in projects]
    until = time.monotonic() + PATIENCE_SECONDS
    with Client(Connection(served.address, served.token_file.read_text().strip())) as client:
        while (found := sum(client.operations.GetStats(one).tasks_open for one in asked)) < least:
            assert time.monotonic() < until, f"{found} tasks were taken in, and {least} awaited"
            time.sleep(0.02)
    return found


def test_the_trace_that_a_producer_names_is_read_with_its_record(services: Services) -> None:
    from kafka import KafkaProducer

    server, topic, trace = services.bootstrap[0], "traced.tasks", f"00-{1:032x}-{2:016x}-01"
    make_topic(server, topic)
    with closing(KafkaProducer(bootstrap_servers=[server])) as producer:
        producer.send(topic, b"first", headers=[("traceparent", trace.encode()), ("other", b"")], partition=0)
        producer.send(topic, b"second", headers=[("traceparent", b"\xff")], partition=0)
        producer.send(topic, b"third", partition=0)
        producer.flush()
    with closing(KafkaPartition(KafkaConnection((server,)), topic, 0)) as partition:
        found = list(partition.records(0, 2))
    assert [each.traceparent for each in found] == [trace, "\ufffd", ""]


def test_every_task_is_taken_in_once_and_every_bad_record_has_a_letter(
    services: Services, tmp_path: Path
) -> None:
    server = services.bootstrap[0]
    config = tmp_path / "crowdroute.toml"
    config.write_text(
        f'shards = 2\n[feeds]\nservers = ["{server}"]\nname = "feed"\ndurability = "single-broker"\n'
        "out = []\n"
    )
    (tmp_path / "rules.yaml").write_text(RULES)
    options = (tmp_path, tmp_path / "home", "--config", str(config))
    make_topic(server, "feed.tasks")
    served = Served(*options)
    try:
        projects = [
            served.told("project", "create", name, "--rules", "rules.yaml")["id"] for name in PROJECTS
        ]
        before = 0
        for kill in range(KILLS):
            produce(server, "feed.tasks", kill)
            before = opened(served, projects, before + 1)  # some are taken in, and others are on their way
            served.process.kill()
            served.process.communicate()
            served = Served(*options)
        produce(server, "feed.tasks", KILLS)
        sound = RECORDS - RECORDS // BAD_EVERY
        assert opened(served, projects, sound) == sound
        told = letters(server, "feed.dead-letter")
    finally:
        served.stop()

    places = {(letter["partition"], letter["offset"]) for letter in told}
    assert len(places) == RECORDS // BAD_EVERY
    assert {letter["value"] for letter in told} == {"ew=="}
