"""Lists in pages: how many rows are wanted, where a page begins, and the token of the page after it.

A token holds the place where its page ended and a fingerprint of the question, so that it cannot be used to
go on with another one. It gives no rights: whoever forges one learns what asking again would have told.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import msgspec
from google.protobuf.message import Message

from crowdroute.router.errors import InvalidCommand

DEFAULT_ROWS = 100
MOST_ROWS = 1000

LONGEST_TOKEN = 1024
"""Characters: a place is an id, a number or a name."""

LARGEST_PLACE = 1 << 62
"""Numbers count rows and batches; anything larger was made up."""

FINGERPRINT_BYTES = 8

_PAGING = frozenset({"page_size", "page_token"})

AnyMessage = TypeVar("AnyMessage", bound=Message)


class Page(NamedTuple):
    """What is asked for of a list."""

    rows: int
    """Most rows wanted."""
    after: Any
    """Place of the last row of the page before, as `token` was given it; None: from the beginning."""
    fingerprint: bytes

    def token(self, place: Any) -> str:
        """Write the token of the next page, which begins after `place`."""
        raw = msgspec.msgpack.encode((self.fingerprint, place))
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def page_of(message: Message, kind: Any) -> Page:
    """Read which page a message asks for.

    Args:
        message: has `page_size` and `page_token`.
        kind: type of the places of this list, as msgspec knows types.

    Raises:
        InvalidCommand: the size is negative, or the token is not one that this list gave.
    """
    size: int = message.page_size  # type: ignore[attr-defined]  # every list's has one
    token: str = message.page_token  # type: ignore[attr-defined]  # likewise
    if size < 0:
        raise InvalidCommand(
            f"page_size {size} is negative; 0 lets the server choose", {"field": "page_size"}
        )
    fingerprint = _fingerprint(message)
    after = _read(token, fingerprint, kind) if token else None
    return Page(min(size or DEFAULT_ROWS, MOST_ROWS), after, fingerprint)


def _read(token: str, fingerprint: bytes, kind: Any) -> Any:
    try:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("too long")
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        asked, place = msgspec.msgpack.decode(raw, type=tuple[bytes, kind])
    except (ValueError, binascii.Error, msgspec.DecodeError):
        asked, place = b"", None
    if asked != fingerprint or (isinstance(place, int) and not -1 <= place <= LARGEST_PLACE):
        raise InvalidCommand(
            "the page token does not belong to this list: ask with the same filters as before, or begin again"
            " without a token",
            {"field": "page_token"},
        )
    return place


def _fingerprint(message: Message) -> bytes:
    """Give a hash of what is asked, the paging left out."""
    asked = type(message)()
    asked.CopyFrom(message)
    for name in _PAGING:
        asked.ClearField(name)
    kind = message.DESCRIPTOR.full_name.encode()
    return blake2b(
        asked.SerializeToString(deterministic=True), key=kind[:64], digest_size=FINGERPRINT_BYTES
    ).digest()
