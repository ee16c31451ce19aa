"""The bucket of one credential."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.rpc import limits
from crowdroute.router.rpc.limits import RateLimiter
from crowdroute.router.rpc.status import TooManyCalls
from crowdroute.router.runtime.directory.sharing import share_limits

A, B = b"a" * 16, b"b" * 16


class Watch:
    """Time that is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(limiter: RateLimiter, credential: bytes, tries: int) -> int:
    """Give how many of so many calls were let through."""
    through = 0
    for _ in range(tries):
        try:
            limiter.take(credential)
        except TooManyCalls:
            continue
        through += 1
    return through


def test_a_burst_passes_and_then_the_steady_rate() -> None:
    watch = Watch()
    limiter = RateLimiter(2, 5, watch)

    assert taken(limiter, A, 10) == 5
    watch.now += 1
    assert taken(limiter, A, 10) == 2
    watch.now += 1000
    assert taken(limiter, A, 10) == 5, "what is not used is not saved for ever"


def test_one_credential_does_not_use_up_anothers() -> None:
    limiter = RateLimiter(1, 3, Watch())

    assert taken(limiter, A, 9) == 3
    assert taken(limiter, B, 9) == 3


def test_no_rate_is_no_limit() -> None:
    assert taken(RateLimiter(0, 1, Watch()), A, 1000) == 1000


def test_full_buckets_are_forgotten_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BUCKETS", 2)
    watch = Watch()
    limiter = RateLimiter(1, 3, watch)
    taken(limiter, A, 3)
    watch.now += 2
    taken(limiter, B, 3)
    watch.now += 1.5

    taken(limiter, b"c" * 16, 1)

    assert taken(limiter, B, 9) == 1, "B had not recovered and is still limited"
    with pytest.raises(TooManyCalls):
        limiter.take(B)


async def test_what_one_process_let_through_is_taken_from_the_others_buckets() -> None:
    watch = Watch()
    directory = MemoryDirectory(watch)
    here, there = RateLimiter(1, 10, watch), RateLimiter(1, 10, watch)
    assert taken(here, A, 7) == 7
    await share_limits(directory, here)
    assert taken(there, A, 2) == 2, "what is not known yet limits nobody"
    await share_limits(directory, there)
    assert taken(there, A, 10) == 1
    assert taken(there, B, 10) == 10


async def test_calls_made_while_others_are_asked_are_counted_too() -> None:
    watch = Watch()
    limiter = RateLimiter(1, 10, watch)
    taken(limiter, A, 5)
    limiter.drain()
    taken(limiter, A, 2)
    limiter.correct(A, 4)
    assert taken(limiter, A, 10) == 2


async def test_a_directory_that_does_not_answer_leaves_the_bucket_as_it_is() -> None:
    class Silent(MemoryDirectory):
        async def settle(
            self, group: str, spent: Mapping[str, int], per_second: float, burst: float
        ) -> dict[str, float]:
            return {}

    limiter = RateLimiter(1, 10, Watch())
    taken(limiter, A, 4)
    await share_limits(Silent(), limiter)
    assert taken(limiter, A, 10) == 6
