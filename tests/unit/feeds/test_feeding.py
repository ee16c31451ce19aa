"""What ends a feed for good is told as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.support.shards import Street

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.feeds import feeding
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
    monkeypatch.setattr(feeding._PartitionFeed, "follow", follow)
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
    monkeypatch.setattr(feeding._PartitionFeed, "follow", follow)
    settings = load_settings(None, feeds={"servers": ["127.0.0.1:9092"]})

    async with feeding.fed(settings, group, FeedStanding()) as ended:
        await asyncio.wait((ended,), timeout=10)

    failure = feeding.failure_of(ended)
    assert isinstance(failure, ConfigurationError)
    assert "could lose" in failure.message
