"""Sharing out is even, keeps pins, and moves no more than it must."""

from collections import Counter
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.runtime.cluster.balancing import balance

PLACES = ["a", "b", "c", "d"]
places = st.lists(st.sampled_from(PLACES), unique=True, min_size=1)
homes = st.dictionaries(st.integers(0, 5), st.sampled_from(PLACES))


def moved(items: range, now: dict[int, str], given_to: dict[int, str], places: list[str]) -> int:
    return sum(now[item] in places and now[item] != given_to[item] for item in items if item in now)


@given(
    count=st.integers(0, 40), places=places, now=st.dictionaries(st.integers(0, 40), st.sampled_from(PLACES))
)
def test_places_differ_by_one_item_at_most(count: int, places: list[str], now: dict[int, str]) -> None:
    shared = balance(range(count), places, now)
    loads = [list(shared.values()).count(place) for place in places]
    assert sum(loads) == count
    assert max(loads) - min(loads) <= 1


@given(count=st.integers(0, 6), places=places, now=homes)
def test_no_even_division_moves_fewer_items(count: int, places: list[str], now: dict[int, str]) -> None:
    items = range(count)
    shared = balance(items, places, now)
    fewest = min(
        moved(items, now, dict(zip(items, division, strict=True)), places)
        for division in product(places, repeat=count)
        if max(loads := [division.count(place) for place in places]) - min(loads) <= 1
    )
    assert moved(items, now, shared, places) == fewest


@given(count=st.integers(0, 20), places=places, now=homes, pinned=homes)
def test_pins_hold_and_the_rest_fills_up_from_below(
    count: int, places: list[str], now: dict[int, str], pinned: dict[int, str]
) -> None:
    shared = balance(range(count), places, now, pinned)
    for item, place in pinned.items():
        if item < count and place in places:
            assert shared[item] == place
    loads = Counter(dict.fromkeys(places, 0)) + Counter(shared.values())
    loose = {place for item, place in shared.items() if pinned.get(item) not in places}
    assert all(loads[place] <= min(loads[other] for other in places) + 1 for place in loose)


@given(count=st.integers(0, 20), places=places, now=homes, pinned=homes)
def test_what_is_shared_out_evenly_stays(
    count: int, places: list[str], now: dict[int, str], pinned: dict[int, str]
) -> None:
    shared = balance(range(count), places, now, pinned)
    assert balance(range(count), places, shared, pinned) == shared


def test_without_places_nothing_is_given() -> None:
    assert balance(range(3), [], {}) == {}
