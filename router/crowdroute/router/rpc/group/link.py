"""The way to one other group: a connection, and on it one stream for all calls that are forwarded there.

What is to be forwarded gathers while the message before it is written, so that a batch costs what one call
would. When the stream breaks, everything on it is answered `NOT_READY`: whether it took effect is unknown,
and callers repeat it under its key.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import grpc

from crowdroute.peer.v1 import peer_pb2, peer_pb2_grpc
from crowdroute.router.commands import Reply, Request
from crowdroute.router.errors import NotReady, RouterError
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.calls import END
from crowdroute.router.rpc.group.handing import Handed, Receipt, hand_over_message, received
from crowdroute.router.rpc.group.wire import carry_message, decode_reply, refusal_of
from crowdroute.router.rpc.status import DETAILS_KEY

SECRET = "crowdroute-peer"
"""Metadata that holds the secret that peers share."""

CARRY_SECONDS = 10.0
"""How long a command that crosses may take; it is sent again."""

CLOSED = "it serves no shards any more"

MOST_CALLS = 64
"""Calls in one batch: what is decided between two looks at the network."""

CHANNEL: Sequence[tuple[str, int | str]] = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A frozen peer answers on the level of TCP; without this it is noticed after a minute.
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.max_receive_message_length", 64 << 20),
)


class PeerLink:
    """Calls another group; belongs to the event loop it was made in."""

    def __init__(
        self, address: str, secret: str, credentials: grpc.ChannelCredentials | None, name: str = ""
    ) -> None:
        """Prepare; connects when it is needed.

        Args:
            address: host:port where the group serves its peers.
            secret: what peers share.
            credentials: for mutual TLS; None: no encryption.
            name: that the group's certificate must be of; empty: the host of the address.
        """
        options = (*CHANNEL, *((("grpc.ssl_target_name_override", name),) if name else ()))
        self.address = address
        self._metadata = ((SECRET, secret),)
        self._channel = (
            grpc.aio.insecure_channel(address, options)
            if credentials is None
            else grpc.aio.secure_channel(address, credentials, options)
        )
        self._stub: Any = peer_pb2_grpc.PeerServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._calls: list[peer_pb2.ForwardedCall] = []
        self._cancelled: list[int] = []
        self._number = 0
        self._posted = asyncio.Event()
        self._stream: asyncio.Task[None] | None = None
        self._closed = False

    async def close(self) -> None:
        """End the connection; what is under way is answered `NOT_READY`."""
        self._closed = True
        if self._stream is not None:
            self._stream.cancel()
            await asyncio.gather(self._stream, return_exceptions=True)
        self._fail(CLOSED)  # a stream that was cancelled before it began has told nobody
        await self._channel.close(None)

    # Calls of one request and one answer

    async def forward(self, call: peer_pb2.ForwardedCall) -> bytes:
        """Have a call carried out there and give its answer.

        Raises:
            RouterError: what the other group refused it with; NotReady: it did not answer.
        """
        if self._closed:
            raise self._not_ready(CLOSED)
        self._number += 1
        call.number = self._number
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[call.number] = answered
        self._calls.append(call)
        self._posted.set()
        if self._stream is None or self._stream.done():
            self._stream = asyncio.get_running_loop().create_task(self._run(), name="peer-link")
        try:
            return await answered
        except asyncio.CancelledError:
            self._cancelled.append(call.number)
            self._posted.set()
            raise
        finally:
            self._waiting.pop(call.number, None)

    async def _run(self) -> None:
        """Send batches and read answers until the stream breaks."""
        stream = self._stub.Forward(metadata=self._metadata)
        writing = asyncio.ensure_future(self._write(stream))
        why = "the connection ended"
        try:
            while (batch := await stream.read()) is not END:
                for answer in batch.answers:
                    self._answered(answer)
        except grpc.aio.AioRpcError as error:
            why = error.details() or error.code().name
        finally:
            writing.cancel()
            stream.cancel()
            self._fail(why)

    def _fail(self, why: str) -> None:
        """Tell everybody who waits that there will be no answer."""
        self._calls.clear()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(self._not_ready(why))

    async def _write(self, stream: Any) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                await self._posted.wait()
                calls, self._calls = self._calls[:MOST_CALLS], self._calls[MOST_CALLS:]
                cancelled, self._cancelled = self._cancelled, []
                if not self._calls:
                    self._posted.clear()
                await stream.write(peer_pb2.ForwardBatch(calls=calls, cancelled=cancelled))

    def _answered(self, answer: peer_pb2.Answer) -> None:
        waiting = self._waiting.get(answer.number)
        if waiting is None or waiting.done():
            return
        if answer.status:
            waiting.set_exception(refusal_of(answer.status))
        else:
            waiting.set_result(answer.message)

    def _not_ready(self, why: str) -> NotReady:
        return NotReady(
            f"the group at {self.address} cannot be reached ({why}): call again with the same idempotency key"
        )

    # Everything else

    async def carry(
        self,
        shard: int,
        generation: int,
        request: Request,
        contents: Sequence[ContentChange],
        traceparent: str = "",
    ) -> Reply:
        """Have a command that crosses decided there; see `Carrier.carry`."""
        message = carry_message(shard, generation, request, contents)
        message.traceparent = traceparent
        with self.answering():
            answer = await self._stub.Carry(message, metadata=self._metadata, timeout=CARRY_SECONDS)
        return decode_reply(answer.reply)

    async def hand_over(self, shard: int, generation: int, handed: Handed, traceparent: str = "") -> Receipt:
        """Have records of an input taken in by a shard there, sent by the placement of a generation.

        Raises:
            NotReady: refused, or not answered; whether it took effect is unknown.
        """
        message = hand_over_message(handed, shard, generation, traceparent)
        with self.answering():
            answer = await self._stub.HandOver(message, metadata=self._metadata, timeout=CARRY_SECONDS)
        return received(answer)

    async def position(self, shard: int) -> Mapping[str, int]:
        """Give by stream how far the organisations that live in a shard are durable.

        Raises:
            RouterError: the shard is not served there, or there was no answer.
        """
        message = peer_pb2.PositionRequest(shard=shard)
        with self.answering():
            answer = await self._stub.Position(message, metadata=self._metadata, timeout=CARRY_SECONDS)
        return dict(answer.sequences)

    async def follow(self) -> AsyncIterator[peer_pb2.FollowPart]:
        """Yield what becomes durable of the organisations there.

        Raises:
            NotReady: the connection ended.
        """
        with self.answering():
            async for part in self._stub.Follow(peer_pb2.FollowRequest(), metadata=self._metadata):
                yield part

    def relay(self) -> Any:
        """Open a stream for one call that streams; what is read of it is read while `answering`."""
        return self._stub.Relay(metadata=self._metadata)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Tell a call to the group that ended, as callers are told.

        A connection that is closed cancels the calls on it, which looks as if whoever waits for them were
        cancelled. gRPC tells nothing to the caller of a handler that was, and a caller without a deadline
        would wait for ever.

        Raises:
            RouterError: what the other group refused the call with; NotReady: it did not answer.
        """
        if self._closed:
            raise self._not_ready(CLOSED)
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from error
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if not self._closed or (waiting is not None and waiting.cancelling()):
                raise
            raise self._not_ready(CLOSED) from None

    def _failure(self, error: grpc.aio.AioRpcError) -> RouterError:
        # grpc.aio gives plain pairs here, which its type stubs do not say.
        for key, value in cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ()):
            if key == DETAILS_KEY and isinstance(value, bytes):
                return refusal_of(value)
        return self._not_ready(error.details() or error.code().name)
