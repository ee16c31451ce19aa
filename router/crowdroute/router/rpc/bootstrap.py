"""The first start on an empty store: the organisation, and a token for whoever runs it."""

from __future__ import annotations

import os
from pathlib import Path

from crowdroute.router.commands.organisation import CreateOrganisation, IssueToken
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.rpc.authentication import new_secret
from crowdroute.router.rpc.scopes import EVERY_SCOPE
from crowdroute.router.runtime.engine import Engine

TOKEN_FILE = "admin.token"
NAME = "first administrator"


async def bootstrap(engine: Engine, tenant: str, directory: Path) -> Path | None:
    """Create the organisation and the first administrator's token where they are missing.

    The token is written to a file that only its owner can read before the log knows it, so a crash in between
    costs nothing: the next start writes another.

    Returns:
        The token's file, or None when there were tokens already.
    """
    stream = organisation_stream(tenant)
    if not engine.has_tenant(tenant):
        await engine.submit(engine.request(stream, CreateOrganisation(tenant)))
    if engine.organisation(tenant).list_tokens():
        return None
    token = engine.new_id()
    secret = new_secret(token)
    path = directory / TOKEN_FILE
    _write_secret(path, secret.bearer)
    await engine.submit(
        engine.request(stream, IssueToken(token, secret.digest, NAME, tuple(sorted(EVERY_SCOPE))))
    )
    return path


def _write_secret(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
