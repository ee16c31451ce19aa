"""Ids are 16 random bytes inside the engine and a short prefixed text outside it.

An id says nothing about order, content or owner. The prefix in the text form only catches a caller who passes
one kind of id where another belongs.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import StrEnum
from hashlib import blake2b

from crowdroute.router.errors import InvalidCommand

Id = bytes
"""16 bytes, random (or a keyed digest of an external id)."""

ID_BYTES = 16
NO_ID: Id = bytes(ID_BYTES)

_halves = struct.Struct(">qq")

_UNIT = 2.0**-53
"""Between two neighbours of the numbers in [0, 1) that have a double each."""


class Kind(StrEnum):
    """What an id names; the value is the prefix of its text form."""

    PROJECT = "prj"
    ITEM = "itm"
    TASK = "tsk"
    ASSIGNMENT = "asg"
    WORKER = "wrk"
    PERSON = "psn"
    POOL = "pol"
    VENDOR = "vnd"
    TOKEN = "tok"
    ENTRY = "led"


def to_text(kind: Kind, identity: Id) -> str:
    """Write an id as people and programs outside see it, for example `tsk_4f0c…`."""
    return f"{kind.value}_{identity.hex()}"


def from_text(kind: Kind, text: str) -> Id:
    """Read an id's text form.

    Raises:
        InvalidCommand: the text is not an id of this kind.
    """
    prefix, _, digits = text.partition("_")
    if prefix == kind.value and len(digits) == 2 * ID_BYTES:
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    raise InvalidCommand(
        f"{text[:64]!r} is not a {kind.name.lower()} id: "
        f"expected {kind.value}_ and {2 * ID_BYTES} hex digits",
        {"field": f"{kind.name.lower()}_id"},
    )


def derive(entropy: Id, index: int) -> Id:
    """Give the index-th id that one command's random bytes stand for (index 0 is the bytes themselves)."""
    if index == 0:
        return entropy
    return blake2b(index.to_bytes(8, "big"), key=entropy, digest_size=ID_BYTES).digest()


_stretch = blake2b(digest_size=64, person=b"stretch")
"""Begun once: a copy of it is made in half the time of a new one, and every grant wants one."""


def stretch(entropy: Id, index: int) -> bytes:
    """Give 64 independent random bytes for the index-th thing that one command decides.

    What is cut from them may be shown to anybody: it tells neither the entropy nor the rest.
    """
    digest = _stretch.copy()
    digest.update(entropy + index.to_bytes(8, "big"))
    return digest.digest()


def unit(random: bytes) -> float:
    """Give the number in [0, 1) that eight random bytes stand for."""
    return (int.from_bytes(random, "big") >> 11) * _UNIT


def uniform(entropy: Id, purpose: int) -> float:
    """Give a number in [0, 1) that one command's random bytes stand for, independent for each purpose."""
    digest = blake2b(purpose.to_bytes(8, "big"), key=entropy, digest_size=8, person=b"uniform").digest()
    return unit(digest)


halves: Callable[[Id], tuple[int, int]] = _halves.unpack
"""Splits an id into two signed 64-bit numbers, as the tables store it."""

join: Callable[[int, int], Id] = _halves.pack
"""Puts the two numbers of a table row together again."""
