"""Records of an input on their way to the process that owns their project: what peers tell each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.model.ids import Id


class InputRecord(NamedTuple):
    """A record of an input partition, as it stands there."""

    offset: int
    value: bytes
    traceparent: str = ""


class Handed(NamedTuple):
    """Records of one project, in their order; none: how far its owner is, is all that is asked."""

    topic: str
    partition: int
    project: Id
    previous: int = 0
    """Offset that the records before these brought the project to."""
    next_offset: int = 0
    """Offset that these bring it to."""
    records: Sequence[InputRecord] = ()


class RefusedRecord(NamedTuple):
    """A record that asks for nothing sound, and why."""

    offset: int
    code: str
    reason: str
    details: Mapping[str, str]


class Receipt(NamedTuple):
    """How far the owner is, durably."""

    mark: int
    """Offset before which none of the project's records is to be handed over any more."""
    has_room: bool
    """Whether the project takes more."""
    refused: Sequence[RefusedRecord] = ()
    """To be sent away; of what was handed over nothing from the mark on was taken in."""


def hand_over_message(
    handed: Handed, shard: int, generation: int, traceparent: str = ""
) -> peer_pb2.HandOverRequest:
    """Write records for a shard, sent by the placement of a generation."""
    message = peer_pb2.HandOverRequest(
        shard=shard,
        generation=generation,
        topic=handed.topic,
        partition=handed.partition,
        project=handed.project,
        previous=handed.previous,
        next_offset=handed.next_offset,
        traceparent=traceparent,
    )
    for offset, value, trace in handed.records:
        message.records.add(offset=offset, value=value, traceparent=trace)
    return message


def handed_over(message: peer_pb2.HandOverRequest) -> Handed:
    """Read records."""
    return Handed(
        message.topic,
        message.partition,
        message.project,
        message.previous,
        message.next_offset,
        [InputRecord(each.offset, each.value, each.traceparent) for each in message.records],
    )


def receipt_message(receipt: Receipt) -> peer_pb2.HandOverResponse:
    """Write how far an owner is."""
    message = peer_pb2.HandOverResponse(mark=receipt.mark, has_room=receipt.has_room)
    for offset, code, reason, details in receipt.refused:
        message.refused.add(offset=offset, code=code, reason=reason, details=details)
    return message


def received(message: peer_pb2.HandOverResponse) -> Receipt:
    """Read how far an owner is."""
    refused = [
        RefusedRecord(each.offset, each.code, each.reason, dict(each.details)) for each in message.refused
    ]
    return Receipt(message.mark, message.has_room, refused)
