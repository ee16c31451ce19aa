"""An engine of our own in a temporary folder, served on a free port of this machine."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from crowdroute.client import Connection
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.bootstrap import bootstrap
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.settings import LimitSettings, Settings


@contextlib.asynccontextmanager
async def temporary_engine() -> AsyncIterator[Connection]:
    """Serve a fresh engine while the block runs; gives how to reach it as its administrator."""
    with tempfile.TemporaryDirectory(prefix="crowdroute-") as folder:
        directory = Path(folder)
        settings = Settings(
            directory=directory,
            address="127.0.0.1:0",
            snapshots=False,
            grace_seconds=0.5,
            limits=LimitSettings(calls_per_second=0),
        )
        server = make_server(settings)
        try:
            await server.start()
            async with embedded_group(directory, snapshots=False) as group:
                token = await bootstrap(group.engines[0], settings.tenant, directory)
                assert token is not None
                await serve_group(server, group, ProcessJobs())
                try:
                    yield Connection(f"127.0.0.1:{server.port}", token.read_text().strip())
                finally:
                    await server.stop()
        finally:  # an engine that did not come up leaves a server that listens
            await server.stop()
