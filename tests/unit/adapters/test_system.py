"""Logged time goes on at the right pace whatever the machine's clocks do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.adapters.memory import ManualClock, SeededIds
from crowdroute.router.adapters.system import (
    JUMP_TOLERANCE_US,
    JUMP_US,
    LONGEST_OUTAGE_US,
    SystemClock,
    SystemIds,
    elapsed_ns,
)

START_US = 1_700_000_000_000_000
HOUR_US = 3_600_000_000


class Machine:
    """Two clocks that a test moves apart."""

    def __init__(self) -> None:
        self.elapsed_us = 5_000_000
        self.wall_us = START_US

    def clock(self, last_us: int | None = None) -> SystemClock:
        return SystemClock(last_us, lambda: self.elapsed_us * 1000, lambda: self.wall_us * 1000)

    def run(self, by_us: int) -> None:
        self.elapsed_us += by_us
        self.wall_us += by_us


def test_a_new_log_begins_at_the_wall_clock() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock.now_us() == START_US
    machine.run(123)
    assert clock.now_us() == START_US + 123


def test_setting_the_wall_clock_changes_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    for step in (HOUR_US, -3 * HOUR_US, 366 * 24 * HOUR_US):
        machine.wall_us += step
        before = clock.now_us()
        machine.run(1_000_000)
        assert clock.now_us() == before + 1_000_000
    assert clock.behind_us == HOUR_US - 3 * HOUR_US + 366 * 24 * HOUR_US
    assert clock.cut_us == 0


def test_a_wall_clock_behind_the_log_does_not_turn_time_back() -> None:
    machine = Machine()
    clock = machine.clock(START_US + HOUR_US)
    assert clock.now_us() == START_US + HOUR_US
    machine.run(10)
    assert clock.now_us() == START_US + HOUR_US + 10


def test_the_time_that_the_engine_was_away_has_passed() -> None:
    assert Machine().clock(START_US - 50 * HOUR_US).now_us() == START_US


def test_a_wall_clock_far_ahead_of_the_log_is_not_believed() -> None:
    last_us = START_US - 2 * LONGEST_OUTAGE_US
    assert Machine().clock(last_us).now_us() == last_us + LONGEST_OUTAGE_US


def test_a_sleep_that_both_clocks_saw_has_passed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.run(8 * HOUR_US)
    machine.wall_us -= JUMP_TOLERANCE_US
    assert clock.now_us() == START_US + 8 * HOUR_US
    assert clock.cut_us == 0


def test_a_jump_counts_only_as_far_as_the_wall_clock_saw_it() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.elapsed_us += 10 * HOUR_US
    machine.wall_us += HOUR_US
    assert clock.now_us() == START_US + HOUR_US
    machine.elapsed_us += 10 * HOUR_US
    machine.wall_us -= HOUR_US
    assert clock.now_us() == START_US + HOUR_US
    assert clock.cut_us == 19 * HOUR_US
    machine.run(7)
    assert clock.now_us() == START_US + HOUR_US + 7


@given(
    st.lists(st.tuples(st.integers(0, 20 * JUMP_US), st.integers(-20 * JUMP_US, 20 * JUMP_US)), max_size=20),
    st.none() | st.integers(START_US - HOUR_US, START_US + HOUR_US),
)
def test_logged_time_never_falls_and_never_outruns_the_running_clock(
    steps: list[tuple[int, int]], last_us: int | None
) -> None:
    machine = Machine()
    clock = machine.clock(last_us)
    before_us = clock.now_us()
    assert last_us is None or before_us >= last_us
    for elapsed_us, wall_us in steps:
        machine.elapsed_us += elapsed_us
        machine.wall_us += wall_us
        now_us = clock.now_us()
        assert before_us <= now_us <= before_us + elapsed_us
        before_us = now_us


def test_the_machines_own_clocks_are_used() -> None:
    clock = SystemClock()
    assert clock.now_us() <= clock.now_us()
    assert abs(clock.behind_us) < JUMP_US
    assert elapsed_ns() <= elapsed_ns()


def test_random_bytes_do_not_come_again() -> None:
    ids = SystemIds()
    drawn = {ids.entropy() for _ in range(1000)}
    assert len(drawn) == 1000
    assert {len(each) for each in drawn} == {16}


def test_seeded_bytes_come_again_with_their_seed_only() -> None:
    first, second, other = SeededIds(1), SeededIds(1), SeededIds(2)
    drawn = [first.entropy() for _ in range(10)]
    assert drawn == [second.entropy() for _ in range(10)]
    assert drawn[0] != other.entropy()
    assert len(drawn[0]) == 16


def test_a_manual_clock_stands_still_until_it_is_told() -> None:
    clock = ManualClock(START_US)
    assert clock.now_us() == clock.now_us() == START_US
    clock.advance(5)
    clock.advance(-3)
    assert clock.now_us() == START_US + 5
