"""The secret behind the digests stays the same, whoever began the log and whatever compaction did."""

from __future__ import annotations

import pytest

from crowdroute.router.adapters.kafka_content import UNFINISHED, ContentReader, secret_key
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.errors import LogCorrupt, UnknownEvent


def test_the_first_secret_counts_also_after_compaction() -> None:
    written = [Found(0, secret_key(), b"first"), Found(1, secret_key(), b"second")]
    kept = sorted({found.key: found for found in written}.values())  # compaction keeps the last of each key
    for topic in (written, kept):
        reader = ContentReader(lambda _sequence: None, lambda _key: None)
        assert [reader.take(found) for found in topic] == [None, None]
        assert reader.secret == b"first"


def test_whether_a_copy_is_finished_is_what_was_said_last_of_it() -> None:
    begun, ended = Found(0, UNFINISHED, b""), Found(1, UNFINISHED, None)
    for topic, said in (([], None), ([begun], True), ([begun, ended], False), ([ended], False)):
        reader = ContentReader(lambda _sequence: None, lambda _key: None)
        assert [reader.take(found) for found in topic] == [None] * len(topic)
        assert reader.unfinished is said
        assert reader.to_tombstone() == ()


def test_a_kind_that_does_not_exist_yet_says_which_release_to_start_and_another_name_is_not_ours() -> None:
    reader = ContentReader(lambda _sequence: None, lambda _key: None)
    with pytest.raises(UnknownEvent, match=r"offset 7 is of kind 5.*start the release that wrote it"):
        reader.take(Found(7, b"\x05new", b"body"))
    with pytest.raises(LogCorrupt, match="not one of this engine's") as refused:
        reader.take(Found(8, b"user-1", b"body"))
    assert not isinstance(refused.value, UnknownEvent)
