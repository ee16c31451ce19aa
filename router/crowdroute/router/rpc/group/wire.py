"""What peers say to each other, as messages: principals, refusals, commands that cross."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.commands import Reply, Request
from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.commands.project import BeginProject
from crowdroute.router.errors import Category, InvalidCommand, NotReady, RouterError
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.authentication import Principal
from crowdroute.router.rpc.status import BY_CATEGORY, status_message

CROSSING = (BeginProject, NoteBalance, NoteBalances)
"""The commands that may come from a peer; everything else comes as a call of somebody."""

UPGRADE = "start the peer's release here, too"

_requests = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_encoder = msgspec.msgpack.Encoder()

_CATEGORIES = {status.value[0]: category for category, status in BY_CATEGORY.items()}


class PeerRefusal(NotReady):
    """What another group refused, with its code and words where it gave any."""


def principal_message(principal: Principal) -> peer_pb2.Principal:
    """Write a principal."""
    return peer_pb2.Principal(
        tenant=principal.tenant,
        token=principal.token,
        scopes=principal.scopes,
        worker=principal.worker,
        vendor=principal.vendor,
        pool=principal.pool,
        parent=principal.parent,
        expires_us=principal.expires_us,
    )


def status_bytes(error: RouterError, request: str) -> bytes:
    """Write why something was refused."""
    raw: bytes = status_message(error, request).SerializeToString()
    return raw


def refusal_of(raw: bytes) -> RouterError:
    """Read why another group refused something; it is told on as it was told here."""
    try:
        status = status_pb2.Status.FromString(raw)
        info = error_details_pb2.ErrorInfo()
        for detail in status.details:
            if detail.Is(info.DESCRIPTOR):
                detail.Unpack(info)
    except DecodeError:
        return NotReady("a peer answered with what is no status: are both of the same release?")
    details = dict(info.metadata)
    details.pop("request_id", None)
    refusal = PeerRefusal(status.message, details)
    refusal.code = info.reason or PeerRefusal.code
    refusal.category = _CATEGORIES.get(status.code, Category.UNAVAILABLE)
    return refusal


def carry_message(
    shard: int, generation: int, request: Request, contents: Sequence[ContentChange]
) -> peer_pb2.CarryRequest:
    """Write a command that crosses."""
    message = peer_pb2.CarryRequest(shard=shard, generation=generation, request=_encoder.encode(request))
    for key, body in contents:
        message.contents.add(key=key, body=body)
    return message


def carried(message: peer_pb2.CarryRequest) -> tuple[Request, list[ContentChange]]:
    """Read a command that crosses.

    Raises:
        NotReady: a newer release sent it, as far as can be seen; it is to be sent again, and not given up.
        InvalidCommand: it is none that may.
    """
    try:
        request = _requests.decode(message.request)
    except msgspec.MsgspecError as error:
        raise NotReady(
            f"a peer sent a command that this release does not know ({error}): {UPGRADE}"
        ) from error
    if not isinstance(request.command, CROSSING):
        raise InvalidCommand(f"{type(request.command).__name__} does not cross between shards")
    contents = [
        ContentChange(content.key, content.body if content.HasField("body") else None)
        for content in message.contents
    ]
    return request, contents


def encode_reply(reply: Reply) -> bytes:
    """Write a reply of the core."""
    return _encoder.encode(reply)


def decode_reply(raw: bytes) -> Reply:
    """Read a reply of the core.

    Raises:
        NotReady: a newer release gave it, as far as can be seen.
    """
    try:
        return _replies.decode(raw)
    except msgspec.MsgspecError as error:
        raise NotReady(f"a peer gave a reply that this release does not know ({error}): {UPGRADE}") from error
