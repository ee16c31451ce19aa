import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.workers.errors import RepeatedPosting
from crowdroute.workers.ledger import (
    MOST_MICROS,
    Balances,
    Money,
    Posting,
    format_amount,
    parse_amount,
    posting_key,
)

AMOUNTS = st.integers(-MOST_MICROS, MOST_MICROS)
ACCOUNTS = ("bonus_cost", "labelling_cost", "worker_payable:a", "worker_payable:b")


@st.composite
def postings(draw: st.DrawFn, number: int) -> Posting:
    debit, credit = draw(st.lists(st.sampled_from(ACCOUNTS), min_size=2, max_size=2, unique=True))
    amount = Money(draw(st.integers(1, MOST_MICROS)), draw(st.sampled_from(["EUR", "USD"])))
    return Posting(posting_key(number), debit, credit, amount)


# Every posting of a history has a key of its own: its number.
HISTORIES = st.integers(0, 12).flatmap(lambda n: st.tuples(*(postings(number) for number in range(n))))


def accounts_of(balances: Balances) -> list[tuple[str, str, int]]:
    return list(balances.accounts())


@given(AMOUNTS)
def test_an_amount_is_read_back_as_it_was_written(micros: int) -> None:
    assert parse_amount(format_amount(micros)) == micros


@given(st.integers(0, 9_223_372_036_853), st.text("0123456789", min_size=1, max_size=6))
def test_every_string_with_up_to_6_decimals_is_read_digit_by_digit(whole: int, decimals: str) -> None:
    assert parse_amount(f"{whole}.{decimals}") == int(f"{whole}{decimals:0<6}")


@given(HISTORIES)
def test_the_trial_balance_is_zero_after_every_posting(history: tuple[Posting, ...]) -> None:
    balances = Balances()
    for posting in history:
        balances.post(posting)
        assert set(balances.trial_balance().values()) == {0}


@given(HISTORIES.flatmap(lambda history: st.tuples(st.just(history), st.permutations(history * 2))))
def test_a_history_replayed_in_any_order_any_number_of_times_pays_once(
    histories: tuple[tuple[Posting, ...], list[Posting]],
) -> None:
    history, disorder = histories
    assert accounts_of(Balances(history)) == accounts_of(Balances(disorder))


@given(HISTORIES)
def test_a_history_taken_back_leaves_every_account_at_zero(history: tuple[Posting, ...]) -> None:
    balances = Balances([*history, *(posting.reversed() for posting in history)])
    assert {balance for *_, balance in balances.accounts()} <= {0}


@given(HISTORIES, postings(0))
def test_a_refused_posting_changes_nothing(history: tuple[Posting, ...], other: Posting) -> None:
    balances = Balances(history)
    before = accounts_of(balances)
    if history and other != history[0]:
        with pytest.raises(RepeatedPosting):
            balances.post(other)
        assert accounts_of(balances) == before
