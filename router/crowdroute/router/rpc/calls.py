"""One call that was let in, and the messages that it brings.

Messages are parsed here rather than by gRPC, so that bytes that are no message are the caller's error and not
ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.rpc.authentication import Principal
from crowdroute.router.rpc.deadlines import LONGEST_DEADLINE, Context, time_left
from crowdroute.router.rpc.status import MalformedMessage, MessageTooLarge

LONGEST_KEY = 128

END: object = vars(grpc.aio)["EOF"]  # the stubs leave it out
AnyMessage = TypeVar("AnyMessage", bound=Message)


class Call:
    """One call that was let in."""

    __slots__ = ("_context", "forwarded", "name", "part", "principal", "request")

    def __init__(
        self,
        context: Context,
        name: str,
        principal: Principal,
        request: str,
        *,
        forwarded: bool = False,
        part: bool = False,
    ) -> None:
        self._context = context
        self.name = name
        self.principal = principal
        self.request = request
        """Request id: the caller's `x-request-id`, or one of ours."""
        self.forwarded = forwarded
        """Whether another group forwarded it; such a call goes no further."""
        self.part = part
        """Whether only what lives here is asked for, because another group adds up."""

    def seconds_left(self) -> float:
        """Give how much of the call's time is left; a minute for a call without a deadline."""
        left = time_left(self._context)
        return LONGEST_DEADLINE if left is None else left


class Stream(Generic[AnyMessage]):
    """The messages of a call that may send any number."""

    def __init__(self, context: Context, kind: type[AnyMessage], largest: int, first: object = None) -> None:
        self._context = context
        self._first = first
        """What was read of the call already, to find out where it goes."""
        self._kind = kind
        self._largest = largest

    async def read(self) -> AnyMessage | None:
        """Give the next message, or None when there are no more.

        Raises:
            MalformedMessage, MessageTooLarge: it cannot be read.
        """
        raw: Any = self._first
        self._first = None
        if raw is None:
            raw = await self._context.read()
        if raw is END:
            return None
        return parse(self._kind, raw, self._largest)

    async def __aiter__(self) -> AsyncIterator[AnyMessage]:
        """Yield the messages that are left."""
        while (message := await self.read()) is not None:
            yield message

    async def write(self, message: Message) -> None:
        """Send a message."""
        await self._context.write(message.SerializeToString())


def parse(kind: type[AnyMessage], raw: bytes, largest: int) -> AnyMessage:
    """Read a message.

    Raises:
        MessageTooLarge: it has more bytes than the call allows.
        MalformedMessage: the bytes are no message of this kind (a text that is not UTF-8, for example).
    """
    if len(raw) > largest:
        raise MessageTooLarge(f"the message has {len(raw)} bytes; this call takes at most {largest}")
    try:
        return kind.FromString(raw)
    except DecodeError:
        raise MalformedMessage(
            f"the bytes are no {kind.DESCRIPTOR.name}: are client and server of the same release?"
        ) from None


def checked_key(key: str) -> str:
    """Give an idempotency key back if it may be one.

    Raises:
        InvalidCommand: it is too long.
    """
    if len(key) > LONGEST_KEY:
        raise InvalidCommand(
            f"the idempotency key has {len(key)} characters; at most {LONGEST_KEY}",
            {"field": "idempotency_key"},
        )
    return key
