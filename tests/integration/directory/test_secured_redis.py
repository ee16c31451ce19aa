"""A Redis that asks for encryption, and for a user who may do nothing but what docs/cluster.md says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from tests.support.certificates import make_certificate
from tests.support.groups import free_ports
from tests.support.redis_server import redis_server
from tests.unit.docs.documents import read

from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.ports import Kept, KeyspaceOwner, Notice

pytestmark = pytest.mark.cluster

ME = KeyspaceOwner("log", 1)


def documented_rule() -> list[str]:
    """Give what the guide lets the user do: key patterns, channels, commands."""
    (rule,) = re.findall(r"user crowdroute on \S+ (.*?)\n\n", read("docs/cluster.md"), re.DOTALL)
    return rule.replace("\\", " ").split()


async def rows() -> AsyncIterator[Mapping[str, bytes]]:
    yield {"a": b"1"}


async def test_the_documented_rule_lets_everything_be_done_and_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    with redis_server(tmp_path) as running:
        assert running.say("ACL", "SETUSER", "crowdroute", "on", ">secret", *documented_rule()) == "+OK"
        connection = RedisConnection(
            running.server, user="crowdroute", password_file=secret, timeout_seconds=5
        )
        assert await connection.check() == ""
        directory = RedisDirectory(connection, "crowdroute")
        assert await directory.rebuild("k", ME, rows()) is Kept.DONE
        assert await directory.put("k", ME, {"a": None, "b": b"2"}) is Kept.DONE
        assert await directory.get("k", ["a", "b"]) == {"b": b"2"}
        await directory.see("t", {"ann": 5})
        assert await directory.seen("t", 0) == {"ann": 5}
        assert await directory.settle("calls", {"ann": 1}, 1e-9, 10) == pytest.approx({"ann": 9})
        assert [found.name for found in await directory.keyspaces()] == ["k"]
        notices = directory.notices()
        assert await anext(notices) == Notice("", ())
        await notices.aclose()  # type: ignore[attr-defined]
        await directory.close()

        other = RedisDirectory(connection, "another")
        assert await other.rebuild("k", ME, rows()) is Kept.UNREACHABLE, "keys of others are out of reach"
        assert "no permissions" in other.breaker.failure
        await other.close()


async def test_a_server_is_trusted_by_its_authority_alone(tmp_path: Path) -> None:
    for name in ("server", "another", "client"):
        make_certificate(tmp_path, name, name)
    authority, key, stranger = (tmp_path / name for name in ("server.pem", "server.key", "another.pem"))
    client, client_key = tmp_path / "client.pem", tmp_path / "client.key"
    (secure,) = free_ports(1)
    options = (
        *("--tls-port", str(secure), "--tls-cert-file", str(authority), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(client), "--tls-auth-clients", "yes"),
    )
    with redis_server(tmp_path, *options):
        server = f"127.0.0.1:{secure}"
        connection = RedisConnection(
            server, authority=authority, certificate=client, key=client_key, timeout_seconds=5
        )
        assert await connection.check() == ""
        directory = RedisDirectory(connection, "crowdroute")
        assert await directory.rebuild("k", ME, rows()) is Kept.DONE
        await directory.close()

        with pytest.raises(ConfigurationError, match=r"is not trusted.* look at redis\.authority"):
            await RedisConnection(server, authority=stranger, timeout_seconds=5).check()
