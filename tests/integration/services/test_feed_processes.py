"""Feeds of two real processes over a real broker, one of them killed: tasks in once, answers out once."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.support.groups import free_ports
from tests.support.program import Served
from tests.support.services import Services

from crowdroute.api.v1 import projects_pb2, tokens_pb2, workers_pb2
from crowdroute.client import Client, Connection

pytestmark = pytest.mark.cluster

RECORDS = 1200
BAD_EVERY = 100
PROJECTS = ("cats", "dogs", "cows", "hens")
"""Two live in each of the two shards."""
PARTITIONS = 3
ANSWERS = 5
"""Of each worker in each project."""
PATIENCE_SECONDS = 90.0
RULES = """\
schema: crowdroute.rules/v1
labels: [cat, dog]
guideline: Say what is in the picture.
"""


class Process:
    """One of the two, which can be killed and started again."""

    def __init__(
        self, folder: Path, own: int, server: str, name: str, public: Sequence[int], peers: Sequence[int]
    ) -> None:
        other = 1 - own
        self._folder = folder
        self._home = folder / f"home-{own}"
        self._config = folder / f"crowdroute-{own}.toml"
        self._address = f"127.0.0.1:{public[own]}"
        self._config.write_text(
            f'shards = 2\n[peers]\naddress = "127.0.0.1:{peers[own]}"\nsecret_file = "{folder}/secret"\n'
            f'[[peers.others]]\nshards = [{other}]\npeers = "127.0.0.1:{peers[other]}"\n'
            f'public = "127.0.0.1:{public[other]}"\n'
            f'[feeds]\nservers = ["{server}"]\nname = "{name}"\ndurability = "single-broker"\n'
            'out = ["annotations"]\n'
        )
        self.start()

    def start(self) -> None:
        """Serve."""
        words = ("--config", str(self._config), "--address", self._address)
        self.served = Served(self._folder, self._home, *words)

    def kill(self) -> None:
        """End it at once."""
        self.served.process.kill()
        self.served.process.communicate()


def make_topic(server: str, topic: str) -> None:
    """Make the topic as its producers would."""
    from kafka.admin import KafkaAdminClient

    with closing(KafkaAdminClient(bootstrap_servers=[server])) as admin:
        admin.create_topics({topic: {"num_partitions": PARTITIONS}}, wait_for_metadata=True)


def produce(server: str, topic: str, numbers: range) -> None:
    """Write records, some of them unsound, where a partitioner of our own puts them."""
    from kafka import KafkaProducer

    with closing(KafkaProducer(bootstrap_servers=[server], linger_ms=5)) as producer:
        for number in numbers:
            task = {
                "project": PROJECTS[number // 7 % len(PROJECTS)],
                "external_id": f"e{number}",
                "content": {"text": f"cat {number}"},
            }
            value = b"{" if number % BAD_EVERY == 0 else json.dumps(task).encode()
            producer.send(topic, value, partition=number * 7 % PARTITIONS)
        producer.flush()


def read(server: str, topic: str) -> list[dict[str, str]]:
    """Read a whole topic with kcat, as an operator does."""
    words = ["kcat", "-C", "-q", "-e", "-b", server, "-t", topic, "-o", "beginning"]
    lines = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    return [json.loads(line) for line in lines]


def opened(served: Served, token: str, projects: Sequence[str], least: int) -> int:
    """Wait until the projects have so many tasks, and count them."""
    asked = [projects_pb2.GetStatsRequest(project_id=project) for project in projects]
    until = time.monotonic() + PATIENCE_SECONDS
    with Client(Connection(served.address, token)) as client:
        while (found := sum(client.operations.GetStats(one).tasks_open for one in asked)) < least:
            assert time.monotonic() < until, f"{found} tasks were taken in, and {least} awaited"
            time.sleep(0.05)
    return found


def put_out(server: str, topic: str, least: int) -> list[dict[str, str]]:
    """Wait until a topic of one partition has so much, less what came again as docs/feeds.md says."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        highest: dict[str, str] = {}
        kept = []
        for record in read(server, topic):
            shard = record["id"][:2]
            if record["id"] > highest.get(shard, ""):
                highest[shard] = record["id"]
                kept.append(record)
        if len(kept) >= least or time.monotonic() > until:
            return kept
        time.sleep(0.2)


def session(served: Served, token: str, worker: str) -> str:
    """Make a worker known and give the bearer that they call with."""
    upsert = workers_pb2.UpsertWorkerRequest(external_id=worker)
    with Client(Connection(served.address, token)) as client:
        asked = tokens_pb2.CreateWorkerSessionRequest(upsert=upsert)
        return client.operations.CreateWorkerSession(asked).bearer


def label(served: Served, bearer: str, projects: Sequence[str], each: int) -> None:
    """Let a worker answer some tasks of every project."""
    with Client(Connection(served.address, bearer)) as annotator:
        for project in projects:
            answered, until = 0, time.monotonic() + PATIENCE_SECONDS
            while answered < each:
                assert time.monotonic() < until
                for offer in annotator.next(project, wait_s=1.0):
                    annotator.submit(offer, {"label": "cat"})
                    answered += 1


@pytest.mark.parametrize("killed", ["reader", "owner"])
def test_tasks_come_in_once_and_answers_go_out_once_although_one_process_was_killed(
    services: Services, tmp_path: Path, killed: str
) -> None:
    server, name = services.bootstrap[0], f"pair-{killed}"
    (tmp_path / "secret").write_text("0123456789abcdef" * 4)
    (tmp_path / "rules.yaml").write_text(RULES)
    make_topic(server, f"{name}.tasks")
    public, peers = free_ports(2), free_ports(2)
    with ExitStack() as stack:
        home, away = (Process(tmp_path, own, server, name, public, peers) for own in (0, 1))
        stack.callback(lambda: [each.served.stop() for each in (home, away)])
        token = home.served.token_file.read_text().strip()
        projects = [
            home.served.told("project", "create", each, "--rules", "rules.yaml")["id"] for each in PROJECTS
        ]
        ann, bob = (session(home.served, token, worker) for worker in ("ann", "bob"))
        produce(server, f"{name}.tasks", range(RECORDS // 2))
        opened(home.served, token, projects, 1)  # some are taken in, and others are on their way
        victim = home if killed == "reader" else away
        victim.kill()
        produce(server, f"{name}.tasks", range(RECORDS // 2, RECORDS))
        victim.start()
        sound = RECORDS - RECORDS // BAD_EVERY
        assert opened(home.served, token, projects, sound) == sound
        label(home.served, ann, projects, ANSWERS)
        victim.kill()  # right after the last acknowledgement, whatever was put out of it
        victim.start()
        label(home.served, bob, projects, ANSWERS)
        told = put_out(server, f"{name}.annotations", 2 * ANSWERS * len(PROJECTS))

    assert len({each["assignment_id"] for each in told}) == len(told) == 2 * ANSWERS * len(PROJECTS)
    assert {each["project"] for each in told} == set(PROJECTS)
    letters = read(server, f"{name}.dead-letter")
    assert len({(each["partition"], each["offset"]) for each in letters}) == RECORDS // BAD_EVERY
    assert {each["value"] for each in letters} == {"ew=="}
