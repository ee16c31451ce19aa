"""Moments and lengths: microseconds inside, Timestamp and Duration outside."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from crowdroute.router.errors import InvalidCommand

_SECOND = 1_000_000

LAST_US = 253_402_300_799_999_999
"""The last microsecond of the year 9999, where a Timestamp ends."""


def timestamp(moment_us: int) -> Timestamp | None:
    """Write a moment; 0, which stands for none, leaves the field unset."""
    if moment_us == 0:
        return None
    seconds, micros = divmod(moment_us, _SECOND)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def moment_of(message: Timestamp, field: str) -> int:
    """Read a moment that is set.

    Raises:
        InvalidCommand: it lies before 1970 or after 9999, or its parts contradict each other.
    """
    moment_us = message.seconds * _SECOND + message.nanos // 1000
    if not 0 <= message.nanos < 1_000_000_000 or not 0 < moment_us <= LAST_US:
        raise InvalidCommand("the moment is not between 1970 and 9999", {"field": field})
    return moment_us


def length_of(message: Duration, field: str, longest_us: int) -> int:
    """Read a length of time, in microseconds.

    Raises:
        InvalidCommand: it is negative or longer than `longest_us`.
    """
    length_us = message.seconds * _SECOND + message.nanos // 1000
    if not 0 <= message.nanos < 1_000_000_000 or not 0 <= length_us <= longest_us:
        raise InvalidCommand(
            f"the length of time must be from 0 to {longest_us / _SECOND:g} seconds", {"field": field}
        )
    return length_us
