"""`AnnotationService`: what labeling front-ends call for one worker."""

from __future__ import annotations

from google.protobuf.message import Message

from crowdroute.api.v1 import assignments_pb2 as wire
from crowdroute.api.v1 import work_pb2
from crowdroute.router.commands.project import RequestNext
from crowdroute.router.commands.replies import Offered
from crowdroute.router.errors import Refusal
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.rpc.actions import (
    ACTIONS,
    Desk,
    expect,
    live_leases,
    offers_of,
    resumed_offers,
)
from crowdroute.router.rpc.authentication import require_worker
from crowdroute.router.rpc.calls import Call, Stream, checked_key
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.convert.locales import checked_locale
from crowdroute.router.rpc.convert.offers import guideline_message, guideline_url, no_task
from crowdroute.router.rpc.convert.times import length_of
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.schemas import Schemas
from crowdroute.router.rpc.work_streams import WorkStreams
from crowdroute.router.runtime.group import ShardGroup

LONGEST_WAIT_US = 30_000_000
"""Thirty seconds: short enough for every proxy on the way, long enough to cost nothing."""

MOST_DESKS = 100_000
"""Places of workers in projects that are remembered; a forgotten one is looked up again."""

TIME_TO_ANSWER = 0.5
"""Seconds of a call's time that waiting leaves for the answer to travel."""


class AnnotationServicer:
    """Carries out the calls."""

    def __init__(self, group: ShardGroup, gate: Gate) -> None:
        self._group = group
        self._schemas = Schemas()
        self._desks: dict[tuple[str, Id, str], Desk] = {}
        self.streams = WorkStreams(group, gate)
        """The work streams that are open."""

    async def next(self, call: Call, message: wire.NextRequest) -> wire.NextResponse:
        """Give work, or wait for some."""
        desk = self._desk(call, message.project_id)
        wish = RequestNext(desk.worker, message.count or 1, checked_locale(message.locale))
        key = checked_key(message.idempotency_key)
        seconds = 0.0
        if message.HasField("wait"):
            seconds = length_of(message.wait, "wait", LONGEST_WAIT_US) / 1e6
            seconds = min(seconds, call.seconds_left() - TIME_TO_ANSWER)
        engine, name, request = desk.engine, call.principal.name, call.request

        def ask() -> Offered:
            wanted = engine.request(desk.stream, wish, principal=name, request=request, key=key)
            return expect(Offered, engine.decide(wanted))

        try:
            offered = ask()
            if not offered.leases and seconds > 0:
                offered = await engine.waiting.search(desk.stream, desk.worker, ask, seconds)
        except Refusal:
            await engine.observe()
            raise
        await engine.observe()
        if offered.leases:
            return wire.NextResponse(offers=await offers_of(desk, offered.leases))
        return wire.NextResponse(no_task=no_task(offered.reason))

    async def resume(self, call: Call, message: wire.ResumeRequest) -> wire.ResumeResponse:
        """Give the worker's live leases again."""
        desk = self._desk(call, message.project_id)
        leases = live_leases(desk)
        await desk.engine.observe()
        return wire.ResumeResponse(offers=await resumed_offers(desk, leases))

    async def submit(self, call: Call, message: wire.SubmitRequest) -> Message:
        """Take an answer in; the assignment is the idempotency key."""
        return await self._act(call, "submit", message, "")

    async def amend(self, call: Call, message: wire.AmendRequest) -> Message:
        """Change an answer."""
        return await self._act(call, "amend", message, message.idempotency_key)

    async def withdraw(self, call: Call, message: wire.WithdrawRequest) -> Message:
        """Take an answer back."""
        return await self._act(call, "withdraw", message, message.idempotency_key)

    async def save_draft(self, call: Call, message: wire.SaveDraftRequest) -> Message:
        """Keep unfinished work; a repetition writes the same again."""
        return await self._act(call, "save_draft", message, "")

    async def skip(self, call: Call, message: wire.SkipRequest) -> Message:
        """Take a task back with a reason."""
        return await self._act(call, "skip", message, message.idempotency_key)

    async def report_problem(self, call: Call, message: wire.ReportProblemRequest) -> Message:
        """Note that a task is broken."""
        return await self._act(call, "report_problem", message, message.idempotency_key)

    async def extend(self, call: Call, message: wire.ExtendRequest) -> Message:
        """Renew a lease."""
        return await self._act(call, "extend", message, message.idempotency_key)

    async def release(self, call: Call, message: wire.ReleaseRequest) -> Message:
        """Take a task back."""
        return await self._act(call, "release", message, message.idempotency_key)

    async def get_guideline(self, call: Call, message: wire.GetGuidelineRequest) -> wire.GetGuidelineResponse:
        """Give the guideline in full."""
        desk = self._desk(call, message.project_id)
        schema = desk.schema()
        await desk.engine.observe()
        return wire.GetGuidelineResponse(
            guideline=guideline_message(schema),
            text="" if guideline_url(schema) else schema.guideline,
        )

    async def work(self, call: Call, stream: Stream[work_pb2.WorkRequest]) -> None:
        """Serve a work stream until it ends."""
        await self.streams.serve(call, stream, self._desk)

    def _desk(self, call: Call, project_id: str) -> Desk:
        """Find the caller's place in a project.

        Raises:
            PermissionRefused: the caller is no worker.
            NotFound: the tenant has no such project.
        """
        tenant, worker = call.principal.tenant, call.principal.worker
        desk = self._desks.get((tenant, worker, project_id))
        if desk is None or desk.engine is not self._group.where.engine(desk.stream):
            # Not known yet, or its shard was elsewhere in between.
            require_worker(call.principal)
            stream = project_stream(tenant, id_of(Kind.PROJECT, project_id, "project_id"))
            engine = self._group.where.engine(stream)
            desk = Desk(engine, self._schemas, stream, engine.shard.project_state(stream), worker)
            if len(self._desks) >= MOST_DESKS:
                self._desks.clear()
            self._desks[tenant, worker, project_id] = desk
        return desk

    async def _act(self, call: Call, name: str, message: Message, key: str) -> Message:
        action = ACTIONS[name]
        desk = self._desk(call, message.project_id)  # type: ignore[attr-defined]  # every action's has one
        command, contents = action.read(desk, message)
        reply = await desk.engine.submit(
            desk.engine.request(
                desk.stream,
                command,
                principal=call.principal.name,
                request=call.request,
                key=checked_key(key),
            ),
            contents,
        )
        return action.write(desk, reply)
