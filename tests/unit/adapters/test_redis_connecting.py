"""Settings of Redis that cannot be right, each with one clear line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.support.fake_redis import fake_redis

from crowdroute.router.adapters.clock_skew import MOST_SECONDS, check_skew
from crowdroute.router.adapters.redis_connecting import RedisAddress
from crowdroute.router.errors import ConfigurationError


def refusal(url: str, **more: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        RedisAddress(url, **more)  # type: ignore[arg-type]
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://localhost", "redis://", "redis://host:port", "redis://h/db"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert "redis.url" in refusal(url)


def test_a_user_without_a_password_is_refused_and_the_setting_is_named() -> None:
    assert "CROWDROUTE_REDIS__PASSWORD" in refusal("redis://host", user="router")
    assert "'router'" in refusal("redis://router@host")


def test_a_password_file_that_is_absent_or_empty_is_refused(tmp_path: Path) -> None:
    absent, empty = tmp_path / "absent", tmp_path / "empty"
    empty.write_text("\n")
    assert "absent" in refusal("redis://host", password_file=absent)
    assert "is empty" in refusal("redis://host", password_file=empty)
    assert "not both" in refusal("redis://host", password_file=empty, password="secret")


def test_certificates_without_encryption_are_refused(tmp_path: Path) -> None:
    assert "rediss://" in refusal("redis://host", authorities=tmp_path / "ca.pem")
    assert "ca.pem" in refusal("rediss://host", authorities=tmp_path / "ca.pem")


def test_no_secret_is_told() -> None:
    assert str(RedisAddress("redis://router:secret@host:1234/0")) == "host:1234"


def test_clocks_apart_are_refused_with_the_side_and_the_length() -> None:
    check_skew("Redis", 100.0, 100.0 + MOST_SECONDS, 0.0)
    check_skew("Redis", 100.0, 103.0, 1.5)
    with pytest.raises(ConfigurationError, match=r"3\.0 s ahead of that of Redis"):
        check_skew("Redis", 100.0, 103.0, 0.0)
    with pytest.raises(ConfigurationError, match=r"5\.0 s behind"):
        check_skew("Kafka", 105.0, 100.0, 0.0)


async def test_a_server_that_is_too_old_is_refused() -> None:
    async with fake_redis("6.2.14", time.time()) as url:
        with pytest.raises(ConfigurationError, match=r"is Redis 6\.2\.14; 7\.0 is the oldest"):
            await RedisAddress(url).check()


async def test_a_server_whose_clock_is_apart_is_refused() -> None:
    async with fake_redis("7.0.15", time.time() + 60) as url:
        with pytest.raises(ConfigurationError, match=r"s behind that of Redis at 127\.0\.0\.1"):
            await RedisAddress(url).check()


async def test_a_server_that_will_do_passes_and_one_that_is_away_is_waited_for() -> None:
    async with fake_redis("8.0.0", time.time()) as url:
        assert await RedisAddress(url).check() == ""
    assert "127.0.0.1" in await RedisAddress(url).check()
