"""A position survives a snapshot, and a snapshot's section that is none is passed over."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.adapters.codec import CHAIN_BYTES
from crowdroute.router.adapters.kafka_position import FORMAT, Position, decode_position, encode_position
from crowdroute.router.adapters.kafka_records import DIGEST_BYTES, NONCE_BYTES, Epoch
from crowdroute.router.errors import SnapshotUnusable

POSITION = Position(
    topic_id=b"t" * 16,
    next_offset=12,
    claims=(Epoch(0, b"a" * NONCE_BYTES), Epoch(7, b"b" * NONCE_BYTES)),
    generation=3,
    sequence=9,
    chain=b"c" * CHAIN_BYTES,
    released=True,
    digests=(b"d" * DIGEST_BYTES, b"e" * DIGEST_BYTES),
    anchor=b"e" * DIGEST_BYTES,
)


@pytest.mark.parametrize("position", [POSITION, Position(b"t" * 16)])
def test_a_position_reads_back_as_it_was_written(position: Position) -> None:
    assert decode_position(encode_position(position)) == position
    assert decode_position(memoryview(encode_position(position))) == position


@given(section=st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: bytes([FORMAT]) + rest))
def test_what_is_not_a_position_makes_the_snapshot_unusable(section: bytes) -> None:
    with pytest.raises(SnapshotUnusable):
        decode_position(section)


def test_another_release_is_named() -> None:
    with pytest.raises(SnapshotUnusable, match="format 2, this release reads 1"):
        decode_position(b"\2" + encode_position(POSITION)[1:])


@pytest.mark.parametrize(
    "changes",
    [
        {"chain": b"short"},
        {"anchor": b""},
        {"digests": (b"short",)},
        {"claims": (Epoch(0, b"short"),)},
        {"claims": POSITION.claims[::-1]},
        {"claims": (Epoch(12, b"a" * NONCE_BYTES),)},
        {"claims": ()},
        {"claims": (Epoch(-1, b"a" * NONCE_BYTES),)},
        {"next_offset": 0},
        {"generation": -1},
        {"sequence": -1},
    ],
)
def test_parts_that_do_not_fit_together_make_the_snapshot_unusable(changes: dict[str, Any]) -> None:
    with pytest.raises(SnapshotUnusable, match="do not fit together"):
        decode_position(encode_position(msgspec.structs.replace(POSITION, **changes)))
