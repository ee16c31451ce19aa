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

CONNECT_S = 5.0
"""Longest wait for a connection; until it is known calls go where they went before."""

UNANSWERED = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)
"""How a question ends that nobody was there to answer."""

GONE = frozenset({grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN})


class BlockingWay(Way):
    """A way for calls that block."""

    def __init__(self, connection: Connection) -> None:
        """Open a channel to the address of a connection."""
        credentials = connection.credentials()
        target, options = connection.address, connection.options
        channel = (
            grpc.secure_channel(target, credentials, options)
            if credentials
            else grpc.insecure_channel(target, options)
        )
        super().__init__(target, channel)
        self._stands: bool | None = None
        self.known = threading.Event()
        """Set once it is known whether there is a connection."""

    def connect(self) -> BlockingWay:
        """Begin to find out whether there is a connection.

        Asked rather than watched: gRPC watches in a thread, which tells of its end when the channel closes.
        """
        asked = HealthStub(self.channel).Check.future(HealthCheckRequest(), timeout=CONNECT_S)
        asked.add_done_callback(self._look)
        return self

    def _look(self, asked: Any) -> None:
        """Note how it went: any answer at all came over a connection."""
        self._stands = asked.code() not in UNANSWERED
        self.known.set()

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
        credentials = connection.credentials()
        target, options = connection.address, connection.options
        channel = (
            grpc.aio.secure_channel(target, credentials, options)
            if credentials
            else grpc.aio.insecure_channel(target, options)
        )
        super().__init__(target, channel)
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


def _standing(state: grpc.ChannelConnectivity) -> bool | None:
    if state in GONE:
        return False
    return True if state is grpc.ChannelConnectivity.READY else None
