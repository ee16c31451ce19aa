"""Changes make one place's contents those of another, and as many at once are taken as there is room for."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime.carrying import differences, take_some


class Held(dict[str, bytes]):
    """Contents in memory."""

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        return {key: self[key] for key in keys if key in self}

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        return sorted(each for each in self.items() if each[0] > key)[:limit]


held = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.binary(max_size=2), max_size=200).map(Held)


@given(held, held)
def test_the_changes_make_them_the_same(source: Held, target: Held) -> None:
    for key, body in list(differences(source, target)):
        assert target.get(key) != body
        if body is None:
            del target[key]
        else:
            target[key] = body
    assert target == source


@given(held, held, st.sets(st.text("abc", min_size=1, max_size=4)))
def test_of_those_that_are_named_the_same_differ(source: Held, target: Held, keys: set[str]) -> None:
    named = {change for change in differences(source, target) if change.key in keys}
    assert set(differences(source, target, keys)) == named


def test_changes_are_taken_until_the_room_is_full_or_all() -> None:
    changes = [ContentChange(f"{n}", b"1234") for n in range(5)]
    rest = iter(changes)
    assert take_some(rest, 10) == changes[:2]
    assert take_some(rest, 0) == []
    assert take_some(rest, None) == changes[2:]
    assert take_some(rest, 10) == []
