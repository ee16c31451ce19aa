"""Lists in pages: how many rows are wanted, where a page begins, and the token of the page after it.

A token holds the place where its page ended and a fingerprint of the question, so that it cannot be used to
go on with another one. It gives no rights: whoever forges one learns what asking again would have told.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
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

LARGEST_PAGE = 2 << 20
"""Bytes from which on a page is full although more rows were wanted: clients take messages of 4 MiB."""

AT_ONCE = 50
"""Rows written or read between two looks at the network: a few milliseconds."""

_PAGING = frozenset({"page_size", "page_token"})

AnyMessage = TypeVar("AnyMessage", bound=Message)
Row = TypeVar("Row")


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


async def fill(
    page: Page, rows: Sequence[Row], write: Callable[[Row], AnyMessage], place: Callable[[Row], Any]
) -> tuple[list[AnyMessage], str]:
    """Write the rows of a page without holding anybody up.

    Args:
        page: what is asked for.
        rows: those of the page, and one more if more follow.
        write: gives a row's message.
        place: gives where a row stands in the list.

    Returns:
        The messages, as many as fit a page, and the token of the next page; empty when there is none.
    """
    messages: list[AnyMessage] = []
    size = 0
    async for row in spaced(rows[: page.rows]):
        message = write(row)
        size += message.ByteSize()
        if messages and size > LARGEST_PAGE:
            break
        messages.append(message)
    more = len(rows) > len(messages)
    return messages, page.token(place(rows[len(messages) - 1])) if more else ""


async def spaced(rows: Iterable[Row]) -> AsyncIterator[Row]:
    """Yield rows, with a look at the network now and then."""
    for number, row in enumerate(rows):
        if number % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        yield row


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
