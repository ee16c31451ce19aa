"""A real server on a loopback port, with an engine in memory behind it, and clients that talk to it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from hashlib import blake2b

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from tests.support import desk

from crowdroute.api.v1 import annotation_pb2, assignments_pb2, types_pb2, work_pb2
from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.commands import Reply
from crowdroute.router.commands.organisation import CreateOrganisation, IssueToken, RevokeToken, UpsertWorker
from crowdroute.router.commands.project import AddTasks, ApplyRules, CreateProject, NewTask, ProjectCommand
from crowdroute.router.commands.replies import Imported
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model import content
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.model.facts import SkillFact
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.rules import Field, Label, ProjectRules
from crowdroute.router.model.states import Purpose, Stage
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.authentication import new_secret
from crowdroute.router.rpc.convert.content import encode_item
from crowdroute.router.rpc.scopes import EVERY_SCOPE, SESSION_SCOPES
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import LimitSettings, Settings, TlsSettings
from crowdroute.router.runtime.shard_loop import OUTAGE_US
from crowdroute.router.runtime.waiting import Waiting

SERVICE = annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"]
TENANT = "acme"
SECOND = 1_000_000
LABELS = (Label("yes", "Yes, it is"), Label("no"), Label("unsure"))


def make_rules(version: int = 1, **parts: object) -> ProjectRules:
    """The rules of a desk, and what people read: a guideline, and a label that has a title."""
    read = {"fields": (Field("label", LABELS),), "guideline": "Say whether it is."}
    return desk.make_rules(**{"version": version, **read, **parts})


class Refused(Exception):
    """A call's status, taken apart."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        super().__init__(f"{error.code()}: {error.details()}")
        self.status = error.code()
        self.message = error.details() or ""
        self.code, self.details, self.fields, self.retry = "", {}, [], 0.0
        for name, value in error.trailing_metadata() or ():
            if name == "grpc-status-details-bin":
                self._take(status_pb2.Status.FromString(value))

    def _take(self, status: status_pb2.Status) -> None:
        for detail in status.details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            retry = error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                self.code, self.details = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                self.fields = [violation.field for violation in bad.field_violations]
            elif detail.Unpack(retry):
                self.retry = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9


class Client:
    """Whoever holds one token."""

    def __init__(self, channel: grpc.aio.Channel, bearer: str | None) -> None:
        self.channel = channel
        self.metadata = () if bearer is None else (("authorization", f"Bearer {bearer}"),)

    async def call(
        self,
        name: str,
        message: Message | bytes,
        timeout: float | None = 20.0,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> Message:
        """Make a unary call of AnnotationService; raises `Refused`."""
        method = SERVICE.methods_by_name[name]
        raw = message if isinstance(message, bytes) else message.SerializeToString()
        stub = self.channel.unary_unary(f"/{SERVICE.full_name}/{name}")
        try:
            reply = await stub(raw, timeout=timeout, metadata=(*self.metadata, *metadata))
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from None
        return GetMessageClass(method.output_type).FromString(reply)

    async def refusal(self, name: str, message: Message | bytes, **how: object) -> Refused:
        """Give the refusal of a call that must be refused."""
        try:
            reply = await self.call(name, message, **how)  # type: ignore[arg-type]
        except Refused as refused:
            return refused
        raise AssertionError(f"{name} was not refused but answered {reply}")

    def work(self) -> WorkClient:
        """Open a work stream."""
        stub = self.channel.stream_stream(f"/{SERVICE.full_name}/Work")
        return WorkClient(stub(metadata=self.metadata))


class WorkClient:
    """The client's end of a work stream: keeps what came and was not asked for yet."""

    def __init__(self, stream: grpc.aio.StreamStreamCall) -> None:
        self.stream = stream
        self.sequence = 0
        self.replies: dict[int, work_pb2.WorkReply] = {}
        self.offers: list[assignments_pb2.Offer] = []
        self.resumed: list[assignments_pb2.ResumedOffer] = []
        self.revocations: list[work_pb2.Revocation] = []
        self.idle: list[str] = []
        self.messages = 0
        self.going = ""
        self.ended = False

    async def send(self, **action: Message) -> int:
        """Send one message and give its sequence number."""
        self.sequence += 1
        message = work_pb2.WorkRequest(sequence=self.sequence, **action)
        await self.stream.write(message.SerializeToString())
        return self.sequence

    async def hear(self) -> bool:
        """Take the server's next message in; tells whether there was one."""
        try:
            raw = await self.stream.read()
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from None
        if not isinstance(raw, bytes):
            self.ended = True
            return False
        response = work_pb2.WorkResponse.FromString(raw)
        self.messages += 1
        for reply in response.replies:
            self.replies[reply.sequence] = reply
        self.offers += response.offers
        self.resumed += response.resumed
        self.revocations += response.revocations
        if response.HasField("no_task"):
            self.idle.append(response.no_task.reason)
        self.going = response.go_away.reason or self.going
        return True

    async def until(self, true: object) -> None:
        """Take messages in until a condition holds."""
        while not true():  # type: ignore[operator]
            if not await self.hear():
                raise AssertionError("the stream ended before that happened")

    async def reply(self, sequence: int) -> work_pb2.WorkReply:
        """Give the reply to a message."""
        await self.until(lambda: sequence in self.replies)
        return self.replies.pop(sequence)

    async def offer(self) -> assignments_pb2.Offer:
        """Give the next offer."""
        await self.until(lambda: self.offers)
        return self.offers.pop(0)


class Wire:
    """The server, the engine behind it, and short words to set the scene."""

    def __init__(self, engine: Engine, server: Server, disk: MemoryDisk, clock: ManualClock) -> None:
        self.engine = engine
        self.server = server
        self.disk = disk
        self.clock = clock
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")
        self._secrets = 0

    @property
    def waiting(self) -> Waiting:
        return self.engine.waiting

    async def tenant(self, name: str) -> None:
        """Begin a tenant."""
        await self.engine.submit(self.engine.request(organisation_stream(name), CreateOrganisation(name)))

    async def project(self, name: str = "cats", tenant: str = TENANT, **rules: object) -> str:
        """Create a project and give its id."""
        project = self.engine.new_id()
        command = CreateProject(project, name, make_rules(**rules))
        await self.engine.submit(self.engine.request(project_stream(tenant, project), command))
        return to_text(Kind.PROJECT, project)

    async def send(self, project: str, command: ProjectCommand, tenant: str = TENANT) -> Reply:
        """Have a command carried out in a project."""
        stream = project_stream(tenant, bytes.fromhex(project.removeprefix("prj_")))
        return await self.engine.submit(self.engine.request(stream, command))

    async def rules(self, project: str, version: int, **parts: object) -> None:
        """Apply rules."""
        await self.send(project, ApplyRules(make_rules(version, **parts)))

    async def tasks(
        self,
        project: str,
        count: int = 1,
        *,
        purpose: Purpose = Purpose.PRODUCTION,
        gold: Answer = (),
        tenant: str = TENANT,
        text: str = "Is it?",
    ) -> list[Id]:
        """Open tasks on new items of equal content, and give their ids."""
        engine = self.engine
        body = encode_item(ItemContent("", (Part("text", "text/plain", text, language="en"),)))
        rows = [
            NewTask(engine.new_id(), engine.new_id(), digest=engine.digest(body), purpose=purpose, gold=gold)
            for _ in range(count)
        ]
        stream = project_stream(tenant, bytes.fromhex(project.removeprefix("prj_")))
        reply = await engine.submit(
            engine.request(stream, AddTasks(tuple(rows))),
            [ContentChange(content.item(row.item), body) for row in rows],
        )
        assert isinstance(reply, Imported)
        return [row.task for row in reply.rows]

    async def worker(
        self,
        tenant: str = TENANT,
        *,
        stages: tuple[Stage, ...] = (Stage.CROWD,),
        skills: Iterable[SkillFact] = (),
        capacity: int = 0,
    ) -> Id:
        """Make a worker known and give their id."""
        worker = self.engine.new_id()
        command = UpsertWorker(worker, NO_ID, NO_ID, stages=stages, skills=tuple(skills), capacity=capacity)
        await self.engine.submit(self.engine.request(organisation_stream(tenant), command))
        return worker

    async def token(
        self,
        tenant: str = TENANT,
        *,
        scopes: Sequence[str] = EVERY_SCOPE,
        worker: Id = NO_ID,
        parent: Id = NO_ID,
        expires_us: int = 0,
    ) -> tuple[Id, str]:
        """Issue a token and give its id and what a client sends."""
        token = self.engine.new_id()
        self._secrets += 1
        secret = new_secret(token, blake2b(b"%d" % self._secrets, digest_size=32).digest())
        command = IssueToken(
            token, secret.digest, "test", tuple(scopes), expires_us, worker=worker, parent=parent
        )
        await self.engine.submit(self.engine.request(organisation_stream(tenant), command))
        return token, secret.bearer

    async def revoke(self, token: Id, tenant: str = TENANT) -> None:
        """Take a token back."""
        stream = organisation_stream(tenant)
        await self.engine.submit(self.engine.request(stream, RevokeToken(token, "a test")))

    async def annotator(self, tenant: str = TENANT, **about: object) -> Client:
        """Make a worker known and give a client with their session."""
        worker = await self.worker(tenant, **about)  # type: ignore[arg-type]
        _, bearer = await self.token(tenant, scopes=SESSION_SCOPES, worker=worker)
        return Client(self.channel, bearer)

    async def pass_time(self, seconds: float) -> None:
        """Let logged time pass, and what it makes due come about; ten seconds at once would be an outage."""
        assert seconds < OUTAGE_US / SECOND
        self.clock.advance(int(seconds * SECOND))
        self.engine.loop.wake()


@contextlib.asynccontextmanager
async def serving(
    limits: LimitSettings | None = None, grace_seconds: float = 0.0, tls: TlsSettings | None = None
) -> AsyncIterator[Wire]:
    """Serve a new engine with one tenant until the block is left."""
    disk, clock = MemoryDisk(), ManualClock()
    settings = Settings(
        address="127.0.0.1:0",
        grace_seconds=grace_seconds,
        limits=limits or LimitSettings(calls_per_second=0),
        tls=tls,
    )
    server = Server(settings)
    await server.start()
    engine = Engine(
        Shard(), MemoryLog(disk), MemoryContents(disk), clock, SeededIds(7), content_key=disk.content_key
    )
    engine.start()
    wire = Wire(engine, server, disk, clock)
    try:
        await wire.tenant(TENANT)
        await server.serve(ShardGroup.alone(engine))
        yield wire
    finally:
        await wire.channel.close()
        await server.stop()
        if not engine.failed.done():
            await engine.drain()


def answer(label: str = "yes") -> dict[str, types_pb2.Value]:
    """Give an answer of one field."""
    return {"label": types_pb2.Value(label=label)}


def held(offer: assignments_pb2.Offer) -> dict[str, str]:
    """Give what every message about an offer names."""
    return {
        "project_id": offer.project_id,
        "assignment_id": offer.assignment_id,
        "lease_token": offer.lease_token,
    }
