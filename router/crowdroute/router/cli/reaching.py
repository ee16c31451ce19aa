"""Whether the engine can be reached, and in plain words why not.

gRPC tries again for as long as it is let, whatever the reason, and tells it in words of its own. So when a
connection is not there after a moment, we look ourselves: what waiting cannot mend is told at once.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from pathlib import Path
from typing import NamedTuple

import typer

from crowdroute.client import Client, NotConnected

FIRST_LOOK_S = 1.0
"""Within this an engine that can be reached is."""

PATIENCE_S = 15.0
"""An engine that crashed, or is replaced, is back by then."""

PROBE_S = 3.0
"""How long each step of looking may take."""

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a client of HTTP/2 says first; a server of it answers with a frame of the same type."""

FRAME_TYPE, SETTINGS = 3, 4
"""Place of a frame's type, and the type of that first frame."""

PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
"""Where gRPC finds that it must not connect by itself."""


class Tls(NamedTuple):
    """PEM files of an encrypted connection; without any it is plain."""

    authority: Path | None = None
    """Whom to trust; the system's authorities when only the other two are given."""
    certificate: Path | None = None
    key: Path | None = None


class Trouble(NamedTuple):
    """Why there is no connection."""

    code: str
    what: str
    passing: bool = False
    """Whether it may be over in a moment."""


def reach(client: Client, tls: Tls) -> None:
    """Wait until the engine is connected to.

    Raises:
        NotConnected: it cannot be, or is not within `PATIENCE_S`; the message says why and what to do.
    """
    address = client.connection.address
    end = time.monotonic() + PATIENCE_S
    told = False
    while not client.wait_ready(FIRST_LOOK_S):
        trouble = look(address, tls)
        proxied = any(os.environ.get(name) for name in PROXIES)
        if trouble is not None and not (trouble.passing or proxied):
            raise NotConnected(trouble.code, trouble.what)
        why = trouble.what if trouble else f"{address} does not answer; see that an engine runs there"
        if time.monotonic() > end:
            raise NotConnected("UNREACHABLE", why)
        if not told:
            typer.echo(f"{why} (waiting up to {PATIENCE_S:.0f} s for it)", err=True)
            told = True


def look(address: str, tls: Tls) -> Trouble | None:
    """Say why an engine cannot be connected to; None when it looks as if it could."""
    host, _, port = address.rpartition(":")
    if host.startswith(("unix", "dns", "ipv", "xds")):  # another way to write a target of gRPC
        return None
    if not host or not port.isdigit() or int(port) > 65_535:
        return Trouble("UNREACHABLE", f"{address!r} is no address: give host:port, such as localhost:7070")
    try:
        context = _context(tls) if any(tls) else None
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_S) as connected:
            if context is None:
                return _look_plainly(address, connected)
            return _look_encrypted(address, connected, context, tls)
    except _Found as found:
        return found.trouble
    except socket.gaierror as error:
        what = f"no machine called {host!r} is found ({error.strerror}): name another with --address"
        return Trouble("UNREACHABLE", what, passing=error.errno != socket.EAI_NONAME)
    except ConnectionRefusedError:
        what = f"nothing listens at {address}: start an engine with `crowdroute serve`, or name another with"
        return Trouble("UNREACHABLE", f"{what} --address", passing=True)
    except OSError as error:
        what = f"{address} cannot be connected to ({error.strerror or error}): see that an engine runs there"
        return Trouble("UNREACHABLE", what, passing=True)


class _Found(Exception):
    """What was found while looking."""

    def __init__(self, what: str) -> None:
        self.trouble = Trouble("TLS", what)


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.authority)
    except ssl.SSLError:
        raise _Found(
            f"{tls.authority} holds no certificate in PEM form; name another with --authority"
        ) from None
    context.set_alpn_protocols(["h2"])
    if tls.certificate is not None:
        try:
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except ssl.SSLError as error:
            pair = f"the certificate {tls.certificate} and the key {tls.key}"
            why = (
                "do not belong together" if "MISMATCH" in (error.reason or "") else "are not both in PEM form"
            )
            raise _Found(f"{pair} {why}; name others with --certificate and --key") from None
    return context


def _look_plainly(address: str, connected: socket.socket) -> Trouble | None:
    try:
        connected.sendall(HELLO)
        answer = connected.recv(9)
    except ConnectionError:
        answer = b""
    except TimeoutError:
        return None
    if answer[FRAME_TYPE : FRAME_TYPE + 1] == bytes((SETTINGS,)):
        return None
    if _speaks_tls(connected.getpeername()):
        how = "crowdroute --authority FILE COMMAND"
        return Trouble("TLS", f"{address} speaks TLS: name the PEM file to verify it with: {how}")
    what = f"what listens at {address} is no engine: name another with --address"
    return Trouble("UNREACHABLE", what, passing=not answer)


def _speaks_tls(place: tuple[str, int]) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection(place[:2], timeout=PROBE_S) as connected,
            context.wrap_socket(connected),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def _look_encrypted(
    address: str, connected: socket.socket, context: ssl.SSLContext, tls: Tls
) -> Trouble | None:
    try:
        with context.wrap_socket(
            connected, server_hostname=address.rpartition(":")[0].strip("[]")
        ) as secured:
            secured.sendall(HELLO)
            # Under TLS 1.3 a client learns only now what the server thinks of its certificate.
            if secured.recv(9):
                return None
            refused = True
    except ssl.SSLCertVerificationError as error:
        trusted = f"by {tls.authority}" if tls.authority else "by this system's authorities"
        what = f"the certificate of {address} is not good {trusted} ({error.verify_message})"
        return Trouble("TLS", f"{what}: name the PEM file to verify it with: --authority")
    except ssl.SSLError as error:
        refused = "ALERT" in (error.reason or "")
    except ConnectionError:
        refused = True
    except TimeoutError:
        return None
    if not refused:
        what = f"{address} does not speak TLS: leave out --authority, --certificate and --key"
        return Trouble("TLS", f"{what} (CROWDROUTE_CA, CROWDROUTE_CERTIFICATE, CROWDROUTE_KEY)")
    if tls.certificate is None:
        what = f"{address} wants a certificate of its clients: give --certificate and --key"
    else:
        what = f"{address} does not accept the certificate {tls.certificate}: give another with --certificate"
    return Trouble("TLS", what)
