"""`crowdroute serve`: one engine over one directory, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from crowdroute.router.errors import RouterError
from crowdroute.router.machine.shard import Shard
from crowdroute.router.rpc.assembly import make_server, serve_engine
from crowdroute.router.rpc.bootstrap import bootstrap
from crowdroute.router.runtime.embedded import embedded_engine
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.settings import Settings, load_settings


def serve(
    directory: Annotated[
        Path | None, typer.Option("--dir", "-d", help="Where log and contents lie (default .crowdroute).")
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", "-a", help="host:port to listen on (default 127.0.0.1:7070).")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="TOML file with settings.")] = None,
) -> None:
    """Serve gRPC from a directory; everything is durable there before it is answered.

    On an empty directory the first administrator's token is written to DIR/admin.token, which only its owner
    can read.

    Example: crowdroute serve --dir /var/lib/crowdroute --address 0.0.0.0:7070 --config crowdroute.toml
    """
    settings = load_settings(config, directory=directory, address=address)
    failure = asyncio.run(_serve(settings))
    if failure is not None:
        raise failure


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _tell_recovered(found: Recovered[Shard]) -> None:
    for why in found.skipped:
        _tell(why)
    if found.snapshot or found.batches:
        _tell(
            f"recovered in {found.seconds:.2f} s: snapshot at batch {found.snapshot}, "
            f"then {found.batches} batches with {found.events} events"
        )


async def _serve(settings: Settings) -> RouterError | None:
    """Serve until a signal or a failure; give the failure."""
    server = make_server(settings)
    await server.start()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        async with embedded_engine(
            settings.directory, snapshots=settings.snapshots, recovered=_tell_recovered
        ) as engine:
            token = await bootstrap(engine, settings.tenant, settings.directory)
            if token is not None:
                _tell(f"the first administrator's token is in {token}")
            await serve_engine(server, engine)
            _tell(f"serving on port {server.port}, data in {settings.directory}")
            waiting = asyncio.create_task(stop.wait())
            await asyncio.wait((waiting, engine.failed), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            failure = engine.failed.result() if engine.failed.done() else None
            _tell("stopping: calls under way are finished" if failure is None else "stopping: the log failed")
            await server.stop()
    except RouterError as error:
        return error
    finally:
        await server.stop()
    return failure
