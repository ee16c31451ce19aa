"""All three services over an engine in memory, reached through the Python client, as back ends do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from crowdroute.api.v1 import (
    assignments_pb2,
    operations_pb2,
    projects_pb2,
    tasks_pb2,
    tokens_pb2,
    types_pb2,
    vendor_pb2,
    workers_pb2,
)
from crowdroute.client import AsyncClient, ClientError, Connection, Refused
from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.adapters.sqlite_content import SqliteContents
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.commands.organisation import CreateOrganisation, IssueToken
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.ports import Jobs
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.authentication import new_secret
from crowdroute.router.rpc.scopes import EVERY_SCOPE
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import LimitSettings, Settings
from crowdroute.router.runtime.shard_loop import OUTAGE_US

TENANT = "acme"
SECOND = 1_000_000
OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["OperationsService"]
VENDOR = vendor_pb2.DESCRIPTOR.services_by_name["VendorService"]
CALLS: Sequence[MethodDescriptor] = (*OPERATIONS.methods, *VENDOR.methods)
"""Every call of both services."""

RULES = """\
schema: crowdroute.rules/v1
labels: [cat, dog, neither]
guideline: Say what is in the picture.
routing:
  policy: fifo
quality:
  overlap: {minimum: 2, maximum: 3}
  stopping: {target: 0.9}
  gold: {share: 0%, first: 0}
money:
  currency: USD
  crowd: "0.02"
  senior: "0.05"
  expert: "0.09"
"""


class Office:
    """The server, the engine behind it, and short words for what operators do."""

    def __init__(self, engine: Engine, server: Server, disk: MemoryDisk, clock: ManualClock) -> None:
        self.engine = engine
        self.server = server
        self.disk = disk
        self.clock = clock
        self.admin: AsyncClient
        self._clients: list[AsyncClient] = []

    async def bearer(
        self,
        scopes: Iterable[str] = EVERY_SCOPE,
        *,
        tenant: str = TENANT,
        vendor: Id = NO_ID,
        pool: Id = NO_ID,
        expires_us: int = 0,
    ) -> str:
        """Issue a token past the wire, and give what goes into the header."""
        token = self.engine.new_id()
        secret = new_secret(token)
        stream = organisation_stream(tenant)
        if not self.engine.has_tenant(tenant):
            await self.engine.submit(self.engine.request(stream, CreateOrganisation(tenant)))
        command = IssueToken(token, secret.digest, "test", tuple(scopes), expires_us, vendor, pool)
        await self.engine.submit(self.engine.request(stream, command))
        return secret.bearer

    async def client(self, scopes: Iterable[str] = EVERY_SCOPE, **bound: object) -> AsyncClient:
        """Give a client with a token of its own; see `bearer`."""
        return self.holder(await self.bearer(scopes, **bound))  # type: ignore[arg-type]

    def holder(self, bearer: str) -> AsyncClient:
        """Give a client with this token."""
        client = AsyncClient(Connection(f"127.0.0.1:{self.server.port}", bearer, attempts=1))
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """End every client."""
        for client in self._clients:
            await client.close()

    # What operators do

    async def project(
        self, name: str = "cats", rules: str = RULES, client: AsyncClient | None = None
    ) -> projects_pb2.Project:
        """Create a project."""
        request = projects_pb2.CreateProjectRequest(name=name, rules_yaml=rules)
        return await (client or self.admin).operations.CreateProject(request)

    async def items(
        self,
        project: projects_pb2.Project,
        count: int,
        *,
        gold: str = "",
        prefix: str = "item",
        client: AsyncClient | None = None,
    ) -> Sequence[tasks_pb2.AddedItem]:
        """Add items, with a known label if one is given."""
        request = tasks_pb2.AddItemsRequest(project_id=project.id)
        for number in range(count):
            item = request.items.add(external_id=f"{prefix}-{number}", batch=prefix)
            item.content.add(id="text", text=f"{prefix} number {number}")
            if gold:
                item.purpose = tasks_pb2.PURPOSE_GOLD
                item.gold["label"].label = gold
        return (await (client or self.admin).operations.AddItems(request)).items

    async def session(self, external_id: str, **known: object) -> tuple[str, AsyncClient]:
        """Make a worker known; give their id and a client with their session."""
        upsert = workers_pb2.UpsertWorkerRequest(external_id=external_id, **known)  # type: ignore[arg-type]
        request = tokens_pb2.CreateWorkerSessionRequest(upsert=upsert)
        session = await self.admin.operations.CreateWorkerSession(request)
        return session.worker_id, self.holder(session.bearer)

    async def label(self, worker: AsyncClient, project: projects_pb2.Project, label: str = "cat") -> str:
        """Have a worker given one task and answer it; give the assignment."""
        (offer,) = await worker.next(project.id)
        await worker.submit(offer, {"label": label})
        return offer.assignment_id

    async def skip(self, worker: AsyncClient, project: projects_pb2.Project) -> None:
        """Have a worker given one task and skip it."""
        (offer,) = await worker.next(project.id)
        await worker.annotation.Skip(
            assignments_pb2.SkipRequest(
                project_id=project.id,
                assignment_id=offer.assignment_id,
                lease_token=offer.lease_token,
                reason="unreadable",
            )
        )

    async def finalised(self, project: projects_pb2.Project, count: int = 1) -> list[str]:
        """Add items and have two workers agree on each; give their ids."""
        await self.items(project, count, prefix="done")
        ids = []
        for name in ("ada", "ben"):
            worker, client = await self.session(name)
            ids.append(worker)
            for _ in range(count):
                await self.label(client, project)
        return ids

    async def pass_time(self, seconds: float) -> None:
        """Let logged time pass in steps too short to be an outage, and what it makes due come about."""
        while seconds > 0:
            step = min(seconds, OUTAGE_US / SECOND / 2)
            self.clock.advance(int(step * SECOND))
            seconds -= step
            self.engine.loop.wake()
            await self._settled()

    async def _settled(self) -> None:
        while True:
            due_us = self.engine.shard.next_due_us()
            await self.engine.observe()
            if due_us is None or due_us > self.clock.now_us():
                return
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def open_office(directory: Path | None = None, jobs: Jobs | None = None) -> AsyncIterator[Office]:
    """Serve a new engine with one tenant until the block is left; in memory, or in files of a directory, with
    jobs in processes, or as they are given."""
    disk, clock = MemoryDisk(bytes(range(32))), ManualClock()
    log: MemoryLog | SqliteLog = MemoryLog(disk) if directory is None else SqliteLog(directory)
    contents = SqliteContents(log) if isinstance(log, SqliteLog) else MemoryContents(disk)
    limits = LimitSettings(calls_per_second=0)
    server = make_server(Settings(address="127.0.0.1:0", grace_seconds=0, limits=limits))
    await server.start()
    engine = Engine(Shard(), log, contents, clock, SeededIds(11), content_key=log.content_key)
    engine.start()
    office = Office(engine, server, disk, clock)
    try:
        office.admin = await office.client()
        await serve_group(server, ShardGroup.alone(engine), jobs or ProcessJobs())
        yield office
    finally:
        await office.close()
        await server.stop()
        if not engine.failed.done():
            await engine.drain()
        log.close()


async def refusal(asked: object) -> Refused:
    """Give the refusal of a call, or of a stream, that must be refused."""
    try:
        reply = [one async for one in asked] if hasattr(asked, "__aiter__") else await asked
    except Refused as refused:
        return refused
    raise AssertionError(f"it was not refused but answered {reply}")


async def ask(client: AsyncClient, method: MethodDescriptor, message: Message) -> ClientError | None:
    """Make any call with one message; give what it was refused with, or None when it was answered."""
    services = {OPERATIONS.name: client.operations, VENDOR.name: client.vendor}
    stub = getattr(services[method.containing_service.name], method.name)
    try:
        if method.server_streaming:
            # The first answer is enough: a watch never ends by itself.
            await anext(aiter(stub(message)), None)
        elif method.client_streaming:
            await stub(_once(message))
        else:
            await stub(message)
    except ClientError as error:
        return error
    return None


async def _once(message: Message) -> AsyncIterator[Message]:
    yield message


def labels(**values: str) -> Mapping[str, types_pb2.Value]:
    """Give an answer on the wire."""
    return {field: types_pb2.Value(label=label) for field, label in values.items()}
