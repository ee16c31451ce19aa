"""The brokers' clock beside this machine's: a record in the topic of contents gets the broker's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from crowdroute.router.adapters.clock_skew import check_skew
from crowdroute.router.adapters.kafka_content import CLOCK

ASKED = 2
"""Times: the first record also has to find its leader, and tells less than the second."""


class Stamping(Protocol):
    """A way to a topic whose records get their time from the broker; see `KafkaSender`."""

    def written_at(self, value: bytes | None, key: bytes | None = None) -> float:
        """Write a record and give its time."""


def check_clock(
    sender: Stamping, servers: str, now: Callable[[], float] = time.time, asked: int = ASKED
) -> None:
    """See that the brokers' clock and this machine's agree; blocks.

    What is written is the tombstone of a key that nobody reads, which compaction removes.

    Args:
        sender: to the topic of contents.
        servers: where the brokers are, for people.
        now: this machine's time, in seconds since 1970.
        asked: how many records are written; the newest counts.

    Raises:
        ConfigurationError: they are apart.
        AppendFailed: the brokers do not answer.
    """
    for _ in range(asked):
        before = now()
        theirs = sender.written_at(None, CLOCK)
        after = now()
    check_skew(f"Kafka at {servers}", theirs, (before + after) / 2, after - before)
