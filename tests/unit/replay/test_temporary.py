"""An engine of our own that does not come up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crowdroute.router.replay import temporary


class Listening:
    """A server that only knows whether it listens."""

    def __init__(self) -> None:
        self.on = False

    async def start(self) -> None:
        self.on = True

    async def stop(self) -> None:
        self.on = False


@contextlib.asynccontextmanager
async def interrupted(directory: Path, snapshots: bool) -> AsyncIterator[None]:
    raise asyncio.CancelledError
    yield


def test_an_engine_that_is_interrupted_while_it_starts_leaves_no_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Listening()
    monkeypatch.setattr(temporary, "make_server", lambda settings: server)
    monkeypatch.setattr(temporary, "embedded_group", interrupted)

    async def enter() -> None:
        async with temporary.temporary_engine():
            raise AssertionError("it must not come up")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(enter())
    assert not server.on
