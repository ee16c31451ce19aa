"""The brokers' clock and this machine's."""

from __future__ import annotations

import pytest

from crowdroute.router.adapters.clock_skew import MOST_SECONDS
from crowdroute.router.adapters.kafka_clock import check_clock, last_word, tell_served
from crowdroute.router.adapters.kafka_content import CLOCK, SERVED, ContentReader, secret_key
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.errors import ConfigurationError


class Brokers:
    """Give each record the time that is theirs when it comes in, halfway of a round trip."""

    def __init__(self, ahead: float, *trips: float) -> None:
        self.here = 1000.0
        self.records: list[Found] = []
        self._ahead = ahead
        self._trips = list(trips)

    def written_at(self, value: bytes | None, key: bytes | None = None) -> float:
        self.records.append(Found(len(self.records), key, value))
        trip = self._trips.pop(0)
        self.here += trip
        return self.here - trip / 2 + self._ahead

    def now(self) -> float:
        return self.here


@pytest.mark.parametrize("ahead", [MOST_SECONDS, -MOST_SECONDS, 0.0])
def test_clocks_that_agree_are_taken(ahead: float) -> None:
    check_clock(brokers := Brokers(ahead, 0.5, 0.01), "kafka-1:9092", brokers.now)


def test_a_machine_that_is_ahead_is_refused_with_whose_clock_it_was_compared_to() -> None:
    brokers = Brokers(-30.0, 0.5, 0.01)
    with pytest.raises(ConfigurationError, match=r"30\.0 s ahead of that of Kafka at kafka-1:9092.*NTP"):
        check_clock(brokers, "kafka-1:9092", brokers.now)


def test_a_slow_first_record_hides_nothing() -> None:
    brokers = Brokers(4.0, 9.0, 0.01)
    with pytest.raises(ConfigurationError, match=r"4\.0 s behind"):
        check_clock(brokers, "kafka-1:9092", brokers.now)


def test_an_answer_that_took_long_proves_nothing() -> None:
    check_clock(brokers := Brokers(4.0, 0.1, 9.0), "kafka-1:9092", brokers.now)


def test_an_owner_compares_clocks_when_it_tells_of_itself() -> None:
    tell_served(brokers := Brokers(0.0, 0.01), "kafka-1:9092", brokers.now)
    with pytest.raises(ConfigurationError, match=r"30\.0 s behind"):
        tell_served(brokers := Brokers(30.0, 0.01), "kafka-1:9092", brokers.now)


def told(*values: bytes | None) -> list[Found]:
    """Give what an owner wrote of itself, between records of others."""
    return [
        found
        for offset, value in enumerate(values)
        for found in (Found(offset, SERVED, value), Found(0, CLOCK, None), Found(0, secret_key(), b"key"))
    ]


def test_a_shard_is_served_until_its_owner_says_that_it_ends() -> None:
    assert last_word([]) is None
    assert last_word([Found(0, CLOCK, None)]) is None
    assert last_word(told(b"1")) == 0
    assert last_word(told(b"1", None, b"1")) == 2
    assert last_word(told(b"1", b"1", None)) is None


def test_what_is_written_for_it_is_no_content() -> None:
    check_clock(brokers := Brokers(0.0, 0.1, 0.1), "kafka-1:9092", brokers.now)
    reader = ContentReader(lambda _sequence: None, lambda _key: None)
    records = [*brokers.records, *told(b"1", None)]
    assert [(found.key, found.value) for found in brokers.records] == [(CLOCK, None)] * 2
    assert [reader.take(found) for found in records] == [None] * len(records)
    assert reader.to_tombstone() == ()
