"""Replies are remembered for a day, and each key stands for one request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.errors import KeyReused
from crowdroute.router.machine.idempotency import REMEMBERED_US, Remembered, Replies

KEY = ("tok_one", "RequestNext", "k1")


def test_the_same_request_gets_its_reply_and_another_one_is_refused() -> None:
    replies = Replies()
    replies.remember(Remembered(KEY, b"digest", b"reply", 5))
    assert replies.find(KEY, b"digest", 6) == b"reply"
    with pytest.raises(KeyReused, match="k1"):
        replies.find(KEY, b"other", 6)


@pytest.mark.parametrize("other", [("tok_two", *KEY[1:]), (KEY[0], "PauseProject", KEY[2]), (*KEY[:2], "k2")])
def test_principal_command_and_key_make_the_key_together(other: tuple[str, str, str]) -> None:
    replies = Replies()
    replies.remember(Remembered(KEY, b"digest", b"reply", 5))
    assert replies.find(other, b"other", 6) is None


def test_a_reply_is_remembered_to_the_end_of_its_day_and_no_longer() -> None:
    replies = Replies()
    replies.remember(Remembered(KEY, b"digest", b"reply", 5))
    assert replies.find(KEY, b"digest", 5 + REMEMBERED_US) == b"reply"
    assert replies.find(KEY, b"other", 6 + REMEMBERED_US) is None


def test_a_key_that_was_used_again_after_its_day_stands_for_the_later_request() -> None:
    replies = Replies()
    replies.remember(Remembered(KEY, b"first", b"1", 0))
    later = REMEMBERED_US + 1
    replies.remember(Remembered(KEY, b"second", b"2", later))
    replies.remember(Remembered(("", "", "k3"), b"", b"3", later + 1))
    assert replies.find(KEY, b"second", later + 2) == b"2"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, REMEMBERED_US)), max_size=20))
def test_what_is_saved_is_what_is_found_and_nothing_older_than_a_day_is_kept(
    uses: list[tuple[str, int]],
) -> None:
    replies, now_us = Replies(), 0
    for number, (name, step) in enumerate(uses):
        now_us += step
        replies.remember(Remembered(("", "", name), b"%d" % number, b"reply", now_us))
    restored = Replies()
    restored.unpack(replies.pack())
    assert restored.pack() == replies.pack()
    kept = {}
    now_us = 0
    for number, (name, step) in enumerate(uses):
        now_us += step
        kept[name] = (number, now_us)
    for name, (number, at_us) in kept.items():
        expected = b"reply" if at_us + REMEMBERED_US >= now_us else None
        for one in (replies, restored):
            assert one.find(("", "", name), b"%d" % number, now_us) == expected
