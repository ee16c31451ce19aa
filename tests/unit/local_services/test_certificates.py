"""Certificates for the services on loopback, and one for a client."""

from __future__ import annotations

import shutil
import ssl
import stat
import subprocess
from pathlib import Path

import pytest

from local_services import certificates
from local_services.errors import CertificatesFailed

OPENSSL = shutil.which("openssl") or "openssl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("services") / "tls"
    certificates.ensure(made, OPENSSL)
    return made


def verified(folder: Path, certificate: str, *more: str) -> bool:
    command = [OPENSSL, "verify", "-CAfile", certificates.AUTHORITY, *more, certificate]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def test_the_authority_vouches_for_the_server_at_loopback_and_for_no_other_address(folder: Path) -> None:
    purpose = ("-purpose", "sslserver")
    assert verified(folder, certificates.SERVER, *purpose, "-verify_ip", "127.0.0.1")
    assert not verified(folder, certificates.SERVER, *purpose, "-verify_ip", "127.0.0.2")
    assert not verified(folder, certificates.CLIENT, *purpose)


def test_a_client_has_a_certificate_and_its_key(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(folder / certificates.CLIENT, folder / certificates.CLIENT_KEY)
    assert verified(folder, certificates.CLIENT, "-purpose", "sslclient")


def test_nobody_can_be_certified_afterwards_and_keys_are_their_owners(folder: Path) -> None:
    assert not (folder / "authority.key").exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in (certificates.SERVER_KEY, certificates.SERVER_BOTH, certificates.CLIENT_KEY):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_what_is_there_is_left_alone(folder: Path) -> None:
    before = (folder / certificates.SERVER).read_bytes()
    certificates.ensure(folder, "no such program")
    assert (folder / certificates.SERVER).read_bytes() == before


def test_a_failure_says_what_openssl_said_and_leaves_nothing(tmp_path: Path) -> None:
    services = tmp_path / "services"
    services.mkdir()
    failing = tmp_path / "openssl"
    failing.write_text("#!/bin/sh\necho no entropy >&2\nexit 1\n")
    failing.chmod(0o755)
    with pytest.raises(CertificatesFailed, match="no entropy"):
        certificates.ensure(services / "tls", str(failing))
    assert list(services.iterdir()) == []
