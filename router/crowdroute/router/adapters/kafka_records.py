"""The two kinds of record in a shard's Kafka partition, as bytes.

    claim   format, kind, generation, nonce, shard's name, checksum
    batch   format, kind, epoch (offset and nonce of a claim), sequence, released, chain hash, body, checksum

Numbers are big-endian. The checksum is the CRC-32 of everything before it: another polynomial than the
CRC-32C which Kafka keeps over its own record batches, and in the standard library, so that the protocol is
tested without the cluster's extra. The body and the chain hash are the codec's. Neither knows the epoch, so a
history that is copied to another log keeps its hashes.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import blake2b
from typing import NamedTuple

from crowdroute.router.adapters.codec import CHAIN_BYTES
from crowdroute.router.errors import ConfigurationError, LogCorrupt, UnknownEvent

FORMAT = 1
"""Version of both kinds; the first byte of every record."""

NONCE_BYTES = 16
"""Random bytes of a claim: two claims are never alike."""

DIGEST_BYTES = 16
SHARD_NAME_BYTES = 200
"""Longest name of a shard; it is part of every claim."""

_CLAIM, _BATCH = 1, 2
_claim_front = struct.Struct(f">BBQ{NONCE_BYTES}s")
_batch_front = struct.Struct(f">BBQ{NONCE_BYTES}sQB{CHAIN_BYTES}s")
_crc = struct.Struct(">I")


class Epoch(NamedTuple):
    """An ownership, named by the claim that began it."""

    offset: int
    nonce: bytes


class Claim(NamedTuple):
    """The record with which a process asks for the shard."""

    shard: str
    generation: int
    """Number of the placement that the supervisor gave; a lower one than before is void."""
    nonce: bytes


class BatchRecord(NamedTuple):
    """The record of one batch."""

    epoch: Epoch
    sequence: int
    released: bool
    """Whether it is the last of an orderly hand-over: its owner answers nothing after it was sent."""
    chain: bytes
    body: bytes


def encode_claim(claim: Claim) -> bytes:
    """Encode a claim.

    Raises:
        ConfigurationError: the shard's name is empty, or longer than `SHARD_NAME_BYTES` in UTF-8.
    """
    name = claim.shard.encode()
    if not 1 <= len(name) <= SHARD_NAME_BYTES:
        raise ConfigurationError(
            f"the shard's name takes {len(name)} bytes: give it one of 1 to {SHARD_NAME_BYTES}",
            {"field": "shard"},
        )
    front = _claim_front.pack(FORMAT, _CLAIM, claim.generation, claim.nonce)
    return _sealed(front, name)


def encode_batch(batch: BatchRecord) -> bytes:
    """Encode a batch."""
    front = _batch_front.pack(
        FORMAT,
        _BATCH,
        batch.epoch.offset,
        batch.epoch.nonce,
        batch.sequence,
        batch.released,
        batch.chain,
    )
    return _sealed(front, batch.body)


def decode(record: bytes, offset: int) -> Claim | BatchRecord:
    """Decode the record that stands at `offset`.

    Raises:
        UnknownEvent: a newer release wrote it.
        LogCorrupt: it is damaged, or not one of ours.
    """
    if not record or record[0] != FORMAT:
        raise UnknownEvent(
            f"the record at offset {offset} is written in format {record[0] if record else 'none'}, this"
            f" release reads {FORMAT}: start the release that wrote it, or a newer one",
            {"offset": str(offset), "differs": "format"},
        )
    sealed = memoryview(record)[: -_crc.size]
    if (
        len(record) <= _claim_front.size + _crc.size
        or zlib.crc32(sealed) != _crc.unpack(record[-_crc.size :])[0]
    ):
        raise _corrupt(offset, "is damaged (its checksum differs)", "checksum")
    try:
        if record[1] == _CLAIM:
            _, _, generation, nonce = _claim_front.unpack_from(sealed)
            return Claim(str(sealed[_claim_front.size :], "utf-8"), generation, nonce)
        if record[1] == _BATCH:
            _, _, claimed, nonce, sequence, released, chain = _batch_front.unpack_from(sealed)
            body = bytes(sealed[_batch_front.size :])
            return BatchRecord(Epoch(claimed, nonce), sequence, bool(released), chain, body)
    except (struct.error, UnicodeDecodeError) as error:
        raise _corrupt(offset, f"cannot be decoded ({error})", "record") from error
    raise UnknownEvent(
        f"the record at offset {offset} is of kind {record[1]}, which this release does not know: start the"
        " release that wrote it, or a newer one",
        {"offset": str(offset), "differs": "kind"},
    )


def digest(record: bytes) -> bytes:
    """Give the 16 bytes by which a record is known again.

    They cover its front and its checksum, and through the chain hash and the checksum the rest, so that half
    a mebibyte is not hashed a second time for every append.
    """
    return blake2b(record[: _batch_front.size] + record[-_crc.size :], digest_size=DIGEST_BYTES).digest()


def _sealed(front: bytes, rest: bytes) -> bytes:
    crc = zlib.crc32(rest, zlib.crc32(front))
    return b"".join((front, rest, _crc.pack(crc)))


def _corrupt(offset: int, what: str, differs: str) -> LogCorrupt:
    return LogCorrupt(
        f"the record at offset {offset} {what}: restore the log from its archive",
        {"offset": str(offset), "differs": differs},
    )
