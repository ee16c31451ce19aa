"""What the checker says of money: one entry per paid answer, nothing twice, corrections as entries."""

from typing import Any

import pytest
from tests.checker import check
from tests.unit.checker.story import (
    LEASE,
    PRICE,
    STREAM,
    answered,
    begun,
    broken,
    finalised,
    granted,
    last,
    lease,
    money,
    piece,
    rules,
    submitted,
    worker,
)


def test_each_worker_is_owed_the_sum_of_their_entries() -> None:
    report = check(answered(0, 0).grant(3, 1, bytes([0x23] * 16)).answer(3, 1).batches)
    assert report.ok
    assert report.balances == {(STREAM, worker(1), "USD"): 2 * PRICE, (STREAM, worker(2), "USD"): PRICE}
    assert report.counters["EntryPosted"] == 3


# Pieces


@pytest.mark.parametrize("paid", [[], [piece(1, 1), piece(1, 1, entry=money(9))]])
def test_a_counted_answer_without_exactly_one_entry_beside_it_is_reported(paid: list[Any]) -> None:
    story = begun().grant(1, 1).tell(submitted(1), *paid)
    assert broken(story) == [("pay", last(story), "")]


def test_a_surplus_answer_without_an_entry_beside_it_is_reported() -> None:
    story = answered(0, 0)
    story.grant(3, 3).tell(finalised()).tell(submitted(3, receipt=2))
    assert broken(story) == [("pay", last(story), "")]


def test_an_answer_that_is_paid_in_another_entry_of_the_same_batch_is_reported() -> None:
    story = begun().grant(1, 1)
    cause = ["SubmitAnswer"]
    story.append(
        [[STREAM, story.now_us, cause, [submitted(1)]], [STREAM, story.now_us, cause, [piece(1, 1)]]]
    )
    assert broken(story) == [("pay", last(story), "")] * 2
    assert [one.entry for one in check(story.batches).violations] == [0, 1]


def test_a_refused_answer_that_is_paid_is_reported() -> None:
    story = begun().grant(1, 1).tell([12, lease(1)], after=LEASE)
    story.tell(submitted(1, receipt=3, late=True), piece(1, 1))
    assert broken(story) == [("pay", last(story), "")]


def test_an_answer_without_a_price_has_no_entry() -> None:
    unpaid = rules(2)
    unpaid[8] = [0, 0, 0, "USD"]
    story = begun().tell([2, unpaid]).tell(granted(1, 1, rules_version=2, price=0)).tell(submitted(1))
    assert broken(story) == []
    story = begun().tell([2, unpaid]).tell(granted(1, 1, rules_version=2, price=0)).answer(1, 1)
    assert broken(story) == [("pay", last(story), "")] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        piece(1, 1, PRICE - 1),
        piece(1, 2),
        piece(1, 1, currency="EUR"),
    ],
)
def test_an_entry_that_does_not_pay_what_was_promised_is_reported(wrong: list[Any]) -> None:
    story = begun().grant(1, 1).tell(submitted(1), wrong)
    assert broken(story) == [("pay", last(story), "")]


def test_an_answer_is_paid_what_its_grant_promised_though_prices_changed() -> None:
    dearer = rules(2)
    dearer[8] = [2 * PRICE, 0, 0, "EUR"]
    story = begun().grant(1, 1).tell([2, dearer]).answer(1, 1)
    assert broken(story) == []


def test_a_piece_without_an_answer_is_reported() -> None:
    assert broken(begun().grant(1, 1).tell(piece(1, 1))) == [("pay", 5, "")]


# The ledger


def test_a_ledger_entry_that_is_posted_twice_is_reported() -> None:
    story = answered(0).grant(2, 2).tell(submitted(2), piece(2, 2, entry=money(1)))
    assert broken(story) == [("posted-twice", last(story), "EntryPosted")]


@pytest.mark.parametrize(
    "sides",
    [{"debit": 1}, {"debit": 2, "credit": 0}, {"credit": 1}],
)
def test_an_entry_on_the_wrong_side_is_reported(sides: dict[str, Any]) -> None:
    story = begun().grant(1, 1).tell(submitted(1), piece(1, 1, **sides))
    assert broken(story) == [("ledger", last(story), "EntryPosted")]


def test_an_entry_of_an_unknown_kind_is_reported() -> None:
    story = answered(0).tell(piece(2, 1, kind=3))
    assert broken(story) == [("ledger", last(story), "EntryPosted")]


def test_an_entry_for_a_worker_whom_nobody_knows_is_reported() -> None:
    story = answered(0).tell(piece(1, 9, -PRICE, money(2), kind=2))
    assert broken(story) == [("ledger", last(story), "EntryPosted")]


def test_a_correction_is_an_entry_of_its_own_and_changes_the_sum() -> None:
    story = answered(0).withdraw(1, 1)
    assert broken(story) == []
    assert check(story.batches).balances == {(STREAM, worker(1), "USD"): 0}


@pytest.mark.parametrize(
    "corrections",
    [
        [],
        [piece(1, 1, 1 - PRICE, money(8), kind=2)],
        [piece(1, 2, -PRICE, money(8), kind=2)],
        [piece(1, 1, -PRICE, money(8), kind=2), piece(1, 1, 0, money(9), kind=2)],
    ],
)
def test_a_withdrawal_without_exactly_one_correction_beside_it_is_reported(corrections: list[Any]) -> None:
    story = answered(0, 0).tell([18, lease(1), "mistake"], *corrections)
    assert broken(story) == [("pay", last(story), "")]


def test_corrections_that_take_more_than_was_paid_are_reported() -> None:
    story = answered(0).tell(piece(1, 1, -PRICE, money(2), kind=2))
    story.tell(piece(1, 1, -1, money(3), kind=2))
    assert broken(story) == [("ledger", last(story), "EntryPosted")]


@pytest.mark.parametrize("kind", [0, 1])
def test_only_corrections_take_money_back(kind: int) -> None:
    story = answered(0).tell(
        piece(1, 1, -1, money(2), kind=kind, debit=kind, assignment=bytes(16), rule="accuracy", period=3)
    )
    assert ("ledger", last(story), "EntryPosted") in broken(story)


# Bonuses


def bonus(entry: int, micros: int = 1_000, period: int = 3, rule: str = "accuracy") -> list[Any]:
    return piece(0, 1, micros, money(entry), kind=1, debit=1, assignment=bytes(16), rule=rule, period=period)


def decided(
    mode: int = 1, micros: int = 1_000, period: int = 3, rule: str = "accuracy", checked: int = 20
) -> list[Any]:
    return [33, worker(1), rule, period, mode, micros, 0.9, 19, checked, 20]


def test_a_bonus_that_was_decided_is_clean_and_counted() -> None:
    story = begun().tell(decided(), bonus(1)).tell(decided(period=4), bonus(2, period=4))
    story.tell(decided(rule="speed"), bonus(3, rule="speed"))
    assert broken(story) == []
    assert check(story.batches).counters["BonusDecided"] == 3


def test_a_second_bonus_for_the_same_worker_rule_and_period_is_reported() -> None:
    story = begun().tell(decided(), bonus(1)).tell(bonus(2))
    assert broken(story) == [("bonus-twice", last(story), "EntryPosted")]


@pytest.mark.parametrize(
    "decision",
    [[], [decided(mode=0)], [decided(micros=999)], [decided(period=2)], [decided(rule="speed")]],
)
def test_a_bonus_that_was_not_decided_so_is_reported(decision: list[Any]) -> None:
    story = begun().tell(*decision, bonus(1))
    assert broken(story) == [("bonus", last(story), "EntryPosted")]


def test_a_bonus_on_too_little_evidence_is_reported() -> None:
    assert broken(begun().tell(decided(checked=19))) == [("bonus", 4, "BonusDecided")]
    assert broken(begun().tell(decided(checked=19, micros=0))) == []
