"""Encrypted connections: the server proves who it is, and with client authorities the client does too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.support.certificates import make_certificate
from tests.support.wire import Wire, serving

from crowdroute.client import AsyncClient, Client, Connection, NotConnected
from crowdroute.router.rpc.scopes import SESSION_SCOPES
from crowdroute.router.runtime.settings import TlsSettings


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Self-signed certificates of a server, a client, and a stranger."""
    directory = tmp_path_factory.mktemp("certificates")
    for name in ("server", "client", "stranger"):
        make_certificate(directory, name, name)
    return directory


async def connection(wire: Wire, name: str = "cats", **tls: object) -> tuple[str, Connection]:
    """Give a project with a task, and the connection of somebody who may work there."""
    project = await wire.project(name)
    await wire.tasks(project)
    _, bearer = await wire.token(scopes=SESSION_SCOPES, worker=await wire.worker())
    return project, Connection(f"localhost:{wire.server.port}", bearer, attempts=1, **tls)  # type: ignore[arg-type]


async def offers(project: str, connection: Connection) -> int:
    """Give how many offers either kind of client gets in all."""
    async with AsyncClient(connection) as client:
        found = len(await client.next(project))
    with Client(connection) as blocking:
        return found + len(await asyncio.to_thread(blocking.next, project))


async def test_a_client_that_trusts_the_server_works_encrypted(certificates: Path) -> None:
    tls = TlsSettings(certificate=certificates / "server.pem", key=certificates / "server.key")
    async with serving(tls=tls) as wire:
        root = (certificates / "server.pem").read_bytes()
        project, trusting = await connection(wire, root_certificates=root)

        assert await offers(project, trusting) == 1


@pytest.mark.parametrize("about", ["a stranger's certificate", "the system's certificates", "no encryption"])
async def test_a_client_that_does_not_trust_the_server_says_nothing(certificates: Path, about: str) -> None:
    given = {
        "a stranger's certificate": {"root_certificates": (certificates / "stranger.pem").read_bytes()},
        "the system's certificates": {"tls": True},
        "no encryption": {},
    }
    tls = TlsSettings(certificate=certificates / "server.pem", key=certificates / "server.key")
    async with serving(tls=tls) as wire:
        project, wary = await connection(wire, **given[about])

        with pytest.raises(NotConnected):
            await offers(project, wary)


async def test_with_client_authorities_only_their_clients_get_in(certificates: Path) -> None:
    tls = TlsSettings(
        certificate=certificates / "server.pem",
        key=certificates / "server.key",
        client_authorities=certificates / "client.pem",
    )
    root = (certificates / "server.pem").read_bytes()

    def shown(name: str) -> dict[str, bytes]:
        return {
            "root_certificates": root,
            "client_certificate": (certificates / f"{name}.pem").read_bytes(),
            "client_key": (certificates / f"{name}.key").read_bytes(),
        }

    async with serving(tls=tls) as wire:
        project, known = await connection(wire, **shown("client"))
        assert await offers(project, known) == 1
        for name, given in (("dogs", shown("stranger")), ("birds", {"root_certificates": root})):
            project, unknown = await connection(wire, name, **given)
            with pytest.raises(NotConnected):
                await offers(project, unknown)
