"""Things shared out over places: evenly, and with as few moves as that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item", int, str)


def balance(
    items: Sequence[Item],
    places: Sequence[str],
    now: Mapping[Item, str],
    pinned: Mapping[Item, str] | None = None,
) -> dict[Item, str]:
    """Give every item a place.

    The number of items differs between two places by one at most, as far as the pins allow; among all such
    divisions it is one that moves the fewest items. The same arguments give the same division.

    Args:
        items: what to share out.
        places: where to; the order decides between equals. Without places nothing is given.
        now: where items are; those of them that are nowhere, or no longer at any of the places, do not count
            as moved.
        pinned: items that must be at a place; a pin to anywhere else is void.
    """
    fixed = {item: place for item, place in (pinned or {}).items() if item in items and place in places}
    loose = [item for item in items if item not in fixed]
    if not places:
        return {}
    staying = {place: [item for item in loose if now.get(item) == place] for place in places}
    room = _room(places, len(loose), Counter(fixed.values()), staying)
    given = dict(fixed)
    for place, here in staying.items():
        kept = here[: room[place]]
        given.update(dict.fromkeys(kept, place))
        room[place] -= len(kept)
    free = [place for place in places for _ in range(room[place])]
    for item, place in zip((item for item in loose if item not in given), free, strict=True):
        given[item] = place
    return {item: given[item] for item in items}


def _room(
    places: Sequence[str], count: int, load: Counter[str], staying: Mapping[str, Sequence[Item]]
) -> Counter[str]:
    """Give how many loose items each place takes: the emptiest first, among equals one that keeps an item by
    it."""
    room: Counter[str] = Counter(dict.fromkeys(places, 0))
    for _ in range(count):
        emptiest = min(
            places, key=lambda place: (load[place] + room[place], room[place] >= len(staying[place]))
        )
        room[emptiest] += 1
    return room
