"""How to reach Redis, and what makes a server unusable from the start."""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from crowdroute.router.adapters.clock_skew import check_skew
from crowdroute.router.adapters.redis_stranger import REDIS, TLS, who_answers
from crowdroute.router.errors import ConfigurationError

OLDEST = (7, 0)
"""The first whose scripts may write after they asked for the time."""

CONNECTIONS = 16
"""At most: one waits for notices, the others carry commands of about a tenth of a millisecond."""

_log = structlog.get_logger("crowdroute.directory")

CHECK_SECONDS = 3.0
"""Longest wait for the checks at start, before anybody is served."""

MISREAD = (AttributeError, TypeError, ValueError)
"""What Redis' client ends with when another protocol's words begin as those of Redis do."""


@dataclass(frozen=True)
class RedisConnection:
    """How to reach a server; its text holds no secret."""

    server: str
    """host:port."""
    database: int = 0
    user: str = ""
    """Empty: the server's default user."""
    password_file: Path | None = None
    authority: Path | None = None
    """PEM file of who signs the server's certificate; None: no encryption."""
    certificate: Path | None = None
    key: Path | None = None
    """PEM files that show the server who this is."""
    timeout_seconds: float = 0.25
    """After which an answer is not waited for."""

    def client(self) -> Any:
        """Make a client; it connects when it is first used.

        Raises:
            ConfigurationError: the cluster's extra is not installed, or a file that the settings name cannot
                be used.
        """
        if importlib.util.find_spec("redis") is None:
            raise ConfigurationError("a directory in Redis needs redis: pip install 'crowdroute[cluster]'")
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.connection import Connection, SSLConnection
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        host, port = self._place()
        # No retries: what was sent may have been done, and the breaker decides when to ask again. No timeout
        # of the socket: who asks has a deadline of its own, which also covers the wait for a connection.
        pool = BlockingConnectionPool(
            connection_class=Connection if self.authority is None else SSLConnection,
            max_connections=CONNECTIONS,
            timeout=self.timeout_seconds,
            host=host,
            port=port,
            db=self.database,
            username=self.user or None,
            password=_password(self.password_file),
            protocol=3,
            socket_timeout=None,
            socket_connect_timeout=self.timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            client_name="crowdroute",
            **self._tls(),
        )
        return Redis.from_pool(pool)

    async def check(self) -> str:
        """See that the server will do; gives why it cannot be reached, or nothing.

        A server that is down is no mistake of the settings: it may come back.

        Raises:
            ConfigurationError: it is too old, no Redis at all, refuses us, or its clock and ours are apart.
        """
        client = self.client()
        from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
        from redis.exceptions import ConnectionError as Unreachable
        from redis.exceptions import TimeoutError as Late

        who = self.user or "default"
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                information = await client.info("server")
                before = time.time()
                seconds, micros = await client.time()
                after = time.time()
        except AuthenticationError as error:
            if "AUTH" in str(error) and "WRONGPASS" not in str(error) and self.password_file is None:
                raise ConfigurationError(
                    f"Redis at {self.server} wants a password: give redis.password_file"
                ) from None
            raise ConfigurationError(
                f"Redis at {self.server} does not take user {who!r} with this password: look at redis.user"
                " and redis.password_file"
            ) from None
        except NoPermissionError as error:
            raise ConfigurationError(
                f"Redis at {self.server} lets user {who!r} do too little ({error}): docs/cluster.md has the"
                " rule that it needs"
            ) from None
        except (Unreachable, Late, TimeoutError, OSError) as error:
            why = str(error) or "no answer"
            if "certificate" in why.lower():
                raise ConfigurationError(
                    f"Redis at {self.server} is not trusted, or does not trust us ({why}): look at"
                    " redis.authority, redis.certificate and redis.key"
                ) from None
            await self._refuse_strangers()
            return why
        except ResponseError as error:
            raise ConfigurationError(f"Redis at {self.server} refuses us: {error}") from None
        except (RedisError, *MISREAD) as error:
            raise ConfigurationError(
                f"what answers at {self.server} is no Redis that we understand ({error}): look at"
                " redis.server"
            ) from None
        finally:
            await client.aclose()
        _check_version(self.server, str(information.get("redis_version", "")))
        check_skew(f"Redis at {self.server}", seconds + micros / 1e6, (before + after) / 2, after - before)
        return ""

    async def forget(self, namespace: str) -> None:
        """Remove every key of a namespace, as after a trial; when nobody answers, they stay."""
        from redis.exceptions import RedisError

        client = self.client()
        try:
            async for key in client.scan_iter(f"{namespace}:*"):
                await client.unlink(key)
        except (RedisError, OSError) as error:
            _log.warning(
                "redis does not answer: a namespace stays behind",
                server=self.server,
                namespace=namespace,
                reason=str(error),
            )
        finally:
            await client.aclose()

    async def _refuse_strangers(self) -> None:
        """See who answers at the address, after Redis did not.

        Raises:
            ConfigurationError: somebody else does.
        """
        who = await who_answers(*self._place())
        if who in ("", REDIS if self.authority is None else TLS):
            return
        wanted = "Redis without encryption" if self.authority is None else "Redis with TLS"
        raise ConfigurationError(
            f"{wanted} should be at {self.server}, and there is {who}: look at redis.server and"
            " redis.authority"
        )

    def _place(self) -> tuple[str, int]:
        host, _, port = self.server.rpartition(":")
        return host.strip("[]"), int(port)

    def _tls(self) -> dict[str, Any]:
        if self.authority is None:
            return {}
        try:
            context = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"redis.authority, redis.certificate and redis.key cannot be used ({error}): give files in"
                " PEM form that belong together"
            ) from error
        files = {
            "ssl_ca_certs": str(self.authority),
            "ssl_certfile": None if self.certificate is None else str(self.certificate),
            "ssl_keyfile": None if self.key is None else str(self.key),
        }
        return {**files, "ssl_check_hostname": True}


def _check_version(where: str, version: str) -> None:
    """Refuse a server that is too old.

    Raises:
        ConfigurationError: it is.
    """
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        raise ConfigurationError(
            f"the server at {where} is Redis {version or 'of an unknown version'}:"
            f" {'.'.join(map(str, OLDEST))} is the oldest that works"
        )


def _password(file: Path | None) -> str | None:
    """Read a password.

    Raises:
        ConfigurationError: there is none in the file.
    """
    if file is None:
        return None
    try:
        secret = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"redis.password_file {file} cannot be read: {error}") from error
    if not secret:
        raise ConfigurationError(f"redis.password_file {file} is empty: put the password there")
    return secret
