from hypothesis import given
from hypothesis import strategies as st

from crowdroute.workers.capacity import HOUR_US, Capacity, Limit, find_room

MINUTE_US = HOUR_US // 60


@given(
    st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from([0, 1, 7 * MINUTE_US, HOUR_US]), st.integers(1, 6)), max_size=20),
)
def test_no_hour_ever_holds_more_grants_than_the_rate(per_hour: int, requests: list[tuple[int, int]]) -> None:
    """Whoever grants no more than the room that was found keeps the rate over every hour."""
    now_us, granted = 0, list[int]()
    for pause_us, wanted in requests:
        now_us += pause_us
        room = find_room(Capacity(per_hour=per_hour), 0, granted, now_us)
        assert room.leases is not None
        granted += [now_us] * min(wanted, room.leases)
    for end_us in granted:
        assert sum(end_us - HOUR_US < moment <= end_us for moment in granted) <= per_hour


@given(st.integers(1, 4), st.lists(st.integers(0, 3 * HOUR_US), max_size=12), st.integers(0, HOUR_US))
def test_room_returns_exactly_when_it_was_promised(per_hour: int, moments: list[int], since_us: int) -> None:
    granted = sorted(moments)
    now_us = max(granted, default=0) + since_us
    capacity = Capacity(per_hour=per_hour)
    room = find_room(capacity, 0, granted, now_us)
    assert (room.leases == 0) == (room.stopped_by is Limit.HOURLY_RATE) == (room.free_at_us is not None)
    if room.free_at_us is not None:
        assert room.free_at_us > now_us
        assert find_room(capacity, 0, granted, room.free_at_us - 1).leases == 0
        assert find_room(capacity, 0, granted, room.free_at_us).leases != 0
