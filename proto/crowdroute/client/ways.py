"""Channels as they are opened, watched and closed: for calls that block, and for asyncio's."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from crowdroute.client.connection import Connection
from crowdroute.client.owners import Way

GONE = frozenset({grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN})

UNANSWERED = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)
"""How a call ends that came to nobody; with any other status somebody answered."""


class BlockingWay(Way):
    """A way for calls that block.

    Whether there is a connection is found out by a call. gRPC can watch a channel's state, but the thread
    that does goes on for a moment after it was told to stop, and prints an error when the channel is closed
    meanwhile.
    """

    def __init__(self, connection: Connection) -> None:
        """Open a channel to the address of a connection."""
        super().__init__(connection.address, _opened(grpc, connection))
        self._stands: bool | None = None
        self.known = threading.Event()
        """Set once it is known whether there is a connection."""

    def connect(self) -> BlockingWay:
        """Begin to find out whether there is a connection."""
        asked = HealthStub(self.channel).Check.future(HealthCheckRequest())
        asked.add_done_callback(self._note)
        return self

    def _note(self, asked: Any) -> None:
        self._stands = asked.code() not in UNANSWERED
        self.known.set()

    def answers(self, timeout_s: float) -> bool:
        """Say whether somebody is connected to, at once or within so many seconds."""
        ask = HealthStub(self.channel).Check
        try:
            ask(HealthCheckRequest(), timeout=timeout_s, wait_for_ready=True)
        except grpc.RpcError as error:
            return error.code() not in UNANSWERED
        return True

    def stands(self) -> bool | None:
        """Say whether there was a connection; None while that is being found out."""
        return self._stands

    def end(self) -> None:
        """Close the channel."""
        self.channel.close()


class AioWay(Way):
    """A way for asyncio's calls."""

    def __init__(self, connection: Connection, endings: set[asyncio.Task[None]]) -> None:
        """Open a channel to the address of a connection; `endings` holds the tasks that close channels."""
        super().__init__(connection.address, _opened(grpc.aio, connection))
        self._endings = endings

    def stands(self) -> bool | None:
        """Say whether there is a connection, and make one where there is none; None while that goes on."""
        return _standing(self.channel.get_state(try_to_connect=True))

    async def settled(self) -> None:
        """Return once it is known whether there is a connection.

        Each state is read once, judged and waited upon: of two reads the second may already be the last
        state, and that changes no more.
        """
        while _standing(state := self.channel.get_state(try_to_connect=True)) is None:
            await self.channel.wait_for_state_change(state)

    def end(self) -> None:
        """Close the channel soon."""
        task = asyncio.get_running_loop().create_task(self.channel.close(None), name="closing-channel")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _opened(kind: Any, connection: Connection) -> Any:
    """Open a channel of a kind (`grpc` or `grpc.aio`), with encryption if the connection says so."""
    credentials = connection.credentials()
    if credentials is None:
        return kind.insecure_channel(connection.address, connection.options)
    return kind.secure_channel(connection.address, credentials, connection.options)


def _standing(state: grpc.ChannelConnectivity) -> bool | None:
    if state in GONE:
        return False
    return True if state is grpc.ChannelConnectivity.READY else None
