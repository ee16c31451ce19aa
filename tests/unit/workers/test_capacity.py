import pytest

from crowdroute.workers.capacity import HOUR_US, UNLIMITED, Capacity, Limit, Room, find_room, stricter
from crowdroute.workers.errors import InvalidCapacity

NOW = 10 * HOUR_US


def test_without_limits_there_is_room_without_end() -> None:
    assert find_room(UNLIMITED, 10**6, [NOW] * 5, NOW) == Room(None)


def test_live_leases_take_up_room() -> None:
    assert find_room(Capacity(max_leases=3), 1, [], NOW) == Room(2)
    assert find_room(Capacity(max_leases=3), 3, [], NOW) == Room(0, Limit.LIVE_LEASES)


def test_a_limit_lowered_below_what_is_held_leaves_no_room() -> None:
    assert find_room(Capacity(max_leases=1), 4, [], NOW) == Room(0, Limit.LIVE_LEASES)


def test_a_grant_counts_until_it_is_an_hour_old() -> None:
    capacity = Capacity(per_hour=2)
    granted = [NOW - HOUR_US, NOW - HOUR_US + 1, NOW - 5]
    assert find_room(capacity, 0, granted, NOW) == Room(0, Limit.HOURLY_RATE, free_at_us=NOW + 1)
    assert find_room(capacity, 0, granted, NOW + 1) == Room(1)


def test_the_tighter_of_both_limits_counts() -> None:
    assert find_room(Capacity(max_leases=5, per_hour=3), 1, [NOW - 1], NOW) == Room(2)
    assert find_room(Capacity(max_leases=2, per_hour=9), 1, [NOW - 1], NOW) == Room(1)


def test_a_rate_of_zero_never_leaves_room_again() -> None:
    assert find_room(Capacity(per_hour=0), 0, [NOW - 1], NOW) == Room(0, Limit.HOURLY_RATE, None)


def test_two_capacities_are_kept_by_the_stricter_of_each_limit() -> None:
    assert stricter(Capacity(5, None), Capacity(7, 60)) == Capacity(5, 60)
    assert stricter(Capacity(5, None), UNLIMITED) == Capacity(5, None)


@pytest.mark.parametrize(("leases", "rate"), [(-1, None), (None, -1)])
def test_a_negative_limit_is_refused(leases: int | None, rate: int | None) -> None:
    with pytest.raises(InvalidCapacity, match="None for no limit"):
        Capacity(leases, rate)


def test_a_use_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidCapacity, match="cannot hold"):
        find_room(UNLIMITED, -1, [], NOW)
    with pytest.raises(InvalidCapacity, match="after now"):
        find_room(UNLIMITED, 0, [NOW + 1], NOW)
