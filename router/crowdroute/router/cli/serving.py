"""`crowdroute serve`: the shards of one directory, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Annotated

import structlog
import typer

from crowdroute.router.adapters.open_telemetry import traced
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.cli.log_lines import for_programs, take_in_libraries, write_log
from crowdroute.router.errors import ConfigurationError, RouterError
from crowdroute.router.feeds.feeding import failure_of, fed
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.machine.shard import Shard
from crowdroute.router.metrics.endpoint import metrics_served
from crowdroute.router.ports import Tracer
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.bootstrap import bootstrap
from crowdroute.router.rpc.group.forwarding import Forwarding
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.rpc.group.server import peers_served
from crowdroute.router.rpc.server import Server
from crowdroute.router.rpc.sharing import shared
from crowdroute.router.runtime.directory.opening import opened_directory
from crowdroute.router.runtime.opening import opened_group
from crowdroute.router.runtime.placement import FIRST_SHARD
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.settings import Settings, load_settings

STOPPED, FAILED, MISUSED = range(3)
"""Exit codes: told to stop; the log, the disk or a defect; settings that cannot work."""

_log = structlog.get_logger("crowdroute.serve")


def serve(
    directory: Annotated[
        Path | None, typer.Option("--dir", "-d", help="Where log and contents lie (default .crowdroute).")
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", "-a", help="host:port to listen on (default 127.0.0.1:7070).")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="TOML file with settings.")] = None,
) -> int:
    """Serve gRPC from a directory; everything is durable there before it is answered.

    On an empty directory the first administrator's token is written to DIR/admin.token, which only its owner
    can read.

    Example: crowdroute serve --dir /var/lib/crowdroute --address 0.0.0.0:7070 --config crowdroute.toml
    """
    settings = load_settings(config, directory=directory, address=address)
    write_log(settings.log_level)
    take_in_libraries(settings.log_level)
    try:
        failure = asyncio.run(_serve(settings))
    except Exception as error:
        return _ended(error)
    return STOPPED if failure is None else _ended(failure)


def _ended(error: Exception) -> int:
    """Tell programs why the engine ended, and give the exit code; people are told as by every command."""
    if not for_programs():
        raise error
    if isinstance(error, RouterError):
        _log.critical("ended", code=error.code, reason=error.message)
        return MISUSED if isinstance(error, ConfigurationError) else FAILED
    if isinstance(error, OSError):
        _log.critical("ended", code="FILE", file=str(error.filename), reason=error.strerror)
        return MISUSED
    _log.critical("ended", code="INTERNAL", exc_info=error)
    return FAILED


def _tell_recovered(found: Recovered[Shard]) -> None:
    for why in found.skipped:
        _log.warning("snapshot passed over", reason=why)
    if found.snapshot or found.batches:
        _log.info(
            "recovered",
            seconds=round(found.seconds, 2),
            snapshot=found.snapshot,
            batches=found.batches,
            events=found.events,
        )


async def _serve(settings: Settings) -> RouterError | None:
    """Serve until a signal or a failure; give the failure."""
    feeds = FeedStanding()
    async with contextlib.AsyncExitStack() as around:
        tracer = around.enter_context(traced(settings.tracing.sample)) if settings.tracing else None
        server = make_server(settings, tracer)
        if settings.metrics is not None:
            port = await around.enter_async_context(metrics_served(settings.metrics.address, server, feeds))
            _log.info("metrics served", port=port)
        return await _serve_calls(settings, server, feeds, tracer)


async def _serve_calls(
    settings: Settings, server: Server, feeds: FeedStanding, tracer: Tracer | None
) -> RouterError | None:
    await server.start()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        async with contextlib.AsyncExitStack() as around:
            # What is wrong with the settings is found before a shard is claimed, maybe from who serves it.
            believed = None if settings.peers is None else Peers(settings.peers)
            directory = await around.enter_async_context(opened_directory(settings.redis))
            group = await around.enter_async_context(opened_group(settings, recovered=_tell_recovered))
            if FIRST_SHARD in group.engines:
                token = await bootstrap(group.engines[FIRST_SHARD], settings.tenant, settings.directory)
                if token is not None:
                    _log.info("the first administrator's token was written", file=str(token))
            peers: Forwarding | None = None
            if believed is not None:
                peers = await around.enter_async_context(peers_served(believed, server, group))
                _log.info("peers served", port=peers.port)
            await serve_group(server, group, ProcessJobs(settings.jobs))
            reached = f"{settings.address.rpartition(':')[0]}:{server.port}"
            await around.enter_async_context(shared(directory, server, group, reached))
            _log.info(
                "serving", port=server.port, directory=str(settings.directory), shards=len(group.engines)
            )
            waiting = asyncio.create_task(stop.wait())
            async with fed(settings, group, feeds, tracer, peers) as feeding:
                await asyncio.wait((waiting, group.failed, feeding), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            failure = group.failed.result() if group.failed.done() else failure_of(feeding)
            _log.info("stopping", reason="a signal" if failure is None else "the engine failed")
            await server.stop()
    except RouterError as error:
        return error
    finally:
        await server.stop()
    return failure
