"""Money and moments: nothing is lost on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.rpc.convert.money import amount_text, money_message
from crowdroute.router.rpc.convert.times import LAST_US, length_of, moment_of, timestamp


@given(st.integers(-(10**15), 10**15))
def test_an_amount_is_exact(micros: int) -> None:
    assert Decimal(amount_text(micros)) * 1_000_000 == micros


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0"),
        (20_000, "0.02"),
        (-1, "-0.000001"),
        (1_500_000, "1.5"),
        (-3_000_000, "-3"),
        (10_000_000, "10"),
    ],
)
def test_amounts_are_written_as_people_write_them(micros: int, text: str) -> None:
    assert amount_text(micros) == text


def test_money_has_its_currency() -> None:
    assert money_message(1, "EUR").currency == "EUR"


@given(st.integers(1, LAST_US))
def test_a_moment_survives_the_wire(moment_us: int) -> None:
    written = timestamp(moment_us)
    assert written is not None
    assert moment_of(written, "at") == moment_us


def test_no_moment_is_left_out() -> None:
    assert timestamp(0) is None


@pytest.mark.parametrize(
    "message",
    [
        Timestamp(),
        Timestamp(seconds=-1),
        Timestamp(seconds=1, nanos=-1),
        Timestamp(nanos=1_000_000_000),
        Timestamp(seconds=1 << 40),
        Timestamp(seconds=(1 << 63) - 1),
    ],
)
def test_a_moment_that_cannot_be_is_refused(message: Timestamp) -> None:
    with pytest.raises(InvalidCommand) as refused:
        moment_of(message, "until")
    assert refused.value.details == {"field": "until"}


@given(st.integers(0, 30_000_000))
def test_a_length_is_read_in_microseconds(length_us: int) -> None:
    seconds, micros = divmod(length_us, 1_000_000)
    assert length_of(Duration(seconds=seconds, nanos=micros * 1000), "wait", 30_000_000) == length_us


@pytest.mark.parametrize(
    "message",
    [Duration(seconds=-1), Duration(seconds=31), Duration(nanos=-1), Duration(seconds=1, nanos=1 << 30)],
)
def test_a_length_that_may_not_be_is_refused(message: Duration) -> None:
    with pytest.raises(InvalidCommand) as refused:
        length_of(message, "wait", 30_000_000)
    assert refused.value.details == {"field": "wait"}
