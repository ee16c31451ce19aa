"""What the supervisor tells actors and what they answer, as JSON: Ray would pickle anything else.

An order is the whole of what its actor is to do, never a change, so one that is lost or told twice costs
nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

import msgspec


class Stage(StrEnum):
    """How far an actor is with a shard."""

    OPENING = "opening"
    SERVING = "serving"
    RELEASING = "releasing"
    RELEASED = "released"
    FAILED = "failed"
    """It could not be opened."""


class Held(msgspec.Struct, frozen=True):
    """A shard as its actor stands to it."""

    generation: int
    """Of the grant that it is held by, or was."""
    stage: Stage
    why: str = ""
    """What kept it from being opened."""


class At(msgspec.Struct, frozen=True, array_like=True):
    """Where a process is reached."""

    public: str
    """host:port of its gRPC; empty while it does not listen yet."""
    peers: str = ""
    """host:port where the other processes reach it; empty where there are none."""


class Standing(msgspec.Struct, frozen=True):
    """What an actor says of itself."""

    incarnation: str
    node: str
    at: At
    pid: int
    obeyed: int = 0
    """Generation of the newest order that it follows."""
    held: dict[int, Held] = {}
    """By shard, those that it has released among them."""
    least: int = 0
    """A log has been claimed at this generation: a grant below it would be void."""
    why: str = ""
    """What keeps it from beginning; it ends in a moment, and the next life tries again."""


class Charge(msgspec.Struct, frozen=True):
    """What an actor is to do with one shard that it has a grant for."""

    generation: int
    serve: bool
    """Open and serve it; or drain it, hand it over, and never open it by this grant again."""


class Order(msgspec.Struct, frozen=True):
    """Everything one incarnation of an actor is to do."""

    incarnation: str
    generation: int
    charges: dict[int, Charge]
    """By shard; whatever it holds besides is no longer its own."""
    owners: dict[int, At]
    """Where callers of each shard are to go, in the whole cluster."""


Told = TypeVar("Told", Standing, Order)


def encode(told: Standing | Order) -> bytes:
    """Encode what is told."""
    return msgspec.json.encode(told)


def decode(told: bytes, kind: type[Told]) -> Told:
    """Decode what was told.

    Raises:
        msgspec.ValidationError: it is something else, as from another release.
    """
    return msgspec.json.decode(told, type=kind)
