"""Settings of Redis that cannot be right, each with one clear line."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.certificates import make_certificate
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


@asynccontextmanager
async def stranger(answers: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """Serve something else, which closes the connection after what it says to the first bytes it gets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers(await reader.read(1024)))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no Redis that we understand"),
        (b"* OK a mailbox\r\n", "no Redis that we understand"),
        (b"<!DOCTYPE HTML>\n<html>not this way</html>\n", "a service that says '<!DOCTYPE HTML>'"),
        (b"\x00\x00\x06\x04\x00", r"a service that says '\x00\x00\x06\x04\x00'"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "there is a service that speaks TLS"),
    ],
)
async def test_what_answers_and_is_no_redis_is_refused(says: bytes, told: str) -> None:
    async with stranger(lambda _: says) as server:
        assert told in await refusal(server=server)


async def test_a_broker_of_kafka_is_refused_which_closes_at_once_when_it_is_asked_as_redis() -> None:
    def answers(asked: bytes) -> bytes:
        length, kind, version = struct.unpack_from(">ihh", asked)
        known = length == len(asked) - 4 and (kind, version) == (18, 0)
        return struct.pack(">i", 10) + asked[8:12] + bytes(6) if known else b""

    async with stranger(answers) as server:
        assert "there is a broker of Kafka" in await refusal(server=server)


async def test_a_redis_without_encryption_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    make_certificate(tmp_path, "redis", "redis")
    async with fake_redis("8.0.0", time.time()) as server:
        told = await refusal(server=server, authority=tmp_path / "redis.pem")
    assert "Redis with TLS should be at" in told
    assert "there is a Redis without encryption" in told


async def test_who_closes_the_connection_without_a_word_may_stand_before_a_redis_that_is_away() -> None:
    async with stranger(lambda _: b"") as server:
        assert await RedisConnection(server).check()


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
