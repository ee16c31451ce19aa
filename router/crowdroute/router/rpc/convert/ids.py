"""Ids as the wire writes them: a prefixed text, empty for none."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.ids import NO_ID, Id, Kind, from_text, to_text

_FENCE = re.compile(r"[0-9a-f]{16}", re.ASCII)


def text_of(kind: Kind, identity: Id) -> str:
    """Write an id; NO_ID becomes the empty text."""
    return "" if identity == NO_ID else to_text(kind, identity)


def id_of(kind: Kind, text: str, field: str) -> Id:
    """Read an id that must be there.

    Raises:
        InvalidCommand: it is no id of this kind; `details["field"]` is `field`.
    """
    try:
        return from_text(kind, text)
    except InvalidCommand as error:
        raise InvalidCommand(error.message, {"field": field}) from None


def optional_id_of(kind: Kind, text: str, field: str) -> Id:
    """Read an id; the empty text becomes NO_ID.

    Raises:
        InvalidCommand: it is neither empty nor an id of this kind.
    """
    return id_of(kind, text, field) if text else NO_ID


def ids_of(kind: Kind, texts: Iterable[str], field: str) -> tuple[Id, ...]:
    """Read several ids.

    Raises:
        InvalidCommand: one is no id of this kind; `details["field"]` tells which.
    """
    return tuple(id_of(kind, text, f"{field}[{place}]") for place, text in enumerate(texts))


def fence_text(fence: int) -> str:
    """Write a fence as a lease token, always of the same length."""
    return f"{fence:016x}"


def fence_of(text: str) -> int:
    """Read a lease token.

    Raises:
        InvalidCommand: the engine never gave such a token.
    """
    if _FENCE.fullmatch(text):
        return int(text, 16)
    raise InvalidCommand(
        "the lease token is not one that came with an offer: send it back as it was given",
        {"field": "lease_token"},
    )
