"""How groups prove to each other who they are: a secret, and certificates of their own.

A peer says who called, and is believed: whoever can reach a group as its peer can act as anybody. So peers
have an address apart from that of clients, a secret that they share, and mutual TLS wherever they are not on
one machine.
"""

from __future__ import annotations

import hmac
import ipaddress
from pathlib import Path
from typing import NamedTuple

import grpc

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.rpc.group.link import SECRET, PeerLink
from crowdroute.router.rpc.listening import cannot_listen, check_files
from crowdroute.router.runtime.settings import PeerSettings

SHORTEST_SECRET = 32
"""Characters: 128 bits and more where they are hexadecimal digits."""


class Peers:
    """What the settings say of the other groups."""

    def __init__(self, settings: PeerSettings) -> None:
        """Read the secret and the certificates.

        Raises:
            ConfigurationError: they cannot be read, the secret is too short, or peers of other machines would
                speak without encryption.
        """
        self._settings = settings
        self._secret, self._pem = proofs_of(settings)
        addresses = [settings.address, *(other.peers for other in settings.others)]
        if settings.tls is None and (far := [one for one in addresses if not _is_here(one)]):
            raise ConfigurationError(
                f"{far[0]} may be on another machine, and peers speak without encryption: give peers.tls in"
                " the settings, or loopback addresses alone"
            )

    def link(self, address: str) -> PeerLink:
        """Give the way to a group."""
        tls = self._settings.tls
        if tls is None or self._pem is None:
            return PeerLink(address, self._secret, None)
        authorities, key, certificate = self._pem
        credentials = grpc.ssl_channel_credentials(authorities, key, certificate)
        return PeerLink(address, self._secret, credentials, tls.name)

    def listen(self, server: grpc.aio.Server) -> int:
        """Have a server listen for peers; gives the port.

        Raises:
            ConfigurationError: the address cannot be listened on.
        """
        address = self._settings.address
        try:
            if self._pem is None:
                return server.add_insecure_port(address)
            authorities, key, certificate = self._pem
            credentials = grpc.ssl_server_credentials([(key, certificate)], authorities, True)
            return server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise cannot_listen(address, "as peers.address") from error

    def is_peer(self, metadata: object) -> bool:
        """Say whether a call carries the secret."""
        for name, value in metadata or ():  # type: ignore[attr-defined]  # pairs, which the stubs do not say
            if name == SECRET and isinstance(value, str):
                return hmac.compare_digest(value.encode(), self._secret.encode())
        return False


class Proofs(NamedTuple):
    """What groups show each other."""

    secret: str
    pem: tuple[bytes, bytes, bytes] | None
    """Authorities, key and certificate; None: nothing is encrypted."""


def proofs_of(settings: PeerSettings) -> Proofs:
    """Read the secret that groups share, and the files of TLS.

    Raises:
        ConfigurationError: one cannot be read, the secret is too short, or the files do not fit.
    """
    secret, tls = _secret_of(settings), settings.tls
    if tls is None:
        return Proofs(secret, None)
    pem = _bytes(tls.authorities), _bytes(tls.key), _bytes(tls.certificate)
    check_files("peers.tls", tls.certificate, tls.key, ("authorities", tls.authorities))
    return Proofs(secret, pem)


def _secret_of(settings: PeerSettings) -> str:
    secret = _text(settings.secret_file).strip()
    if len(secret) < SHORTEST_SECRET:
        raise ConfigurationError(
            f"{settings.secret_file} holds {len(secret)} characters: give at least {SHORTEST_SECRET}, for"
            " example those of `openssl rand -hex 32`; look at peers.secret_file in the settings"
        )
    return secret


def _is_here(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {path} ({error.strerror}): look at peers in the settings"
        ) from error


def _text(path: Path) -> str:
    return _bytes(path).decode("ascii", "replace")
