"""What a group does for its peers; served on an address of its own, to whoever has the secret."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import structlog

from crowdroute.peer.v1 import peer_pb2, peer_pb2_grpc
from crowdroute.router.adapters.codec import assemble, encode_entry
from crowdroute.router.errors import Moved, NotReady, RouterError
from crowdroute.router.events import Entry
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.authentication import Principal
from crowdroute.router.rpc.calls import END, Call
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.group.forwarding import Forwarding
from crowdroute.router.rpc.group.handing import handed_over, receipt_message
from crowdroute.router.rpc.group.link import MOST_CALLS
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.rpc.group.telling import HeldOrganisation, Untold, entry_parts
from crowdroute.router.rpc.group.wire import carried, encode_reply, status_bytes
from crowdroute.router.rpc.refusing import refuse
from crowdroute.router.rpc.service import Service
from crowdroute.router.rpc.status import NotAuthenticated
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.tracing import within

TELL_SECONDS = 1.0
"""How often who follows is told that nothing happened; copies count as old after a few times as long."""

_SERVICE = peer_pb2.DESCRIPTOR.services_by_name["PeerService"].full_name
CARRY = f"{_SERVICE}/Carry"
HAND_OVER = f"{_SERVICE}/HandOver"

_log = structlog.get_logger("crowdroute.group")


class ForwardedContext:
    """As much of gRPC's context of a call as a forwarded call has."""

    def __init__(self, timeout_us: int) -> None:
        self._until = time.monotonic() + timeout_us / 1e6

    def time_remaining(self) -> float:
        """Give the seconds that are left for the call."""
        return self._until - time.monotonic()


class RelayContext(ForwardedContext):
    """The same for a call that streams: messages come and go in parts."""

    def __init__(self, timeout_us: int, context: Any) -> None:
        super().__init__(timeout_us)
        self._context = context

    async def read(self) -> object:
        """Give the next message's bytes, or gRPC's word for the end."""
        part = await self._context.read()
        return END if part is END else part.message

    async def write(self, message: bytes) -> None:
        """Send a message's bytes."""
        await self._context.write(peer_pb2.RelayPart(message=message))


class PeerServicer(peer_pb2_grpc.PeerServiceServicer):
    """Carries out what peers ask."""

    def __init__(
        self,
        group: ShardGroup,
        gate: Gate,
        services: Mapping[str, Service],
        peers: Peers,
        forwarding: Forwarding,
    ) -> None:
        """Serve a group.

        Args:
            group: started.
            gate: knows which scope each call needs.
            services: by full name, those that clients call.
            peers: tells peers from others.
            forwarding: of the same group; knows who takes inputs in.
        """
        self._group = group
        self._gate = gate
        self._services = services
        self._peers = peers
        self._forwarding = forwarding

    async def Forward(self, requests: object, context: Any) -> None:  # noqa: N802  # as gRPC names it
        """Carry out calls as they come, and answer each when it is done."""
        await self._require_peer(context)
        answers: list[peer_pb2.Answer] = []
        posted = asyncio.Event()
        tasks: dict[int, asyncio.Task[None]] = {}

        async def run(call: peer_pb2.ForwardedCall) -> None:
            answers.append(await self._answer(call))
            posted.set()

        def begin(call: peer_pb2.ForwardedCall) -> None:
            task = tasks[call.number] = asyncio.ensure_future(run(call))
            # One that is cancelled in the batch that brought it never runs, and is forgotten all the same.
            task.add_done_callback(lambda _task: tasks.pop(call.number, None))

        async def write() -> None:
            while True:
                await posted.wait()
                some, answers[:] = answers[:MOST_CALLS], answers[MOST_CALLS:]
                if not answers:
                    posted.clear()
                await context.write(peer_pb2.AnswerBatch(answers=some))

        writing = asyncio.ensure_future(write())
        try:
            while (batch := await context.read()) is not END:
                for call in batch.calls:
                    begin(call)
                for number in batch.cancelled:
                    if number in tasks:
                        tasks[number].cancel()
        finally:
            writing.cancel()
            for task in tuple(tasks.values()):
                task.cancel()

    async def _answer(self, forwarded: peer_pb2.ForwardedCall) -> peer_pb2.Answer:
        try:
            service, name = self._found(forwarded)
            self._gate.go_on(forwarded.method, forwarded.request_id, forwarded.traceparent)
            call = await self._call(forwarded, ForwardedContext(forwarded.timeout_us))
            answer = await service.perform(name, call, forwarded.message)
        except Exception as error:
            if not isinstance(error, RouterError):
                _log.error("forwarded call failed", call=forwarded.method, exc_info=error)
                error = NotReady("the call failed by a defect of the group that it was forwarded to")
            return peer_pb2.Answer(number=forwarded.number, status=status_bytes(error, forwarded.request_id))
        return peer_pb2.Answer(number=forwarded.number, message=answer)

    async def Relay(self, requests: object, context: Any) -> None:  # noqa: N802
        """Carry out one call that streams."""
        await self._require_peer(context)
        first = await context.read()
        if first is END:
            return
        forwarded = first.open
        try:
            service, name = self._found(forwarded)
            self._gate.go_on(forwarded.method, forwarded.request_id, forwarded.traceparent)
            relayed: Any = RelayContext(forwarded.timeout_us, context)
            call = await self._call(forwarded, relayed)
            await service.perform_streaming(name, call, forwarded.message, relayed)
        except RouterError as error:
            await context.write(peer_pb2.RelayPart(status=status_bytes(error, forwarded.request_id)))

    async def Carry(self, message: peer_pb2.CarryRequest, context: Any) -> Any:  # noqa: N802
        """Decide a command that crosses."""
        await self._require_peer(context)
        try:
            self._require_placed(message.shard, message.generation)
            request, contents = carried(message)
            span = self._gate.forwarded_span(CARRY, request.request, message.traceparent)
            with within(span):
                reply = await self._group.engines[message.shard].submit(request, contents)
        except RouterError as error:
            await refuse(context, error, "Carry", "")
            raise
        return peer_pb2.CarryResponse(reply=encode_reply(reply))

    async def HandOver(self, message: peer_pb2.HandOverRequest, context: Any) -> Any:  # noqa: N802
        """Take in records that the other group read."""
        await self._require_peer(context)
        try:
            self._require_placed(message.shard, message.generation)
            inputs = self._forwarding.inputs
            if inputs is None:
                raise NotReady(
                    "this process takes in no records: its feeds wait for their brokers, as its log says, or"
                    " its settings name none; give all processes the same feeds"
                )
            with within(self._gate.forwarded_span(HAND_OVER, "", message.traceparent)):
                return receipt_message(await inputs.take(message.shard, handed_over(message)))
        except RouterError as error:
            await refuse(context, error, "HandOver", "")
            raise

    async def Position(self, message: peer_pb2.PositionRequest, context: Any) -> Any:  # noqa: N802
        """Tell how far the organisations of a shard here are durable."""
        await self._require_peer(context)
        try:
            engine = self._served(message.shard)
            # Who was replaced while it was frozen may have missed what its successor made durable.
            await engine.observe()
        except RouterError as error:
            await refuse(context, error, "Position", "")
            raise
        here = (copy for copy in self._group.copies.values() if copy.local and copy.shard == message.shard)
        return peer_pb2.PositionResponse(sequences={copy.stream: copy.sequence for copy in here})

    async def Follow(self, message: peer_pb2.FollowRequest, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Tell the organisations here, and what becomes durable of them."""
        await self._require_peer(context)
        untold = Untold()
        whole: dict[str, int] = {}
        """Which beginning of each organisation was told: one that began anew has what no entry told of."""

        def note(shard: int, sequence: int, entries: Sequence[Entry]) -> None:
            for entry in entries:
                copy = self._group.copies.get(entry.stream)
                if copy is not None and copy.local:
                    told = assemble(1, [encode_entry(entry)])
                    untold.note(
                        peer_pb2.DurableEntry(stream=entry.stream, shard=shard, sequence=sequence, entry=told)
                    )
            untold.posted.set()

        end = self._group.subscribe(note)
        try:
            while True:
                untold.posted.clear()
                here = {stream: copy for stream, copy in self._group.copies.items() if copy.local}
                anew = [copy for stream, copy in here.items() if whole.get(stream) != copy.begun]
                whole = {stream: copy.begun for stream, copy in here.items()}
                untold.leave_out({copy.stream for copy in anew})  # these have folded them already
                # Held at once, before anything is sent: what is durable from here on follows as entries.
                for held in [HeldOrganisation(copy) for copy in anew]:
                    for part in held.parts():
                        yield part
                some = untold.take()
                if some is None:
                    return
                for part in entry_parts(some):
                    yield part
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(untold.posted.wait(), TELL_SECONDS)
        finally:
            end()

    # Who may ask, and for what

    async def _require_peer(self, context: Any) -> None:
        if not self._peers.is_peer(context.invocation_metadata()):
            error = NotAuthenticated("only the other groups of this installation may ask that")
            await refuse(context, error, "peer", "")
            raise error

    def _require_placed(self, shard: int, generation: int) -> None:
        """Refuse what was sent by another placement than is known here, or for a shard that is elsewhere.

        Raises:
            NotReady: by another placement.
            Moved: the shard is elsewhere; what was forwarded is never forwarded again.
        """
        shard_map = self._group.shard_map
        if generation != shard_map.generation:
            raise NotReady(
                f"this was sent by placement {generation}, but {shard_map.generation} is known here:"
                " call again",
                {"generation": str(shard_map.generation)},
            )
        self._served(shard)

    def _served(self, shard: int) -> Engine:
        engine = self._group.engines.get(shard)
        if engine is None:
            owner = self._group.shard_map.others.get(shard)
            raise Moved(
                f"shard {shard} is not served here: call again",
                {"shard": str(shard), "owner": "" if owner is None else owner.public},
            )
        return engine

    def _found(self, call: peer_pb2.ForwardedCall) -> tuple[Service, str]:
        self._require_placed(call.shard, call.generation)
        service, _, name = call.method.removeprefix("/").partition("/")
        found = self._services.get(service)
        if found is None:
            raise NotReady(f"this group does not serve {service}: are both of the same release?")
        return found, name

    async def _call(self, forwarded: peer_pb2.ForwardedCall, context: Any) -> Call:
        told = forwarded.principal
        principal = Principal(
            tenant=told.tenant,
            token=told.token,
            name=to_text(Kind.TOKEN, told.token),
            scopes=frozenset(told.scopes),
            worker=told.worker,
            vendor=told.vendor,
            pool=told.pool,
            parent=told.parent,
            expires_us=told.expires_us,
        )
        await self._gate.let_through(principal, forwarded.method)
        return Call(
            context, forwarded.method, principal, forwarded.request_id, forwarded=True, part=forwarded.part
        )
