"""Content: parts of an item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from crowdroute.api.v1 import types_pb2
from crowdroute.router.errors import InvalidCommand, LogCorrupt
from crowdroute.router.model.content import ItemContent, Part

MOST_PARTS = 64
LONGEST_PART_NAME = 64

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ItemContent)


def part_message(part: Part) -> types_pb2.ContentPart:
    """Write one part."""
    if part.url:
        return types_pb2.ContentPart(
            id=part.id, mime_type=part.mime_type, url=part.url, language=part.language
        )
    if part.data:
        return types_pb2.ContentPart(
            id=part.id, mime_type=part.mime_type, data=part.data, language=part.language
        )
    return types_pb2.ContentPart(id=part.id, mime_type=part.mime_type, text=part.text, language=part.language)


def part_of(message: types_pb2.ContentPart, field: str) -> Part:
    """Read one part.

    Raises:
        InvalidCommand: it has no name or body, or its address is not one that a front-end may load.
    """
    if not 1 <= len(message.id) <= LONGEST_PART_NAME:
        raise InvalidCommand(
            f"a part needs an id of 1 to {LONGEST_PART_NAME} characters", {"field": f"{field}.id"}
        )
    kind = message.WhichOneof("body")
    if kind is None:
        raise InvalidCommand("a part needs text, data or url", {"field": field})
    if kind == "url" and not message.url.startswith(("https://", "http://")):
        raise InvalidCommand("the address must begin with https:// or http://", {"field": f"{field}.url"})
    return Part(
        id=message.id,
        mime_type=message.mime_type or ("text/plain" if kind == "text" else "application/octet-stream"),
        text=message.text,
        data=message.data,
        url=message.url,
        language=message.language,
    )


def parts_of(messages: Sequence[types_pb2.ContentPart], field: str) -> tuple[Part, ...]:
    """Read the parts of one item.

    Raises:
        InvalidCommand: there are too many, two have one name, or one cannot be read.
    """
    if len(messages) > MOST_PARTS:
        raise InvalidCommand(f"{len(messages)} parts: an item has at most {MOST_PARTS}", {"field": field})
    parts = tuple(part_of(message, f"{field}[{place}]") for place, message in enumerate(messages))
    if len({part.id for part in parts}) < len(parts):
        raise InvalidCommand("two parts have the same id", {"field": field})
    return parts


def part_messages(parts: Iterable[Part]) -> list[types_pb2.ContentPart]:
    """Write the parts of one item."""
    return [part_message(part) for part in parts]


def encode_item(content: ItemContent) -> bytes:
    """Give an item's content as the content store keeps it."""
    return _encoder.encode(content)


def decode_item(body: bytes) -> ItemContent:
    """Read what `encode_item` gave.

    Raises:
        LogCorrupt: it is no item's content.
    """
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise LogCorrupt(
            f"the content store holds what is no item ({error}): restore it from a backup"
        ) from error
