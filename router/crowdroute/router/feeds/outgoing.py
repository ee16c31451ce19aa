"""Records to put out, and the events that they tell of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from crowdroute.router.feeds.told import ToldRecord
from crowdroute.router.model.ids import Id
from crowdroute.router.runtime.settings import Told

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Outgoing(NamedTuple):
    """A record to put out."""

    kind: Told
    key: bytes
    """What keeps an order: records under one key are read in the order of the log."""
    value: bytes


class Moment(NamedTuple):
    """An event in its place."""

    id: str
    at_us: int
    stream: str
    event: Any


def record(kind: Told, key: Id, told: ToldRecord) -> Outgoing:
    """Give what is put out of a record, under the id that keeps its order."""
    return Outgoing(kind, key.hex().encode(), told.model_dump_json().encode())


def lower_name(member: Any) -> Any:
    """Write a member of an enumeration as the published schemas do."""
    return member.name.lower()


def time_text(moment_us: int) -> str:
    """Write a moment with all its microseconds, so that all are of one length."""
    moment = _EPOCH + timedelta(microseconds=moment_us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
