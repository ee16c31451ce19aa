"""Where Kafka is, and clients of it as this engine wants them; nothing else here imports kafka-python."""

from __future__ import annotations

import importlib.util
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crowdroute.router.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.admin import KafkaAdminClient
    from kafka.net.compat import KafkaNetClient

CONNECT_MS = 10_000
"""Longest wait for the first answer of a broker: after it the address is taken to be wrong."""

KNOCK_SECONDS = 3.0
"""Longest wait for one broker's machine to take a connection."""

REQUEST_MS = 5_000
"""Longest wait for one request: a broker that takes longer is as good as gone."""

LARGEST_RECORD = 8 << 20
"""Bytes of a record: a batch of the shard loop has at most half a mebibyte of entries, a content four."""


def require_client() -> None:
    """See that kafka-python is installed, before anything of it is imported.

    Raises:
        ConfigurationError: the cluster's extra is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("kafka", "crc32c", "zstandard")):
        raise ConfigurationError(
            "Kafka needs kafka-python, crc32c, zstandard: pip install 'crowdroute[cluster]'"
        )


@dataclass(frozen=True)
class KafkaConnection:
    """How to reach a cluster."""

    servers: tuple[str, ...]
    """host:port of some brokers; the others are learnt from them."""
    security: Mapping[str, Any] = field(default_factory=dict)
    """kafka-python's `security_protocol`, `ssl_*` and `sasl_*` options; none for an open port."""
    compression: str = "none"
    """Of what producers send, `none` or `zstd`; who reads finds it said in the records."""

    @property
    def place(self) -> str:
        """Name it in messages."""
        return ",".join(self.servers)

    def _common(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": list(self.servers),
            "bootstrap_timeout_ms": CONNECT_MS,
            "request_timeout_ms": REQUEST_MS,
            **self.security,
        }

    def producer(self) -> KafkaProducer:
        """Give a producer with one record in flight, whose acknowledgement means all replicas in sync.

        Raises:
            StorageError: no broker answers.
            ConfigurationError: the cluster's extra is not installed.
        """
        require_client()
        from kafka import KafkaProducer

        with self._reaching() as network:
            return KafkaProducer(
                **self._common(),
                kafka_client=network,
                acks="all",
                enable_idempotence=True,
                max_in_flight_requests_per_connection=1,
                linger_ms=0,
                max_request_size=LARGEST_RECORD,
                max_block_ms=CONNECT_MS,
                compression_type=None if self.compression == "none" else self.compression,
            )

    def consumer(self) -> KafkaConsumer:
        """Give a consumer that belongs to no group and never jumps to another offset by itself.

        Raises:
            StorageError, ConfigurationError: as `producer`.
        """
        require_client()
        from kafka import KafkaConsumer

        with self._reaching() as network:
            return KafkaConsumer(
                **self._common(),
                kafka_client=network,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=50,
                max_partition_fetch_bytes=LARGEST_RECORD,
            )

    def admin(self) -> KafkaAdminClient:
        """Give a client for topics and their settings.

        Raises:
            StorageError, ConfigurationError: as `producer`.
        """
        require_client()
        from kafka.admin import KafkaAdminClient

        with self._reaching() as network:
            return KafkaAdminClient(**self._common(), kafka_client=network)

    @contextmanager
    def _reaching(self) -> Iterator[Callable[..., KafkaNetClient]]:
        """Give what makes a client's network, which is ended if that client cannot be made: the library would
        leave its thread and its sockets behind, at each attempt of a process that waits for its brokers."""
        from kafka.errors import KafkaError
        from kafka.net.compat import KafkaNetClient

        made: list[KafkaNetClient] = []

        def network(**options: Any) -> KafkaNetClient:
            made.append(KafkaNetClient(**options))
            return made[-1]

        try:
            self._knock()
        except ssl.SSLError as error:
            raise self._failed(
                f"what listens at {self.place} is not trusted over TLS ({error.reason or error}): see that"
                " the certificate of `authority` signed its own, which must name that address, and that"
                " TLS is spoken there"
            ) from error
        except OSError as error:
            raise self._failed(
                f"no Kafka broker answers at {self.place} ({error}): start one, or correct the address"
            ) from error
        try:
            yield network
        except (KafkaError, OSError) as error:
            for one in made:
                one.close()
            raise self._failed(
                f"what listens at {self.place} does not take this client in ({error}): see that it is a Kafka"
                " broker that is well, and that authority, mechanism, user and password_file are right"
            ) from error

    def _failed(self, why: str) -> StorageError:
        return StorageError(why, {"servers": self.place})

    def _knock(self) -> None:
        """See that somebody listens and is trusted: the library tries for much longer than anybody wants to
        wait, and says less."""
        for server in self.servers:
            host, _, port = server.rpartition(":")
            host = host.strip("[]")
            try:
                with socket.create_connection((host, int(port)), KNOCK_SECONDS) as reached:
                    self._shake_hands(reached, host)
                return
            except OSError as error:
                refused = error
        raise refused

    def _shake_hands(self, reached: socket.socket, host: str) -> None:
        """Begin TLS as the library will, if the settings ask for it."""
        context = self._trust()
        if context is not None:
            context.wrap_socket(reached, server_hostname=host).close()

    def _trust(self) -> ssl.SSLContext | None:
        """Read the files of TLS; None when nothing is encrypted.

        Raises:
            ConfigurationError: they cannot be used.
        """
        if "ssl_cafile" not in self.security:
            return None
        try:
            context = ssl.create_default_context(cafile=self.security["ssl_cafile"])
            if "ssl_certfile" in self.security:
                certificate, key = self.security["ssl_certfile"], self.security["ssl_keyfile"]
                context.load_cert_chain(certificate, key, password="")
        except OSError as error:  # one of TLS is one, too
            raise ConfigurationError(
                f"authority, certificate and key for Kafka at {self.place} cannot be used ({error}): give"
                " files in PEM form that belong together, the key without a password"
            ) from error
        return context
