"""The gRPC server: services, health, limits, TLS, and how it starts and stops.

It listens before the log is folded, so that health checks see NOT_SERVING rather than nothing, and sends
every other call away until it serves. Stopping goes the other way round: NOT_SERVING, streams and waiting
calls sent away, calls under way finished, and then the engine may drain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]  # the stubs leave it out
from grpc_reflection.v1alpha import reflection

from crowdroute.api.v1 import annotation_pb2
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.ports import Tracer
from crowdroute.router.rpc.annotation import AnnotationServicer
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.limits import RateLimiter
from crowdroute.router.rpc.listening import cannot_listen, check_files
from crowdroute.router.rpc.scopes import check_scopes
from crowdroute.router.rpc.service import Service
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import Settings, TlsSettings

ANNOTATION = annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"]

METADATA_BYTES = 16 * 1024
"""Largest set of headers: a token, a request id, and what proxies add."""

CLIENT_PING_MS = 5_000
"""Shortest interval at which clients may ping; below it a connection is closed as a nuisance."""

SERVER_PING_MS = 30_000
"""How often the server looks whether a silent client is there, and how long it waits for the answer."""

PING_TIMEOUT_MS = 10_000

OPTIONS: Sequence[tuple[str, int]] = (
    # Two processes on one port would share the calls between two engines without anybody noticing.
    ("grpc.so_reuseport", 0),
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
    ("grpc.keepalive_time_ms", SERVER_PING_MS),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    # Without it a frozen peer is noticed after a minute at the earliest.
    ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", CLIENT_PING_MS),
)


class Server:
    """Serves a group of shards."""

    def __init__(
        self,
        settings: Settings,
        services: Sequence[ServiceDescriptor] = (ANNOTATION,),
        tracer: Tracer | None = None,
    ) -> None:
        """Prepare; nothing listens before `start`.

        Args:
            settings: address, TLS, limits.
            services: what is served; `serve` binds each to a servicer.
            tracer: is told of calls; None: nobody is.

        Raises:
            ConfigurationError: a call has no scope, or a certificate cannot be read.
        """
        check_scopes(services)
        limits = settings.limits
        self._settings = settings
        self._gate = Gate(
            RateLimiter(limits.calls_per_second, limits.burst),
            log_calls=settings.log_level == "debug",
            tracer=tracer,
        )
        self._health = health.HealthServicer()
        self._annotation: AnnotationServicer | None = None
        self._server = grpc.aio.server(
            options=[*OPTIONS, ("grpc.max_receive_message_length", limits.message_bytes)],
            maximum_concurrent_rpcs=limits.calls,
        )
        self._services = {
            descriptor.full_name: Service(
                self._gate,
                descriptor,
                limits.annotation_bytes if descriptor is ANNOTATION else limits.message_bytes,
            )
            for descriptor in services
        }
        self._server.add_generic_rpc_handlers(
            tuple(service.handlers() for service in self._services.values())
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if settings.reflection:
            names = (*self._services, HEALTH, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)
        self.port = 0
        """The port that is listened on, once started."""

    @property
    def gate(self) -> Gate:
        """What lets calls in."""
        return self._gate

    @property
    def services(self) -> Mapping[str, Service]:
        """What clients call, by full name."""
        return self._services

    @property
    def work_streams(self) -> int:
        """How many work streams are open."""
        return len(self._annotation.streams) if self._annotation is not None else 0

    @property
    def settings(self) -> Settings:
        """What it was made with."""
        return self._settings

    async def start(self) -> None:
        """Listen; calls are sent away, and health says NOT_SERVING, until `serve`.

        Raises:
            ConfigurationError: the address cannot be listened on, or a certificate cannot be used.
        """
        await self._tell_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        address, tls = self._settings.address, self._settings.tls
        try:
            if tls is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials_of(tls))
        except RuntimeError as error:
            raise cannot_listen(address, "as address in the settings, or with --address") from error
        # A server whose start was cancelled half way cannot be stopped any more: gRPC's loop would be broken.
        starting = asyncio.ensure_future(self._server.start())
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting
            raise

    async def serve(self, group: ShardGroup, servicers: Mapping[str, object] | None = None) -> None:
        """Begin to carry calls out.

        Args:
            group: started.
            servicers: by the full name of their service, for all services but AnnotationService.

        Raises:
            ConfigurationError: a servicer or one of its calls is missing.
        """
        self._annotation = AnnotationServicer(group, self._gate)
        bound: dict[str, object] = {ANNOTATION.full_name: self._annotation, **(servicers or {})}
        for name, service in self._services.items():
            if name not in bound:
                raise ConfigurationError(f"nothing carries out {name}")
            service.bind(bound[name])
        self._gate.open(group)
        await self._tell_health(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Take nothing new, let calls under way finish, and close; the engine may drain afterwards."""
        await self._health.enter_graceful_shutdown()
        if self._gate.group is not None:
            self._gate.group.send_seekers_away()
        if self._annotation is not None:
            self._annotation.streams.go_away()
        await self._server.stop(self._settings.grace_seconds)

    async def _tell_health(self, status: Any) -> None:
        for name in ("", *self._services):
            await self._health.set(name, status)


def credentials_of(tls: TlsSettings) -> grpc.ServerCredentials:
    """Read the files of TLS.

    Raises:
        ConfigurationError: one cannot be read, or they do not fit.
    """
    key, certificate = _read(tls.key), _read(tls.certificate)
    authorities = _read(tls.client_authorities) if tls.client_authorities is not None else None
    signed = None if tls.client_authorities is None else ("client_authorities", tls.client_authorities)
    check_files("tls", tls.certificate, tls.key, signed)
    return grpc.ssl_server_credentials([(key, certificate)], authorities, authorities is not None)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {path} ({error.strerror}): look at tls in the settings"
        ) from error
