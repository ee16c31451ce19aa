"""Where a call goes: which group serves what it is about, and the way there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Protocol

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from crowdroute.api.v1 import projects_pb2
from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.commands import Reply, Request
from crowdroute.router.errors import NotReady
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.ids import Kind
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.calls import END, Call
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.deadlines import Context
from crowdroute.router.rpc.group.following import Following
from crowdroute.router.rpc.group.handing import Handed, Receipt
from crowdroute.router.rpc.group.link import PeerLink
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.rpc.group.wire import principal_message, refusal_of
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import FIRST_SHARD
from crowdroute.router.runtime.tracing import elsewhere

MOST_HOMES = 100_000
"""Projects whose shard is remembered; a forgotten one is looked up again."""


class Inputs(Protocol):
    """Takes records of inputs into shards here that other groups read."""

    async def take(self, shard: int, handed: Handed) -> Receipt:
        """Return once they are durable in a shard.

        Raises:
            RouterError: nothing changed, or whether it did is unknown.
        """


class Forwarding:
    """The other groups, as the calls that reach this one need them; also carries what crosses over."""

    def __init__(self, group: ShardGroup, peers: Peers) -> None:
        """Prepare; `start` inside the event loop.

        Args:
            group: the shards of this process, and the placement.
            peers: how other groups are reached.
        """
        self._group = group
        self._peers = peers
        self.port = 0
        """Where this group is reached by the others, once it is served."""
        self.inputs: Inputs | None = None
        """Takes in what other groups read for the shards here; None: this process has no feeds, or
        they wait for their brokers."""
        self._links: dict[str, PeerLink] = {}
        self._following: dict[str, Following] = {}
        self._homes: dict[tuple[str, str], int] = {}
        self._catching_up = asyncio.Lock()
        self._caught_up_since = 0.0

    def start(self) -> None:
        """Follow every other group of the placement, and carry what crosses to them."""
        self._group.peers = self
        for owner in set(self._group.shard_map.others.values()):
            self._follow(owner.peers)

    async def follow_shard_map(self) -> None:
        """Follow the groups of the placement that is known now, and nobody else any more."""
        wanted = {owner.peers for owner in self._group.shard_map.others.values()}
        # At once: who is wanted again while it is left would be followed over the link that is closed.
        left = [
            (self._following.pop(address), self._links.pop(address))
            for address in self._following.keys() - wanted
        ]
        for following, link in left:
            await following.stop()
            await link.close()
        for address in wanted:
            self._follow(address)

    async def stop(self) -> None:
        """End every connection."""
        # Whoever is on the way meanwhile may still ask for a link.
        for following in tuple(self._following.values()):
            await following.stop()
        for link in tuple(self._links.values()):
            await link.close()

    def _follow(self, address: str) -> None:
        if address not in self._following:
            self._following[address] = Following(self._group, self._link_to(address))
            self._following[address].start()

    def _link_to(self, address: str) -> PeerLink:
        link = self._links.get(address)
        if link is None:
            link = self._links[address] = self._peers.link(address)
        return link

    def _link(self, shard: int) -> PeerLink:
        owner = self._group.shard_map.others.get(shard)
        if owner is None:
            raise NotReady(f"nobody serves shard {shard} at the moment: call again", {"shard": str(shard)})
        self._follow(owner.peers)
        return self._link_to(owner.peers)

    def links(self) -> dict[int, PeerLink]:
        """Give the way to every other group, by the lowest of its shards."""
        found: dict[str, int] = {}
        for shard, owner in sorted(self._group.shard_map.others.items()):
            found.setdefault(owner.peers, shard)
        return {shard: self._link(shard) for shard in found.values()}

    # Where calls go

    def away(self, call: Call, message: Message) -> int | None:
        """Give the shard that a call is for, when another group serves it; None: it is carried out here.

        Raises:
            InvalidCommand: it names what is no project.
        """
        if call.forwarded:
            return None
        tenant, text = call.principal.tenant, getattr(message, "project_id", "")
        shard = self._homes.get((tenant, text))
        if shard is None:
            shard = self._home(tenant, text, message)
        return None if shard is None or shard in self._group.engines else shard

    def _home(self, tenant: str, text: str, message: Message) -> int | None:
        shard = None
        if text:
            shard = self._group.where.shard_of(
                project_stream(tenant, id_of(Kind.PROJECT, text, "project_id"))
            )
            if shard is not None:
                if len(self._homes) >= MOST_HOMES:
                    self._homes.clear()
                self._homes[tenant, text] = shard
        elif isinstance(message, projects_pb2.GetProjectRequest):
            row = self._group.where.organisation(tenant).find_project(message.name)
            shard = None if row is None else row.shard
        # What is not known here, the organisation knows.
        return self._group.where.shard_of(organisation_stream(tenant)) if shard is None else shard

    def owner(self, shard: int) -> str:
        """Give where clients reach a shard; empty when they are not to be told."""
        owner = self._group.shard_map.others.get(shard)
        return "" if owner is None else owner.public

    # The way there

    def wrap(
        self, call: Call, shard: int, method: str, raw: bytes, traceparent: str, *, part: bool = False
    ) -> Any:
        """Write a call as it is forwarded."""
        return peer_pb2.ForwardedCall(
            method=method,
            principal=principal_message(call.principal),
            request_id=call.request,
            generation=self._group.shard_map.generation,
            shard=shard,
            timeout_us=round(call.seconds_left() * 1e6),
            message=raw,
            part=part,
            traceparent=traceparent,
        )

    async def forward(self, call: Call, shard: int, method: str, raw: bytes, *, part: bool = False) -> bytes:
        """Have a call of one request and one answer carried out where its shard is served.

        Raises:
            RouterError: what it was refused with there; NotReady: there was no answer.
        """
        with elsewhere("forward", {"crowdroute.shard": shard}) as traceparent:
            return await self._link(shard).forward(
                self.wrap(call, shard, method, raw, traceparent, part=part)
            )

    async def gather(self, call: Call, method: str, raw: bytes) -> Sequence[bytes]:
        """Have every other group answer a call from what lives with it alone.

        Raises:
            RouterError: one of them did not.
        """
        return await asyncio.gather(
            *(self.forward(call, shard, method, raw, part=True) for shard in self.links())
        )

    async def relay(
        self, call: Call, shard: int, described: MethodDescriptor, raw: bytes, context: Context
    ) -> bytes | None:
        """Have a call that streams carried out where its shard is served.

        Args:
            call: let in here.
            shard: where it goes.
            described: what streams of it.
            raw: the request, or the first of them.
            context: gives the others, and takes the answers.

        Returns:
            The answer, where there is one only.

        Raises:
            RouterError: what it was refused with there; NotReady: the connection ended.
        """
        with elsewhere("relay", {"crowdroute.shard": shard}) as traceparent:
            opening = self.wrap(call, shard, call.name, raw, traceparent)
            return await self._relay(shard, described, opening, context)

    async def _relay(
        self, shard: int, described: MethodDescriptor, opening: peer_pb2.ForwardedCall, context: Context
    ) -> bytes | None:
        link = self._link(shard)
        stream = link.relay()
        sending = asyncio.ensure_future(_send(stream, opening, context, described.client_streaming))
        answer: bytes | None = None
        try:
            with link.answering():
                while (part := await stream.read()) is not END:
                    if part.WhichOneof("part") == "status":
                        raise refusal_of(part.status)
                    if described.server_streaming:
                        await context.write(part.message)
                    else:
                        answer = part.message
        finally:
            sending.cancel()
            stream.cancel()
        if answer is None and not described.server_streaming:
            raise NotReady(f"the group of shard {shard} did not answer: call again")
        return answer

    async def carry(self, shard: int, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Have a command that crosses decided in a shard of another group; see `Carrier`."""
        generation = self._group.shard_map.generation
        with elsewhere("carry", {"crowdroute.shard": shard}) as traceparent:
            return await self._link(shard).carry(shard, generation, request, contents, traceparent)

    async def hand_over(self, shard: int, handed: Handed) -> Receipt:
        """Have records of an input taken in by a shard of another group.

        Raises:
            NotReady: refused, or not answered; whether it took effect is unknown.
        """
        generation = self._group.shard_map.generation
        with elsewhere("hand_over", {"crowdroute.shard": shard}) as traceparent:
            return await self._link(shard).hand_over(shard, generation, handed, traceparent)

    async def catch_up(self) -> bool:
        """Return when everything durable of the organisations at the moment of the call is known here; false:
        they live here.

        Raises:
            RouterError: nobody serves them at the moment, or their group cannot be reached.
        """
        if FIRST_SHARD in self._group.engines:
            return False
        time = asyncio.get_running_loop().time
        arrived = time()
        async with self._catching_up:
            if self._caught_up_since <= arrived:
                began = time()
                await self._following[self._link(FIRST_SHARD).address].catch_up(FIRST_SHARD)
                self._caught_up_since = began
        return True


async def _send(stream: Any, call: peer_pb2.ForwardedCall, context: Context, more: bool) -> None:
    """Send the beginning of a call that streams, and what its caller sends after it."""
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        await stream.write(peer_pb2.RelayPart(open=call))
        while more and (raw := await context.read()) is not END:
            await stream.write(peer_pb2.RelayPart(message=raw))
        await stream.done_writing()
