"""Settings of Redis that cannot be right, each with one clear line."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.support.fake_redis import fake_redis
from tests.support.redis_server import redis_server

from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.errors import ConfigurationError

pytestmark = pytest.mark.cluster


async def refusal(**settings: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        await RedisConnection(**settings).check()  # type: ignore[arg-type]
    assert "\n" not in caught.value.message
    return caught.value.message


async def test_a_password_file_without_a_password_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert "is empty" in await refusal(server="127.0.0.1:1", password_file=empty)
    assert "cannot be read" in await refusal(server="127.0.0.1:1", password_file=tmp_path / "absent")


async def test_an_authority_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    assert "redis.authority" in await refusal(server="127.0.0.1:1", authority=file)


async def test_a_password_that_is_wanted_or_wrong_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    with redis_server(tmp_path, "--requirepass", "right") as running:
        assert "wants a password: give redis.password_file" in await refusal(server=running.server)
        assert "does not take user 'default'" in await refusal(server=running.server, password_file=wrong)


async def test_a_user_who_may_do_too_little_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    with redis_server(tmp_path) as running:
        running.say("ACL", "SETUSER", "poor", "on", ">secret", "~*", "+hello", "+client")
        assert "lets user 'poor' do too little" in await refusal(
            server=running.server, user="poor", password_file=secret
        )


async def test_what_answers_and_is_no_redis_is_refused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert "is no Redis" in await refusal(server=f"127.0.0.1:{port}")


async def test_a_server_that_is_too_old_is_refused() -> None:
    async with fake_redis("6.2.14", time.time()) as server:
        with pytest.raises(ConfigurationError, match=r"is Redis 6\.2\.14: 7\.0 is the oldest"):
            await RedisConnection(server).check()


async def test_a_server_whose_clock_is_apart_is_refused() -> None:
    async with fake_redis("7.0.15", time.time() + 60) as server:
        with pytest.raises(ConfigurationError, match=r"s behind that of Redis at 127\.0\.0\.1"):
            await RedisConnection(server).check()


async def test_a_server_that_will_do_passes_and_one_that_is_away_is_waited_for() -> None:
    async with fake_redis("8.0.0", time.time()) as server:
        assert await RedisConnection(server).check() == ""
    assert "127.0.0.1" in await RedisConnection(server).check()
