import pytest

from crowdroute.workers.errors import CurrencyMismatch, InvalidMoney, InvalidPosting, RepeatedPosting
from crowdroute.workers.ledger import (
    MOST_MICROS,
    Balances,
    Money,
    Posting,
    format_amount,
    parse_amount,
    posting_key,
)

COST, PAYABLE = "labelling_cost:prj_1", "worker_payable:wrk_1"


def piece(micros: int = 30_000, number: int = 1) -> Posting:
    return Posting(posting_key("piece", number), COST, PAYABLE, Money(micros, "EUR"))


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0", 0),
        ("12", 12_000_000),
        ("12.50", 12_500_000),
        ("-0.000001", -1),
        ("0.1", 100_000),
        ("007", 7_000_000),
        ("9223372036854.775807", MOST_MICROS),
    ],
)
def test_a_decimal_string_is_read_exactly(text: str, micros: int) -> None:
    assert parse_amount(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.0000001",
        "1e3",
        "+1",
        " 1",
        "1\n",
        "1.",
        ".5",
        "1,5",
        "1_000",
        "--1",
        "nan",
        "٣",
        "1.5 EUR",
        "9223372036854.775808",
        "99999999999999",
    ],
)
def test_what_is_not_plainly_an_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidMoney):
        parse_amount(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0"), (1, "0.000001"), (-1_500_000, "-1.5"), (100_000_000, "100"), (12_340_000, "12.34")],
)
def test_an_amount_is_written_in_its_shortest_form(micros: int, text: str) -> None:
    assert format_amount(micros) == text


def test_money_adds_within_a_currency_only() -> None:
    assert Money(1, "EUR") + Money(2, "EUR") - Money(5, "EUR") == Money(-2, "EUR") == -Money(2, "EUR")
    with pytest.raises(CurrencyMismatch, match=r"EUR and 0\.000002 USD"):
        Money(1, "EUR") + Money(2, "USD")


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "E1R", "ÄÖÜ", "EUR\n"])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(InvalidMoney, match="ISO 4217"):
        Money(1, currency)


def test_a_sum_that_leaves_64_bits_is_refused() -> None:
    with pytest.raises(InvalidMoney, match="64 bits"):
        Money(MOST_MICROS, "EUR") + Money(1, "EUR")


def test_the_key_tells_apart_what_its_parts_tell_apart() -> None:
    keys = [
        posting_key("piece", b"a"),
        posting_key("piece", "a"),
        posting_key("piecea"),
        posting_key("piece", "a", ""),
        posting_key("p", "iecea"),
        posting_key(1, 2),
        posting_key(12),
        posting_key("12"),
    ]
    assert len(set(keys)) == len(keys)
    assert posting_key("piece", b"a") == keys[0]


def test_the_key_of_a_posting_never_changes_between_releases() -> None:
    """Keys stand in logs: another key for the same thing would pay it again."""
    assert posting_key("piece", b"assignment", 7).hex() == "180b4104315877c6e2d9f471cb822850"


def test_money_moves_from_credit_to_debit_and_nothing_is_made_or_lost() -> None:
    balances = Balances([piece(30_000, 1), piece(20_000, 2)])
    assert list(balances.accounts()) == [(COST, "EUR", 50_000), (PAYABLE, "EUR", -50_000)]
    assert balances.debit_balance(PAYABLE, "EUR") == -50_000
    assert balances.debit_balance(PAYABLE, "USD") == 0
    assert balances.trial_balance() == {"EUR": 0}


def test_the_same_posting_twice_moves_money_once() -> None:
    balances = Balances()
    assert [balances.post(piece()), balances.post(piece())] == [True, False]
    assert balances.debit_balance(COST, "EUR") == 30_000


def test_another_posting_under_the_same_key_is_refused_and_moves_nothing() -> None:
    balances = Balances([piece(30_000)])
    with pytest.raises(RepeatedPosting, match=r"already stands for 0\.03 EUR"):
        balances.post(piece(40_000))
    assert list(balances.accounts()) == [(COST, "EUR", 30_000), (PAYABLE, "EUR", -30_000)]


def test_a_posting_is_taken_back_once() -> None:
    balances = Balances([piece(), piece().reversed()])
    assert not balances.post(piece().reversed())
    assert list(balances.accounts()) == [(COST, "EUR", 0), (PAYABLE, "EUR", 0)]


@pytest.mark.parametrize(
    ("key", "debit", "credit", "micros"),
    [
        (b"short", COST, PAYABLE, 1),
        (bytes(16), COST, COST, 1),
        (bytes(16), "Cost", PAYABLE, 1),
        (bytes(16), COST, "", 1),
        (bytes(16), COST, PAYABLE, 0),
        (bytes(16), COST, PAYABLE, -1),
    ],
)
def test_what_is_no_movement_is_refused(key: bytes, debit: str, credit: str, micros: int) -> None:
    with pytest.raises(InvalidPosting):
        Posting(key, debit, credit, Money(micros, "EUR"))
