"""An engine does not go on over topics that could lose what they acknowledge; and tells of a clock that is
wrong."""

from __future__ import annotations

import asyncio
import logging

import pytest

from crowdroute.router.errors import ConfigurationError, RouterError, StorageError
from crowdroute.router.runtime.topic_watch import watch_clock, watch_topics

UNSAFE = ConfigurationError("a topic could lose what it acknowledged")


class Cluster:
    """Answers each look with the next outcome."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self._outcomes = list(outcomes)

    def check(self) -> None:
        outcome = self._outcomes.pop(0)
        if outcome is not None:
            raise outcome

    def check_until_the_end(self) -> None:
        """Do as `check`; who looks once more is cancelled."""
        if not self._outcomes:
            raise asyncio.CancelledError
        self.check()

    @property
    def looks_left(self) -> int:
        return len(self._outcomes)


async def test_an_engine_is_stopped_once_a_topic_is_unsafe() -> None:
    cluster, told = Cluster(None, None, UNSAFE), list[RouterError]()
    await watch_topics(cluster.check, told.append, 0.0)
    assert told == [UNSAFE]
    assert cluster.looks_left == 0


async def test_a_cluster_that_does_not_answer_is_looked_at_again() -> None:
    cluster, told = Cluster(StorageError("nobody answers"), UNSAFE), list[RouterError]()
    await watch_topics(cluster.check, told.append, 0.0)
    assert told == [UNSAFE]


async def test_clocks_that_part_are_told_and_the_engine_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    apart = ConfigurationError("this machine's clock is 3.0 s ahead of that of Kafka")
    cluster = Cluster(None, apart, StorageError("nobody answers"), apart)
    with caplog.at_level(logging.WARNING), pytest.raises(asyncio.CancelledError):
        await watch_clock(cluster.check_until_the_end, every_s=0.0, warned_s=0.0)
    assert [record.message for record in caplog.records] == [
        f"{apart.message}; this engine goes on, the next start here will be refused"
    ] * 2


async def test_clocks_that_stay_apart_are_not_told_at_every_look(caplog: pytest.LogCaptureFixture) -> None:
    apart = ConfigurationError("this machine's clock is 3.0 s ahead of that of Kafka")
    cluster = Cluster(apart, apart, None, apart)
    with caplog.at_level(logging.WARNING), pytest.raises(asyncio.CancelledError):
        await watch_clock(cluster.check_until_the_end, every_s=0.0)
    assert len(caplog.records) == 1


async def test_a_defect_in_a_look_ends_no_watch(caplog: pytest.LogCaptureFixture) -> None:
    cluster, told = Cluster(KeyError("topic"), UNSAFE), list[RouterError]()
    await watch_topics(cluster.check, told.append, 0.0)
    assert told == [UNSAFE]
    clocks = Cluster(KeyError("clock"), None)
    with pytest.raises(asyncio.CancelledError):
        await watch_clock(clocks.check_until_the_end, 0.0)
    assert caplog.text.count("by a defect") == 2
