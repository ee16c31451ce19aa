"""Which engine a command talks to, and as whom."""

from __future__ import annotations

import os
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from crowdroute.api.v1 import projects_pb2
from crowdroute.client import Client, ClientError, Connection
from crowdroute.router.cli.reaching import Tls, reach
from crowdroute.router.cli.texts import read_text

DEFAULT_ADDRESS = "localhost:7070"
DEFAULT_TOKEN_FILE = Path(".crowdroute/admin.token")
"""Where `crowdroute serve` writes the administrator's token when it runs in the same folder."""

QUIET_TRIES = 4
"""Tries of a call that are nobody's business: they take a second or two."""

Address = Annotated[
    str,
    typer.Option(
        "--address",
        "-a",
        envvar="CROWDROUTE_ADDRESS",
        help="Host and port of the engine. If it speaks TLS, see `crowdroute --help`.",
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        envvar="CROWDROUTE_TOKEN_FILE",
        help="File with the bearer token. Without it: $CROWDROUTE_TOKEN, then .crowdroute/admin.token.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
ProjectName = Annotated[str, typer.Argument(help="Name or id of the project.", metavar="PROJECT")]


PLAIN = Tls()
_tls: ContextVar[Tls] = ContextVar("tls", default=PLAIN)


def use_tls(tls: Tls) -> None:
    """Have every connection of this run of the program encrypted like this.

    These options stand before the command: they say who runs the program, not what is asked.
    """
    _tls.set(tls)


def connect(address: str, token_file: Path | None) -> Client:
    """Connect to an engine; see `connection_to`.

    Raises:
        NotConnected: there is none, or it does not let us in; the message says which and what to do.
    """
    client = Client(connection_to(address, token_file))
    try:
        reach(client, _tls.get())
    except BaseException:
        client.close()
        raise
    return client


def connection_to(address: str, token_file: Path | None) -> Connection:
    """Say how to reach an engine, with the token that was given, or that lies where `serve` left it.

    Raises:
        BadParameter: there is no token, or a certificate without its key, or a key without its certificate.
        OSError: a file cannot be read.
    """
    authority, certificate, key = _tls.get()
    if (certificate is None) != (key is None):
        raise typer.BadParameter("--certificate and --key belong together: give both or neither")
    return Connection(
        address,
        token_for(token_file),
        root_certificates=_bytes(authority),
        client_certificate=_bytes(certificate),
        client_key=_bytes(key),
        told=_tell,
    )


def _tell(tries: int, failure: ClientError) -> None:
    """Say once, of a call that is tried again for a while, what it waits for."""
    if tries == QUIET_TRIES:
        typer.echo(f"{failure.message} (trying again for some seconds)", err=True)


def _bytes(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()


def token_for(token_file: Path | None) -> str:
    """Give the token that was given, or that lies where `serve` left it.

    Raises:
        BadParameter: there is none, or what is there cannot be one.
    """
    if token_file is not None:
        return _token(read_text(token_file), str(token_file))
    from_environment = os.environ.get("CROWDROUTE_TOKEN", "")
    if from_environment:
        return _token(from_environment, "CROWDROUTE_TOKEN")
    if DEFAULT_TOKEN_FILE.exists():
        return _token(read_text(DEFAULT_TOKEN_FILE), str(DEFAULT_TOKEN_FILE))
    raise typer.BadParameter(
        "no token: give --token-file, or set CROWDROUTE_TOKEN, or run in the folder where `crowdroute serve` "
        f"wrote {DEFAULT_TOKEN_FILE}"
    )


def _token(text: str, where: str) -> str:
    """Give the token in a text: gRPC sends nothing but visible ASCII."""
    token = text.strip()
    if not token:
        raise typer.BadParameter(f"no token: {where} is empty")
    if not (token.isascii() and token.isprintable()):
        raise typer.BadParameter(
            f"a token is one line of ASCII, so what {where} holds cannot be one: put one there"
        )
    return token


def find_project(client: Client, project: str) -> projects_pb2.Project:
    """Give the project of this name or id."""
    key = {"project_id": project} if project.startswith("prj_") else {"name": project}
    found: projects_pb2.Project = client.operations.GetProject(projects_pb2.GetProjectRequest(**key))
    return found
