"""Finds a WAL file whose durable part was damaged, before SQLite forgets it.

SQLite recovers a WAL up to the first frame whose checksum is wrong and drops the rest without a word, because
a crash in the middle of a commit looks like that. But a commit begins only when the one before it is on disk.
So where the first wrong frame is followed by the end of a commit and by any frame of the same generation
after that, the wrong one had been on disk and right: opening the file would lose acknowledged batches.

What this cannot tell from a crash is damage in the last commit alone; a snapshot that holds it can. An owner
begins a new generation when it opens the log, so no frames of an earlier crash confuse the next reader.

Format and checksum: https://www.sqlite.org/fileformat2.html, section 4.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.errors import LogCorrupt

_header = struct.Struct(">8I")
_frame = struct.Struct(">6I")
_MAGIC = 0x377F0682
"""With the lowest bit set, checksums are over big-endian words, otherwise over little-endian ones."""
_PAGE_SIZES = {1 << power for power in range(9, 17)}
_MASK = 0xFFFFFFFF


def check_wal(path: Path) -> None:
    """Verify that no commit of a WAL file is damaged that another one followed; no file is fine.

    Raises:
        LogCorrupt: with the first damaged frame.
    """
    whole = path.read_bytes() if path.exists() else b""
    if len(whole) < _header.size + _frame.size:
        return  # nothing was committed through it since it was last emptied
    magic, _, page_size, _, *salts, check_1, check_2 = _header.unpack_from(whole)
    words = ">u4" if magic & 1 else "<u4"
    if (
        magic & ~1 != _MAGIC
        or page_size not in _PAGE_SIZES
        or _checksum(np.frombuffer(whole, words, 6)) != (check_1, check_2)
    ):
        of_this_file = zip(salts, _frame.unpack_from(whole, _header.size)[2:4], strict=True)
        if any(mine == its for mine, its in of_this_file):
            raise _damaged(path, "its header")
        return  # a crash while a new generation's header was written; the old one stands in the database
    size = _frame.size + page_size
    count = (len(whole) - _header.size) // size
    frames = np.frombuffer(whole, np.uint8, count * size, _header.size).reshape(count, size)
    fields = frames[:, : _frame.size].copy().view(">u4")
    ours = (fields[:, 2:4] == salts).all(axis=1)
    first = _first_wrong(frames, fields, ours, words, (check_1, check_2))
    commits = np.flatnonzero(ours & (fields[:, 1] != 0))
    commits = commits[commits >= first]
    if commits.size and ours[commits[0] + 1 :].any():
        raise _damaged(path, f"frame {first} of {count}")


def _first_wrong(
    frames: NDArray[np.uint8],
    fields: NDArray[np.uint32],
    ours: NDArray[np.bool_],
    words: str,
    checksum: tuple[int, int],
) -> int:
    """Give the index of the first frame that SQLite would not accept; the number of frames if all are
    right."""
    covered = np.concatenate((frames[:, :8], frames[:, _frame.size :]), axis=1).view(words).astype(np.uint32)
    weights, carry = _weights(covered.shape[1] // 2)
    added = covered @ weights
    for index, (first, second) in enumerate(added.tolist()):
        checksum = (
            (carry[0][0] * checksum[0] + carry[0][1] * checksum[1] + first) & _MASK,
            (carry[1][0] * checksum[0] + carry[1][1] * checksum[1] + second) & _MASK,
        )
        if not ours[index] or checksum != tuple(fields[index, 4:6].tolist()):
            return index
    return len(frames)


def _checksum(words: NDArray[np.uint32]) -> tuple[int, int]:
    """Give the checksum of some words, beginning with zeros."""
    weights, _ = _weights(len(words) // 2)
    first, second = (words.astype(np.uint32) @ weights).tolist()
    return first, second


def _weights(pairs: int) -> tuple[NDArray[np.uint32], list[list[int]]]:
    """Give SQLite's checksum as a linear map modulo 2^32.

    One step takes two words: s0 += x0 + s1, then s1 += x1 + s0. So (s0, s1) becomes A (s0, s1) + B (x0, x1)
    with A = [[1, 1], [1, 2]] and B = [[1, 0], [1, 1]], and n steps add the sum of A^(n-1-i) B x_i to A^n (s0,
    s1).

    Returns:
        What each of the 2 × pairs words adds to s0 and s1, and A^pairs.
    """
    weights = np.empty((pairs, 2, 2), np.uint32)
    a, b, c, d = 1, 0, 0, 1  # A^0, row by row
    for index in range(pairs - 1, -1, -1):
        weights[index] = ((a + b) & _MASK, (c + d) & _MASK), (b, d)  # columns of A^i B, one row per word
        a, b, c, d = (a + b) & _MASK, (a + 2 * b) & _MASK, (c + d) & _MASK, (c + 2 * d) & _MASK
    return weights.reshape(2 * pairs, 2), [[a, b], [c, d]]


def _damaged(path: Path, where: str) -> LogCorrupt:
    return LogCorrupt(
        f"{path} is damaged in {where}, before batches that were acknowledged: restore it from a backup",
        {"path": str(path), "differs": "wal"},
    )
