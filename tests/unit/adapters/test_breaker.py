"""The circuit breaker."""

from __future__ import annotations

from crowdroute.router.adapters.breaker import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Breaker


class Watch:
    """Time that is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_who_answers_is_always_asked() -> None:
    breaker = Breaker(Watch())
    for _ in range(3):
        assert breaker.admits()
        assert not breaker.succeeded()
    assert breaker.closed


def test_after_a_failure_nobody_is_asked_until_the_pause_is_over_and_then_once() -> None:
    watch = Watch()
    breaker = Breaker(watch)
    assert breaker.admits()
    assert breaker.failed("gone")
    assert not breaker.admits()
    watch.now += FIRST_PAUSE_SECONDS
    assert breaker.admits()
    assert not breaker.admits(), "one call finds out for all"
    assert breaker.succeeded()
    assert breaker.admits()
    assert breaker.failure == ""


def test_pauses_grow_to_the_longest_and_begin_anew_after_an_answer() -> None:
    watch = Watch()
    breaker = Breaker(watch)
    for _ in range(10):
        breaker.failed("gone")
    watch.now += LONGEST_PAUSE_SECONDS
    assert breaker.admits()
    breaker.succeeded()
    breaker.failed("gone again")
    watch.now += FIRST_PAUSE_SECONDS
    assert breaker.admits()


def test_a_caller_who_gives_up_leaves_the_trial_to_the_next() -> None:
    watch = Watch()
    breaker = Breaker(watch)
    breaker.failed("gone")
    watch.now += FIRST_PAUSE_SECONDS
    assert breaker.admits()
    breaker.dropped()
    assert breaker.admits()
    assert not breaker.closed
