"""Durations, percentages and amounts of a document."""

import pytest
from tests.unit.rules.documents import document_of

from crowdroute.router.model.rules import MICROSECONDS


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("45s", 45.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("7d", 604_800.0),
        ("1.5h", 5400.0),
        ("1m0.25s", 60.25),
    ],
)
def test_durations_are_exact_microseconds(written: str, seconds: float) -> None:
    lease = document_of(f"routing: {{lease: {{duration: {written}}}}}").routing.lease
    assert lease.duration == seconds * MICROSECONDS


@pytest.mark.parametrize(
    ("written", "share"),
    [("0", 0.0), ("-0.0", 0.0), ("1", 1.0), ("0.05", 0.05), ("5%", 0.05), ("0.1%", 0.001), ("100%", 1.0)],
)
def test_a_percentage_is_the_same_number_as_the_share_it_stands_for(written: str, share: float) -> None:
    found = document_of(f"routing: {{exploration: {written}}}").routing.exploration
    assert repr(found) == repr(share)  # tells 0.0 from -0.0 and from 0


def test_the_smallest_part_of_a_duration_is_a_microsecond() -> None:
    lease = document_of("routing: {lease: {duration: 1.000001s}}").routing.lease
    assert lease.duration == 1_000_001


def test_amounts_are_exact_micro_units() -> None:
    money = document_of('money: {crowd: "0.1", senior: "1234567890.123456", expert: "7"}').money
    assert (money.crowd, money.senior, money.expert) == (100_000, 1_234_567_890_123_456, 7_000_000)
