"""What keeps a server from listening; gRPC itself says only that it cannot."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from pathlib import Path

from crowdroute.router.errors import ConfigurationError

ED25519 = bytes.fromhex("06032b6570")
"""Object identifier of that kind of key (RFC 8410)."""

HEAD_BYTES = 32
"""Of a key, with what says its kind."""


def check_files(setting: str, certificate: Path, key: Path, authorities: tuple[str, Path] | None) -> None:
    """See that the files of TLS are what they should be.

    Args:
        setting: what they are named under.
        certificate: in PEM form.
        key: in PEM form.
        authorities: name and file of those who signed what others show; None: nobody is asked.

    Raises:
        ConfigurationError: they are not.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        pair = f"{setting}.certificate {certificate} and {setting}.key {key}"
        why = "do not belong together" if "MISMATCH" in (error.reason or "") else "are not both in PEM form"
        raise ConfigurationError(f"{pair} {why}: look at {setting} in the settings") from error
    if _is_ed25519(key):
        raise ConfigurationError(
            f"{setting}.key {key} is of the kind Ed25519, which gRPC does not understand: make one with"
            " `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`, and a certificate of it"
        )
    if authorities is None:
        return
    name, file = authorities
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"{setting}.{name} {file} holds no certificate in PEM form: look at {setting} in the settings"
        ) from error


def cannot_listen(address: str, what_else: str) -> ConfigurationError:
    """Say why gRPC could not listen, and what to do.

    Args:
        address: where it was to.
        what_else: how another address is given.
    """
    return ConfigurationError(
        f"cannot listen on {address} ({_why_not(address)}): give another {what_else}, or see what else"
        " listens there"
    )


def _why_not(address: str) -> str:
    """Say why host:port cannot be listened on."""
    host, _, port = address.rpartition(":")
    try:
        for family, kind, _, _, place in socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        ):
            with socket.socket(family, kind) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(place)
                tried.listen()
    except OSError as error:
        return error.strerror or str(error)
    return "it is free by now"


def _is_ed25519(key: Path) -> bool:
    """Say whether a key in PEM form is of the kind that gRPC takes and then shakes hands with nobody."""
    found = re.search(rb"-----BEGIN PRIVATE KEY-----(.+?)-----END", key.read_bytes(), re.DOTALL)
    return found is not None and ED25519 in base64.b64decode(found[1])[:HEAD_BYTES]
