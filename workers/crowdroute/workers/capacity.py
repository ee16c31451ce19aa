"""How much work a worker may hold and take: live leases, and leases granted in any hour."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crowdroute.workers.errors import InvalidCapacity

HOUR_US = 3_600_000_000
"""Microseconds in the hour that the rate is counted over."""


class Limit(StrEnum):
    """What stops a worker from being given more."""

    LIVE_LEASES = "live_leases"
    HOURLY_RATE = "hourly_rate"


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one worker may hold at once and take in an hour; None leaves it open."""

    max_leases: int | None = None
    per_hour: int | None = None

    def __post_init__(self) -> None:
        """Refuse a negative limit (zero is one: no work)."""
        for name, limit in (("max_leases", self.max_leases), ("per_hour", self.per_hour)):
            if limit is not None and limit < 0:
                raise InvalidCapacity(f"{name} is {limit}: give 0 for no work, or None for no limit")


UNLIMITED = Capacity()


@dataclass(frozen=True, slots=True)
class Room:
    """How many leases a worker may be given now, and if none, why and until when."""

    leases: int | None
    """None: no limit applies."""
    stopped_by: Limit | None = None
    """Set exactly when `leases` is 0."""
    free_at_us: int | None = None
    """When the hourly rate leaves room again; None for live leases, which may end at any time."""


def stricter(one: Capacity, other: Capacity) -> Capacity:
    """Give the capacity that keeps both, for example a worker's own and a project's."""
    return Capacity(_least(one.max_leases, other.max_leases), _least(one.per_hour, other.per_hour))


def find_room(capacity: Capacity, live_leases: int, granted_us: Sequence[int], now_us: int) -> Room:
    """Say how many leases may be granted now.

    `granted_us` holds the moments of the worker's grants, oldest first; what is older than an hour may be
    left out. The rate is exact: never more than `per_hour` grants in any hour, (now - 1 h, now] included.
    Costs O(log n).

    Raises:
        InvalidCapacity: `live_leases` is negative, or there are grants after `now_us`.
    """
    if live_leases < 0:
        raise InvalidCapacity(f"a worker cannot hold {live_leases} leases")
    if granted_us and granted_us[-1] > now_us:
        raise InvalidCapacity(f"a grant at {granted_us[-1]} lies after now, {now_us}")
    free_leases = None if capacity.max_leases is None else max(0, capacity.max_leases - live_leases)
    free_rate, free_at_us = None, None
    if capacity.per_hour is not None:
        recent = len(granted_us) - bisect_right(granted_us, now_us - HOUR_US)
        free_rate = max(0, capacity.per_hour - recent)
        if free_rate == 0 and capacity.per_hour > 0:
            free_at_us = granted_us[-capacity.per_hour] + HOUR_US
    if free_leases == 0:
        return Room(0, Limit.LIVE_LEASES)
    if free_rate == 0:
        return Room(0, Limit.HOURLY_RATE, free_at_us)
    return Room(_least(free_leases, free_rate))


def _least(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
