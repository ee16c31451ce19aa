"""Which engine a command talks to, and as whom."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from crowdroute.api.v1 import projects_pb2
from crowdroute.client import Client, Connection
from crowdroute.router.cli.texts import read_text

DEFAULT_ADDRESS = "localhost:7070"
DEFAULT_TOKEN_FILE = Path(".crowdroute/admin.token")
"""Where `crowdroute serve` writes the administrator's token when it runs in the same folder."""

Address = Annotated[
    str,
    typer.Option(
        "--address",
        "-a",
        envvar="CROWDROUTE_ADDRESS",
        help="Host and port of the engine. If it speaks TLS, $CROWDROUTE_CA names the PEM file to verify it.",
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


def connect(address: str, token_file: Path | None) -> Client:
    """Connect to an engine; see `connection_to`."""
    return Client(connection_to(address, token_file))


def connection_to(address: str, token_file: Path | None) -> Connection:
    """Say how to reach an engine, with the token that was given, or that lies where `serve` left it; with
    TLS, when the environment names whom to trust."""
    trusted = os.environ.get("CROWDROUTE_CA", "")
    certificates = Path(trusted).read_bytes() if trusted else None
    return Connection(address, token_for(token_file), root_certificates=certificates)


def token_for(token_file: Path | None) -> str:
    """Give the token that was given, or that lies where `serve` left it.

    Raises:
        BadParameter: there is none.
    """
    if token_file is not None:
        return read_text(token_file).strip()
    from_environment = os.environ.get("CROWDROUTE_TOKEN", "")
    if from_environment:
        return from_environment
    if DEFAULT_TOKEN_FILE.exists():
        return read_text(DEFAULT_TOKEN_FILE).strip()
    raise typer.BadParameter(
        "no token: give --token-file, or set CROWDROUTE_TOKEN, or run in the folder where `crowdroute serve` "
        f"wrote {DEFAULT_TOKEN_FILE}"
    )


def find_project(client: Client, project: str) -> projects_pb2.Project:
    """Give the project of this name or id."""
    key = {"project_id": project} if project.startswith("prj_") else {"name": project}
    found: projects_pb2.Project = client.operations.GetProject(projects_pb2.GetProjectRequest(**key))
    return found
