"""A process that serves an organisation of many workers to its peers and tells how long its loop is held."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import AsyncIterator, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from crowdroute.router.commands.organisation import (
    CreateOrganisation,
    OrganisationCommand,
    RegisterProject,
    UpsertWorker,
)
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.rpc.assembly import make_server
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.rpc.group.server import peers_served
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.garbage import calm_collector
from crowdroute.router.runtime.settings import LimitSettings, PeerSettings, Settings, shard_map_of

TENANT = "default"
STREAM = organisation_stream(TENANT)
PROJECT = b"project of bench"
SECRET = "0123456789abcdef" * 4
TICK_SECONDS = 0.001
TOGETHER = 2_000
"""Commands decided before the log is waited for."""


def identity(kind: int, number: int) -> bytes:
    """Give an id of 16 bytes."""
    return bytes([kind]) + number.to_bytes(15, "big")


def upsert(number: int) -> UpsertWorker:
    """Give what makes a worker known."""
    return UpsertWorker(identity(1, number), identity(2, number), identity(3, number))


class Ticker:
    """Notes for how long at a stretch a loop does not come back to a task that only sleeps."""

    def __init__(self) -> None:
        """Begin at once, in the running loop."""
        self._longest = 0.0
        self._task = asyncio.ensure_future(self._tick())

    def longest(self) -> float:
        """Give the longest hold since this was asked last, in seconds."""
        longest, self._longest = self._longest, 0.0
        return longest

    async def _tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_SECONDS)
            self._longest = max(self._longest, time.perf_counter() - before - TICK_SECONDS)


class Home:
    """The process, as whoever started it sees it."""

    def __init__(self, pipe: Connection) -> None:
        """Wait until it serves."""
        self._pipe = pipe
        self.port: int = pipe.recv()
        """Where its peers reach it."""

    def longest(self) -> float:
        """Give for how long its loop was held at most since this was asked last, in seconds."""
        self._pipe.send("longest")
        longest: float = self._pipe.recv()
        return longest


@contextlib.contextmanager
def home_of(workers: int, folder: Path) -> Iterator[Home]:
    """Start a process whose organisation has so many workers, and end it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(there, workers, folder))
    process.start()
    try:
        yield Home(here)
        here.send("end")
    finally:
        process.join(30)
        process.kill()


def _run(pipe: Connection, workers: int, folder: Path) -> None:
    asyncio.run(_serve(pipe, workers, folder))


async def _serve(pipe: Connection, workers: int, folder: Path) -> None:
    async with _serving(workers, folder) as port:
        calm_collector()
        ticker = Ticker()
        pipe.send(port)
        while await asyncio.to_thread(pipe.recv) == "longest":
            pipe.send(ticker.longest())


@contextlib.asynccontextmanager
async def _serving(workers: int, folder: Path) -> AsyncIterator[int]:
    secret = folder / "peers.secret"
    secret.write_text(SECRET)
    settings = Settings(
        directory=folder / "home",
        address="127.0.0.1:0",
        shards=2,
        limits=LimitSettings(calls_per_second=0),
        peers=PeerSettings(address="127.0.0.1:0", secret_file=secret),
    )
    assert settings.peers is not None
    group = embedded_group(settings.directory, shard_map_of(settings), own=[0], snapshots=False)
    async with group as home, peers_served(Peers(settings.peers), make_server(settings), home) as forwarding:
        engine = home.engines[0]
        commands: list[OrganisationCommand] = [CreateOrganisation(TENANT)]
        commands += [RegisterProject(PROJECT, "bench", 1), *map(upsert, range(workers))]
        for first in range(0, len(commands), TOGETHER):
            for command in commands[first : first + TOGETHER]:
                engine.decide(engine.request(STREAM, command))
            await engine.observe()
        yield forwarding.port
