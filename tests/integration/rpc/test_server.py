"""The server itself: health, limits, certificates, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.support.wire import Wire, answer, held, serving

from crowdroute.api.v1 import annotation_pb2, operations_pb2, work_pb2
from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import LimitSettings, Settings, TlsSettings

Health = health_pb2.HealthCheckResponse
NAMES = ("", "crowdroute.api.v1.AnnotationService")


async def health(channel: grpc.aio.Channel, name: str = "") -> int:
    reply = await health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(service=name), timeout=5
    )
    return int(reply.status)


@pytest.mark.parametrize("name", NAMES)
async def test_health_says_serving_once_it_does(wire: Wire, name: str) -> None:
    assert await health(wire.channel, name) == Health.SERVING


@pytest.mark.parametrize("name", NAMES)
async def test_health_says_not_serving_while_the_log_is_folded(name: str) -> None:
    server = Server(Settings(address="127.0.0.1:0", grace_seconds=0))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            assert await health(channel, name) == Health.NOT_SERVING
    finally:
        await server.stop()


async def test_health_says_not_serving_while_calls_under_way_are_finished() -> None:
    async with serving(grace_seconds=5) as wire:
        project = await wire.project()
        await wire.tasks(project)
        work = (await wire.annotator()).work()
        await work.send(hello=work_pb2.Hello(project_id=project, credits=1))
        offer = await work.offer()
        watch = health_pb2_grpc.HealthStub(wire.channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == Health.SERVING
        sequence = await work.send(submit=wire_types.SubmitRequest(**held(offer), answers=answer()))
        await work.reply(sequence)

        stopping = asyncio.create_task(wire.server.stop())

        assert (await watch.read()).status == Health.NOT_SERVING
        watch.cancel()
        while await work.hear():
            pass
        await stopping
        assert work.going == "SHUTTING_DOWN"


async def test_two_servers_do_not_share_a_port(wire: Wire) -> None:
    other = Server(Settings(address=f"127.0.0.1:{wire.server.port}"))

    with pytest.raises(ConfigurationError, match=r"cannot listen on .* \(Address already in use\)"):
        await other.start()


@pytest.mark.parametrize("steps", range(5))
async def test_a_server_whose_start_is_cancelled_can_be_stopped(steps: int) -> None:
    broken: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: broken.append(context))
    server = Server(Settings(address="127.0.0.1:0", grace_seconds=0))
    starting = asyncio.create_task(server.start())
    for _ in range(steps):
        await asyncio.sleep(0)
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    await server.stop()
    del server, starting
    gc.collect()  # a task of gRPC's that failed and that nobody asked is told of only now
    assert broken == []


async def test_more_calls_at_once_than_allowed_are_sent_away() -> None:
    async with serving(LimitSettings(calls=2, calls_per_second=0)) as wire:
        project = await wire.project()
        await wire.tasks(project, 9)
        anns = [await wire.annotator() for _ in range(3)]
        streams = [ann.work() for ann in anns[:2]]
        for stream in streams:
            await stream.send(hello=work_pb2.Hello(project_id=project, credits=1))
            await stream.offer()

        refused = await anns[2].refusal("Next", wire_types.NextRequest(project_id=project))

        assert refused.status is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_headers_beyond_the_limit_are_refused(wire: Wire) -> None:
    project = await wire.project()
    ann = await wire.annotator()
    large = (("x-request-id", "x" * 40_000),)

    refused = await ann.refusal("Next", wire_types.NextRequest(project_id=project), metadata=large)

    assert refused.status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await ann.call("Next", wire_types.NextRequest(project_id=project))).HasField("no_task")


async def reflected(server: Server) -> list[str]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        reply = await call.read()
        await call.done_writing()
        return [service.name for service in reply.list_services_response.service]


@pytest.mark.parametrize("on", [True, False])
async def test_the_schema_is_told_only_when_that_is_set(on: bool) -> None:
    server = Server(Settings(address="127.0.0.1:0", reflection=on, grace_seconds=0))
    await server.start()
    try:
        if on:
            assert "crowdroute.api.v1.AnnotationService" in await reflected(server)
        else:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await reflected(server)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    finally:
        await server.stop()


async def test_a_service_that_nothing_carries_out_is_not_served(wire: Wire) -> None:
    services = (
        annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"],
        operations_pb2.DESCRIPTOR.services_by_name["OperationsService"],
    )
    server = Server(Settings(address="127.0.0.1:0", grace_seconds=0), services)

    with pytest.raises(ConfigurationError, match="OperationsService"):
        await server.serve(ShardGroup.alone(wire.engine))


# Certificates


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, and a server's and a client's certificate from it."""
    directory = tmp_path_factory.mktemp("papers")

    def run(*arguments: str) -> None:
        subprocess.run(("openssl", *arguments), cwd=directory, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    (directory / "names").write_text("subjectAltName=DNS:localhost\n")
    for name in ("server", "client"):
        run("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        run("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.pem")
    return directory


def secure(papers: Path, server: Server, *, client: bool) -> grpc.aio.Channel:
    read = lambda name: (papers / name).read_bytes()  # noqa: E731
    own = (read("client.key"), read("client.pem")) if client else (None, None)
    return grpc.aio.secure_channel(
        f"localhost:{server.port}", grpc.ssl_channel_credentials(read("ca.pem"), *own)
    )


@pytest.mark.parametrize("mutual", [False, True])
async def test_an_encrypted_server_is_reached_with_the_right_papers(papers: Path, mutual: bool) -> None:
    tls = TlsSettings(
        certificate=papers / "server.pem",
        key=papers / "server.key",
        client_authorities=papers / "ca.pem" if mutual else None,
    )
    server = Server(Settings(address="127.0.0.1:0", tls=tls, grace_seconds=0))
    await server.start()
    try:
        async with (
            secure(papers, server, client=True) as known,
            secure(papers, server, client=False) as stranger,
        ):
            assert await health(known) == Health.NOT_SERVING
            if mutual:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await health(stranger)
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            else:
                assert await health(stranger) == Health.NOT_SERVING
    finally:
        await server.stop()


async def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    tls = TlsSettings(certificate=tmp_path / "none.pem", key=tmp_path / "none.key")
    server = Server(Settings(address="127.0.0.1:0", tls=tls))

    with pytest.raises(ConfigurationError, match=r"none\.key"):
        await server.start()


@pytest.mark.parametrize(
    ("certificate", "key", "authorities", "told"),
    [
        ("server.pem", "client.key", "ca.pem", "do not belong together"),
        ("names", "server.key", "ca.pem", "not both in PEM form"),
        ("server.pem", "server.key", "names", "names holds no certificate in PEM form"),
    ],
)
async def test_files_that_are_no_certificates_are_told_as_that(
    papers: Path, certificate: str, key: str, authorities: str, told: str
) -> None:
    tls = TlsSettings(
        certificate=papers / certificate, key=papers / key, client_authorities=papers / authorities
    )
    server = Server(Settings(address="127.0.0.1:0", tls=tls))

    with pytest.raises(ConfigurationError, match=told):
        await server.start()
