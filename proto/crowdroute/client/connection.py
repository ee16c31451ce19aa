"""Where the engine is and how to reach it."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc

PING_INTERVAL_MS = 20_000
PING_TIMEOUT_MS = 10_000
"""A frozen server is noticed after half a minute. gRPC's own keepalive time-out does not see a process that
is stopped while its kernel answers; the HTTP/2 ping time-out does."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An address with its credentials."""

    address: str
    """Host and port, for example `localhost:7070`."""
    token: str = field(repr=False)
    timeout_s: float = 20.0
    """Deadline of a call that names none; the engine refuses calls without a deadline."""
    attempts: int = 5
    """Most tries of a call that may be repeated safely."""
    root_certificates: bytes | None = None
    """PEM bundle to verify the server with; with any of the three TLS fields set, the connection is
    encrypted."""
    client_certificate: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    tls: bool = False
    """Encrypt and verify with the system's own certificates."""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        return (("authorization", f"Bearer {self.token}"),)

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """Channel options that notice a dead connection."""
        return (
            ("grpc.keepalive_time_ms", PING_INTERVAL_MS),
            ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
            ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_MS),
        )

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Give TLS credentials, or None for a plain connection."""
        if not (self.tls or self.root_certificates or self.client_certificate):
            return None
        return grpc.ssl_channel_credentials(self.root_certificates, self.client_key, self.client_certificate)
