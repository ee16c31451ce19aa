"""Records read back as they were written, and nothing else is taken for one."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.adapters.codec import CHAIN_BYTES
from crowdroute.router.adapters.kafka_records import (
    FORMAT,
    NONCE_BYTES,
    SHARD_NAME_BYTES,
    BatchRecord,
    Claim,
    Epoch,
    decode,
    digest,
    encode_batch,
    encode_claim,
)
from crowdroute.router.errors import ConfigurationError, LogCorrupt, UnknownEvent

LARGEST = 2**64 - 1
NUMBERS = st.integers(0, LARGEST)
NONCES = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)
CHAINS = st.binary(min_size=CHAIN_BYTES, max_size=CHAIN_BYTES)
CLAIMS = st.builds(Claim, st.text(min_size=1, max_size=20), NUMBERS, NONCES)
BATCHES = st.builds(
    BatchRecord, st.builds(Epoch, NUMBERS, NONCES), NUMBERS, st.booleans(), CHAINS, st.binary(max_size=300)
)

CLAIM = Claim("shard-0", 7, bytes(NONCE_BYTES))
BATCH = BatchRecord(Epoch(3, bytes(NONCE_BYTES)), 9, False, bytes(CHAIN_BYTES), b"body")


def sealed(front: bytes) -> bytes:
    return front + zlib.crc32(front).to_bytes(4, "big")


@given(claim=CLAIMS)
def test_a_claim_reads_back_as_it_was_written(claim: Claim) -> None:
    assert decode(encode_claim(claim), 0) == claim


@given(batch=BATCHES)
def test_a_batch_reads_back_as_it_was_written(batch: BatchRecord) -> None:
    assert decode(encode_batch(batch), 0) == batch


@given(record=CLAIMS.map(encode_claim) | BATCHES.map(encode_batch), data=st.data())
def test_a_flipped_bit_is_found_wherever_it_is(record: bytes, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, len(record) * 8 - 1))
    damaged = bytearray(record)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LogCorrupt) as refused:
        decode(bytes(damaged), 17)
    assert refused.value.details["offset"] == "17"


@given(record=CLAIMS.map(encode_claim) | BATCHES.map(encode_batch), data=st.data())
def test_a_record_that_ends_too_early_is_found(record: bytes, data: st.DataObject) -> None:
    with pytest.raises(LogCorrupt):
        decode(record[: data.draw(st.integers(0, len(record) - 1))], 0)


@given(record=st.binary(max_size=120))
def test_what_others_wrote_is_refused(record: bytes) -> None:
    with pytest.raises(LogCorrupt):
        decode(record, 0)


def test_a_newer_format_says_which_release_to_start() -> None:
    with pytest.raises(UnknownEvent, match="offset 5 is written in format 2, this release reads 1"):
        decode(sealed(bytes([FORMAT + 1]) + encode_batch(BATCH)[1:-4]), 5)


def test_a_kind_that_does_not_exist_yet_says_which_release_to_start() -> None:
    with pytest.raises(UnknownEvent, match=r"kind 9.*start the release that wrote it") as refused:
        decode(sealed(bytes([FORMAT, 9]) + encode_batch(BATCH)[2:-4]), 5)
    assert refused.value.details == {"offset": "5", "differs": "kind"}


def test_a_batch_shorter_than_its_front_is_refused() -> None:
    with pytest.raises(LogCorrupt, match="cannot be decoded"):
        decode(sealed(encode_batch(BATCH)[:60]), 5)


def test_a_shard_name_that_is_not_text_is_refused() -> None:
    with pytest.raises(LogCorrupt, match="cannot be decoded"):
        decode(sealed(encode_claim(CLAIM)[:-5] + b"\xff"), 5)


@pytest.mark.parametrize("name", ["", "x" * (SHARD_NAME_BYTES + 1), "ß" * (SHARD_NAME_BYTES // 2 + 1)])
def test_a_shard_has_a_name_of_bounded_length(name: str) -> None:
    with pytest.raises(ConfigurationError, match="give it one of 1 to 200"):
        encode_claim(CLAIM._replace(shard=name))
    assert encode_claim(CLAIM._replace(shard="x" * SHARD_NAME_BYTES))


@pytest.mark.parametrize(
    "other",
    [
        BATCH._replace(epoch=Epoch(4, bytes(NONCE_BYTES))),
        BATCH._replace(epoch=Epoch(3, b"\1" * NONCE_BYTES)),
        BATCH._replace(sequence=10),
        BATCH._replace(released=True),
        BATCH._replace(chain=b"\1" * CHAIN_BYTES),
        BATCH._replace(body=b"bodz"),
    ],
)
def test_a_digest_tells_any_two_batches_apart(other: BatchRecord) -> None:
    assert digest(encode_batch(other)) != digest(encode_batch(BATCH))


def test_a_digest_tells_claims_apart_whose_long_names_differ_at_the_end() -> None:
    name = "x" * (SHARD_NAME_BYTES - 1)
    records = [encode_claim(CLAIM._replace(shard=name + last)) for last in "ab"]
    assert digest(records[0]) != digest(records[1])
    assert digest(records[0]) == digest(bytes(records[0]))
