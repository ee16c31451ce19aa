"""Three brokers that are their own quorum: three copies, and one may die."""

from __future__ import annotations

import gc
import logging
import os
import signal

import pytest
from tests.support.services import Services

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def brokers() -> int:
    return 3


def test_a_topic_has_three_copies_and_needs_two_of_them(services: Services) -> None:
    from tests.integration.services import kafka_client as kafka

    kafka.make_topic(services.bootstrap, "copies", kafka.LOG)
    in_force = kafka.settings(services.bootstrap, "copies")
    assert in_force["min.insync.replicas"] == "2"
    assert in_force["unclean.leader.election.enable"] == "false"
    assert len(kafka.partition(services.bootstrap, "copies")["replica_nodes"]) == 3


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_leader_is_killed_and_what_was_acknowledged_is_read_from_another(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.integration.services import kafka_client as kafka

    # kafka-python 3.0 leaves a socket to the collector for each attempt to reach a dead broker; the records
    # of its log would hold on to them.
    caplog.set_level(logging.CRITICAL, logger="kafka")
    kafka.make_topic(services.bootstrap, "survives", kafka.LOG)
    kafka.write(services.bootstrap, "survives", [b"before"])
    leader = kafka.partition(services.bootstrap, "survives")["leader_id"]
    os.kill(services.pid(f"kafka-{leader}"), signal.SIGKILL)
    assert kafka.write(services.bootstrap, "survives", [b"after"]) == [1]
    assert kafka.partition(services.bootstrap, "survives")["leader_id"] != leader
    assert services.run("status").returncode == 3
    services.up()
    assert kafka.read(services.bootstrap, "survives", 2) == [b"before", b"after"]
    gc.collect()


def test_all_three_stop_without_being_killed_and_come_back_with_their_data(services: Services) -> None:
    from tests.integration.services import kafka_client as kafka

    kafka.make_topic(services.bootstrap, "kept", kafka.LOG)
    kafka.write(services.bootstrap, "kept", [b"kept"])
    said = services.down()
    assert said.splitlines() == ["kafka-1 stopped", "kafka-2 stopped", "kafka-3 stopped", "redis stopped"]
    assert services.processes_left() == []
    # The brokers' own mark that nothing has to be recovered.
    assert len(list(services.folder.glob("kafka-*/data/.kafka_cleanshutdown"))) == 3
    services.up()
    assert len(services.bootstrap) == 3
    assert kafka.read(services.bootstrap, "kept", 1) == [b"kept"]
