"""Records in the topic of contents that are no contents: they get the broker's time, which is compared with
this machine's, and tell that a shard is served.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from crowdroute.router.adapters.clock_skew import check_skew
from crowdroute.router.adapters.kafka_content import CLOCK, SERVED
from crowdroute.router.adapters.kafka_partition import Found

ASKED = 2
"""Times: the first record also has to find its leader, and tells less than the second."""

_ALIVE = b"\x01"


class Stamping(Protocol):
    """A way to a topic whose records get their time from the broker; see `KafkaSender`."""

    def written_at(self, value: bytes | None, key: bytes | None = None) -> float:
        """Write a record and give its time."""


def check_clock(sender: Stamping, servers: str, now: Callable[[], float] = time.time) -> None:
    """See that the brokers' clock and this machine's agree, before a shard is claimed; blocks.

    What is written is the tombstone of a key that nobody reads, which compaction removes.

    Args:
        sender: to the topic of contents.
        servers: where the brokers are, for people.
        now: this machine's time, in seconds since 1970.

    Raises:
        ConfigurationError: they are apart.
        AppendFailed: the brokers do not answer.
    """
    for _ in range(ASKED - 1):
        sender.written_at(None, CLOCK)
    _compare(sender, None, CLOCK, servers, now)


def tell_served(sender: Stamping, servers: str, now: Callable[[], float] = time.time) -> None:
    """Tell whoever looks that the shard is served, and see that the clocks still agree; blocks.

    Arguments and errors are those of `check_clock`.
    """
    _compare(sender, _ALIVE, SERVED, servers, now)


def _compare(
    sender: Stamping, value: bytes | None, key: bytes, servers: str, now: Callable[[], float]
) -> None:
    before = now()
    theirs = sender.written_at(value, key)
    after = now()
    check_skew(f"Kafka at {servers}", theirs, (before + after) / 2, after - before)


def last_word(records: Iterable[Found]) -> int | None:
    """Give the offset at which an owner last told that it serves a shard, None when it has ended since, or
    when none of these records of its contents says so."""
    told = None
    for found in records:
        if found.key == SERVED:
            told = None if found.value is None else found.offset
    return told
