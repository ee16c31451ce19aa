"""Processes prove to each other who they are: by certificates for an address, or for one name of all."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from crowdroute.peer.v1 import peer_pb2, peer_pb2_grpc
from crowdroute.router.errors import ConfigurationError, NotReady
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.runtime.settings import PeerSettings, PeerTlsSettings

HERE = "IP:127.0.0.1"
COMMON = "DNS:crowdroute-peers"
"""What a certificate is of where nodes get their addresses later: one name for all."""


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Two authorities, and certificates of theirs."""
    for authority in ("ours", "others"):
        made(tmp_path, "req", "-x509", "-subj", f"/CN={authority}", "-out", f"{authority}.pem", key=authority)
    for name, signed_by, of in (
        ("here", "ours", HERE),
        ("common", "ours", COMMON),
        ("stranger", "others", f"{HERE},{COMMON}"),
    ):
        extended = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={of}", "-out", f"{name}.pem")
        signed = ("-CA", f"{signed_by}.pem", "-CAkey", f"{signed_by}.key")
        made(tmp_path, "req", "-x509", *signed, *extended, key=name)
    (tmp_path / "secret").write_text("0123456789abcdef" * 2)
    return tmp_path


def made(folder: Path, *words: str, key: str) -> None:
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1")
    command = ["openssl", *words, *new, "-keyout", f"{key}.key"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def settings(papers: Path, certificate: str, authority: str = "ours", name: str = "") -> PeerSettings:
    tls = PeerTlsSettings(
        certificate=papers / f"{certificate}.pem",
        key=papers / f"{certificate}.key",
        authorities=papers / f"{authority}.pem",
        name=name,
    )
    return PeerSettings(address="127.0.0.1:0", secret_file=papers / "secret", tls=tls)


class Answers(peer_pb2_grpc.PeerServiceServicer):
    """A group that says how far its organisations are."""

    async def Position(self, request: Any, context: Any) -> Any:  # noqa: N802  # as in the schema
        return peer_pb2.PositionResponse(sequences={"org/default": 7})


@contextlib.asynccontextmanager
async def peer(of: PeerSettings) -> AsyncIterator[str]:
    """Serve a group; gives its address."""
    server = grpc.aio.server()
    peer_pb2_grpc.add_PeerServiceServicer_to_server(Answers(), server)  # type: ignore[no-untyped-call]
    port = Peers(of).listen(server)
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def heard(caller: PeerSettings, called: PeerSettings) -> bool:
    """Whether a process with these settings gets an answer from one with those."""
    async with peer(called) as address:
        link = Peers(caller).link(address)
        try:
            return await link.position(0) == {"org/default": 7}
        except NotReady:
            return False
        finally:
            await link.close()


async def test_processes_whose_certificates_name_their_addresses_hear_each_other(papers: Path) -> None:
    assert await heard(settings(papers, "here"), settings(papers, "here"))


async def test_a_certificate_that_does_not_name_the_address_is_believed_by_its_common_name_alone(
    papers: Path,
) -> None:
    called = settings(papers, "common")
    assert await heard(settings(papers, "here", name="crowdroute-peers"), called)
    assert not await heard(settings(papers, "here"), called)
    assert not await heard(settings(papers, "here", name="somebody-else"), called)


async def test_a_caller_whose_certificate_is_of_another_authority_is_not_heard(papers: Path) -> None:
    assert not await heard(settings(papers, "stranger"), settings(papers, "here"))


async def test_an_answer_of_a_process_of_another_authority_is_not_believed(papers: Path) -> None:
    assert not await heard(settings(papers, "here"), settings(papers, "stranger"))
    # It would take ours: what is refused is what it shows.
    assert await heard(settings(papers, "here", authority="others"), settings(papers, "stranger"))


def test_files_that_do_not_fit_are_told_as_what_they_are(papers: Path) -> None:
    sound = settings(papers, "here")
    assert sound.tls is not None
    for wrong, told in (
        ({"key": papers / "stranger.key"}, r"peers\.tls\.certificate .* do not belong together"),
        ({"certificate": papers / "secret"}, r"peers\.tls\.certificate .* are not both in PEM form"),
        ({"authorities": papers / "secret"}, r"peers\.tls\.authorities .* holds no certificate"),
        ({"authorities": papers / "gone"}, r"cannot read .*gone"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            Peers(sound.model_copy(update={"tls": sound.tls.model_copy(update=wrong)}))


async def test_an_address_for_peers_that_is_taken_is_told_as_that(papers: Path) -> None:
    async with peer(settings(papers, "here")) as address:
        taken = settings(papers, "here").model_copy(update={"address": address})
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        told = r"cannot listen on .* \(Address already in use\): give another as peers\.address"
        with pytest.raises(ConfigurationError, match=told):
            Peers(taken).listen(server)


def test_a_kind_of_key_that_grpc_does_not_know_is_told_as_that(papers: Path) -> None:
    words = ("openssl", "req", "-x509", "-subj", "/CN=new", "-out", "new.pem", "-nodes", "-newkey", "ed25519")
    subprocess.run([*words, "-keyout", "new.key"], cwd=papers, check=True, capture_output=True)
    with pytest.raises(ConfigurationError, match=r"peers\.tls\.key .*new\.key is of the kind Ed25519"):
        Peers(settings(papers, "new"))
