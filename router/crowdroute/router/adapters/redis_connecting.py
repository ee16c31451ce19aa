"""A connection to Redis as the settings describe it, and what makes it unusable from the start."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from crowdroute.router.adapters.clock_skew import check_skew
from crowdroute.router.errors import ConfigurationError

OLDEST = (7, 0)
"""Before it, scripts may not write after they asked for the time, and access rules know no keys to read."""

CONNECTIONS = 4
"""At most: rows, presence and buckets at once, and one that waits for notices."""

CHECK_SECONDS = 5.0
"""For the checks at start, before anybody is served."""


class RedisAddress:
    """Where Redis is and as whom we come; its text holds no secret."""

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        password: str | None = None,
        password_file: Path | None = None,
        authorities: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        timeout_seconds: float = 0.25,
    ) -> None:
        """Put together what was set.

        Raises:
            ConfigurationError: it cannot be right, or a secret is missing.
        """
        try:
            parts = urlsplit(url)
            port, self._database = parts.port or 6379, int(parts.path.strip("/") or 0)
        except ValueError:
            raise ConfigurationError("redis.url is no address: give redis://HOST:PORT/0") from None
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ConfigurationError("redis.url begins with redis:// or rediss:// and names a host")
        self._host, self._port = parts.hostname, port
        self._user = user or unquote(parts.username or "")
        self._password = _secret(password, password_file) or unquote(parts.password or "")
        if self._user and not self._password:
            raise ConfigurationError(
                f"redis: the user {self._user!r} has no password: set CROWDROUTE_REDIS__PASSWORD or "
                "redis.password_file"
            )
        self._tls: dict[str, Any] = {}
        if parts.scheme == "rediss":
            self._tls = {
                "ssl": True,
                "ssl_ca_certs": _file(authorities),
                "ssl_certfile": _file(certificate),
                "ssl_keyfile": _file(key),
            }
        elif authorities or certificate or key:
            raise ConfigurationError(
                "redis: certificates are set, but redis.url does not begin with rediss://"
            )
        self.timeout_seconds = timeout_seconds

    def __str__(self) -> str:
        return f"{self._host}:{self._port}"

    def client(self) -> Any:
        """Make a client; it connects when it is first used.

        Raises:
            ConfigurationError: the extra `cluster` is not installed.
        """
        try:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.connection import Connection, SSLConnection
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError as error:
            raise ConfigurationError(
                "redis is set, but its client is not installed: pip install 'crowdroute[cluster]'"
            ) from error
        tls = dict(self._tls)
        connection = SSLConnection if tls.pop("ssl", False) else Connection
        # No retries: what was sent may have been done, and the breaker decides when to ask again.
        pool = BlockingConnectionPool(
            max_connections=CONNECTIONS,
            timeout=self.timeout_seconds,
            host=self._host,
            port=self._port,
            db=self._database,
            username=self._user or None,
            password=self._password or None,
            protocol=3,
            socket_timeout=None,
            socket_connect_timeout=self.timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            client_name="crowdroute",
            connection_class=connection,
            **tls,
        )
        return Redis.from_pool(pool)

    async def check(self) -> str:
        """See that the server will do; gives why it cannot be reached, or nothing.

        A server that is down is no mistake of the settings: it may come back.

        Raises:
            ConfigurationError: it is too old, refuses us, or its clock and ours are apart.
        """
        from redis.exceptions import (
            AuthenticationError,
            ConnectionError,
            NoPermissionError,
            RedisError,
            ResponseError,
            TimeoutError,
        )

        client = self.client()
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                information = await client.info("server")
                before = time.time()
                seconds, micros = await client.time()
                after = time.time()
        except AuthenticationError:
            raise ConfigurationError(
                f"Redis at {self} takes neither user nor password ({self._user or 'default'}): look at "
                "redis.user and its password"
            ) from None
        except NoPermissionError as error:
            raise ConfigurationError(
                f"Redis at {self} lets {self._user or 'default'} do too little ({error}): docs/cluster.md "
                "has the rule that it needs"
            ) from None
        except (ConnectionError, TimeoutError, OSError) as error:
            if "certificate" in str(error).lower():
                raise ConfigurationError(
                    f"Redis at {self} cannot be trusted ({error}): look at redis.authorities"
                ) from None
            return str(error) or type(error).__name__
        except ResponseError as error:
            if "NOAUTH" in str(error) or "HELLO must be" in str(error):
                raise ConfigurationError(
                    f"Redis at {self} wants a password: set CROWDROUTE_REDIS__PASSWORD or redis.password_file"
                ) from None
            raise ConfigurationError(f"Redis at {self} is too old or refuses us: {error}") from None
        except RedisError as error:
            raise ConfigurationError(f"Redis at {self} cannot be used: {error}") from None
        finally:
            await client.aclose()
        _check_version(str(self), str(information.get("redis_version", "")))
        check_skew(f"Redis at {self}", seconds + micros / 1e6, (before + after) / 2, after - before)
        return ""


def _check_version(where: str, version: str) -> None:
    """Refuse a server that is too old.

    Raises:
        ConfigurationError: it is.
    """
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        raise ConfigurationError(
            f"{where} is Redis {version or 'of an unknown version'}; {'.'.join(map(str, OLDEST))} is the "
            "oldest that works"
        )


def _secret(given: str | None, file: Path | None) -> str:
    if given is not None and file is not None:
        raise ConfigurationError("redis: give password or password_file, not both")
    if file is None:
        return given or ""
    try:
        secret = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"redis.password_file {file} cannot be read: {error}") from error
    if not secret:
        raise ConfigurationError(f"redis.password_file {file} is empty: put the password there")
    return secret


def _file(path: Path | None) -> str | None:
    if path is None:
        return None
    if not path.is_file():
        raise ConfigurationError(f"redis: there is no file {path}, which the settings name")
    return str(path)
