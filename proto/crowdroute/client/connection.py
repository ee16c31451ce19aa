"""Where the engine is and how to reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from crowdroute.client.errors import ClientError

FIRST_RECONNECT_MS = 100
LONGEST_RECONNECT_MS = 5_000
"""Pause between two tries to connect: gRPC's own doubles to two minutes, for which an engine that is back
would not be noticed."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An address with its credentials."""

    address: str
    """Host and port, for example `localhost:7070`. Of several processes any will do: calls go on from there
    to who serves the project, and directly once its replies have told who that is."""
    token: str = field(repr=False)
    timeout_s: float = 20.0
    """Deadline of a call of one request and one answer that names none; the engine refuses those without one.
    Calls that stream have none."""
    attempts: int = 10
    """Most tries of a call that may be repeated safely. Their pauses last ten to twenty seconds: an engine
    that crashed, or is replaced, is back by then."""
    ping_interval_s: float = 20.0
    """Silence after which the engine is asked whether it is there; it takes less than 5 s for a nuisance."""
    ping_timeout_s: float = 10.0
    """How long it may take to say so; then the connection counts as broken."""
    root_certificates: bytes | None = None
    """PEM bundle to verify the server with; with any of the three TLS fields set, the connection is
    encrypted."""
    client_certificate: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    tls: bool = False
    """Encrypt and verify with the system's own certificates."""
    told: Callable[[int, ClientError], None] | None = field(default=None, repr=False, compare=False)
    """Is told of each try that failed and is repeated: how many there were, and how the last one ended."""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        return (("authorization", f"Bearer {self.token}"),)

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """Channel options that notice a dead connection, and soon one that can be made again."""
        interval_ms, timeout_ms = round(self.ping_interval_s * 1000), round(self.ping_timeout_s * 1000)
        return (
            ("grpc.keepalive_time_ms", interval_ms),
            ("grpc.keepalive_timeout_ms", timeout_ms),
            # gRPC's keepalive time-out does not see a process that is stopped while its kernel answers;
            # this does.
            ("grpc.http2.ping_timeout_ms", timeout_ms),
            ("grpc.initial_reconnect_backoff_ms", FIRST_RECONNECT_MS),
            ("grpc.min_reconnect_backoff_ms", LONGEST_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", LONGEST_RECONNECT_MS),
        )

    @property
    def encrypted(self) -> bool:
        """Whether TLS is used."""
        return bool(self.tls or self.root_certificates or self.client_certificate)

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Give TLS credentials, or None for a plain connection."""
        if not self.encrypted:
            return None
        return grpc.ssl_channel_credentials(self.root_certificates, self.client_key, self.client_certificate)
