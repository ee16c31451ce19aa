"""A topic that another process made a moment ago, and that not every broker knows yet."""

from __future__ import annotations

from typing import Any, cast

import pytest

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_topics import Durability, ensure_outbox, log_settings, look_at_log
from crowdroute.router.errors import ConfigurationError

pytestmark = pytest.mark.cluster

IN_FORCE = {**log_settings(Durability.REPLICATED), "cleanup.policy": "compact"}
PARTITION = {"replica_nodes": [1, 2, 3]}


class Brokers:
    """Three brokers that have a topic; whoever is asked about it next may not know it yet."""

    place = "nowhere"

    def __init__(self, *, unknown_to_next: int) -> None:
        self.unknown_to_next = unknown_to_next

    def admin(self) -> Brokers:
        return self

    def close(self) -> None:
        pass

    def list_topics(self) -> list[str]:
        return ["positions"]

    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        self.unknown_to_next -= 1
        known = self.unknown_to_next < 0
        return [{"topic_id": "0" * 32, "partitions": [PARTITION] if known else []}]

    def describe_configs(self, resources: list[Any], config_filter: str) -> dict[str, Any]:
        in_force = {key: {"value": value} for key, value in IN_FORCE.items()}
        return {"topic": {resource.name: in_force for resource in resources}}


def connection(*, unknown_to_next: int) -> KafkaConnection:
    return cast("KafkaConnection", Brokers(unknown_to_next=unknown_to_next))


def test_a_topic_that_another_broker_does_not_know_yet_is_waited_for() -> None:
    ensure_outbox(connection(unknown_to_next=2), (), "positions", 1, Durability.REPLICATED)


def test_a_topic_that_is_in_use_and_gone_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"there is no topic cluster\.log"):
        look_at_log(connection(unknown_to_next=1), "cluster", 1, Durability.REPLICATED)
