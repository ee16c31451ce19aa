"""What ends a feed for good is told as it is."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.shards import Street

from crowdroute.router.errors import ConfigurationError, StorageError
from crowdroute.router.feeds import feeding
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import load_settings


@pytest.fixture
async def group() -> AsyncIterator[ShardGroup]:
    async with Street(1).group() as served:
        yield served


async def test_a_topic_that_was_made_anew_ends_the_feeds_with_that_reason(
    monkeypatch: pytest.MonkeyPatch,
    group: ShardGroup,
) -> None:
    async def follow(_feed: object) -> None:
        raise ConfigurationError("the topic was made anew")

    monkeypatch.setattr(feeding, "ensure_feeds", lambda *_: 1)
    monkeypatch.setattr(feeding.PartitionFeed, "follow", follow)
    settings = load_settings(None, feeds={"servers": ["127.0.0.1:9092"], "out": []})

    async with feeding.fed(settings, group, FeedStanding()) as ended:
        await asyncio.wait((ended,), timeout=10)

    assert isinstance(feeding.failure_of(ended), ConfigurationError)


async def test_topics_that_could_lose_records_end_the_feeds_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
    group: ShardGroup,
) -> None:
    def refuse(*_: object) -> None:
        raise ConfigurationError("topic crowdroute.results could lose what it acknowledged")

    async def follow(_feed: object) -> None:
        raise AssertionError("a partition was read")

    monkeypatch.setattr(feeding, "ensure_feeds", lambda *_: 1)
    monkeypatch.setattr(feeding, "ensure_outbox", refuse)
    monkeypatch.setattr(feeding.PartitionFeed, "follow", follow)
    settings = load_settings(None, feeds={"servers": ["127.0.0.1:9092"]})

    async with feeding.fed(settings, group, FeedStanding()) as ended:
        await asyncio.wait((ended,), timeout=10)

    failure = feeding.failure_of(ended)
    assert isinstance(failure, ConfigurationError)
    assert "could lose" in failure.message


async def test_feeds_wait_for_brokers_that_are_silent_when_they_begin(
    monkeypatch: pytest.MonkeyPatch,
    group: ShardGroup,
) -> None:
    answers = [StorageError("nobody answers"), StorageError("nobody answers"), None]
    reading = asyncio.Event()

    def ensure(*_: object) -> int:
        if (error := answers.pop(0)) is not None:
            raise error
        return 1

    async def follow(_feed: object) -> None:
        reading.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(feeding, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(feeding, "ensure_feeds", ensure)
    monkeypatch.setattr(feeding.PartitionFeed, "follow", follow)
    settings = load_settings(None, feeds={"servers": ["127.0.0.1:9092"], "out": []})

    async with feeding.fed(settings, group, FeedStanding()) as ended:
        await asyncio.wait_for(reading.wait(), 10)
        assert not ended.done()
    assert answers == []


async def test_feeds_begin_with_their_shard_and_end_before_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running: set[str] = set()

    async def follow(feed: object) -> None:
        name = type(feed).__name__
        running.add(name)
        try:
            await asyncio.Event().wait()
        finally:
            running.remove(name)

    monkeypatch.setattr(feeding, "ensure_feeds", lambda *_: 1)
    monkeypatch.setattr(feeding, "ensure_outbox", lambda *_: None)
    monkeypatch.setattr(feeding.PartitionFeed, "follow", follow)
    monkeypatch.setattr(feeding.Outbox, "follow", follow)
    settings = load_settings(None, feeds={"servers": ["127.0.0.1:9092"]}, shards=2)
    standing = FeedStanding()

    async def settled(wanted: set[str]) -> None:
        async with asyncio.timeout(10):
            while running != wanted:
                await asyncio.sleep(0)

    async with Street(2).group(()) as group, feeding.fed(settings, group, standing) as ended:
        await group.take(1, group.shard_map)
        await settled({"Outbox"})
        assert (set(standing.outboxes), set(standing.inputs)) == ({1}, set())
        await group.release(1, group.shard_map)
        assert not running
        assert not standing.outboxes
        await group.take(0, group.shard_map)
        await settled({"Outbox", "PartitionFeed"})
        assert set(standing.inputs) == {("crowdroute.tasks", 0)}
        await group.release(0, group.shard_map)
        assert not running
        assert not standing.inputs
        assert not ended.done()


async def test_of_a_shard_that_went_elsewhere_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Owners] = []

    class Seen(Owners):
        def __init__(self, *known: Any) -> None:
            super().__init__(*known)
            made.append(self)

    begun = asyncio.Event()

    async def follow(_feed: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(feeding, "Owners", Seen)
    monkeypatch.setattr(feeding, "ensure_feeds", lambda *_: 1)
    monkeypatch.setattr(feeding, "ensure_outbox", lambda *_: None)
    monkeypatch.setattr(feeding.Outbox, "follow", follow)
    settings = load_settings(None, feeds={"servers": ["127.0.0.1:9092"]}, shards=2)
    async with Street(2).group(()) as group, feeding.fed(settings, group, FeedStanding()):
        await group.take(1, group.shard_map)
        async with asyncio.timeout(10):
            await begun.wait()
        made[0].here(1)
        gone = weakref.ref(group.engines[1])
        await group.release(1, group.shard_map)
        gc.collect()
        assert gone() is None
