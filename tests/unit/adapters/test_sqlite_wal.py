"""A damaged WAL is told from one that a crash cut off."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdroute.router.adapters.sqlite_wal import check_wal
from crowdroute.router.errors import LogCorrupt

FRAME = 24 + 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """A WAL of many commits; SQLite empties it when the connection closes, so it is read before."""
    path = tmp_path_factory.mktemp("wal") / "a.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE t (a)")
    chance = random.Random(1)
    for _ in range(100):
        connection.execute("INSERT INTO t VALUES (?)", (chance.randbytes(chance.randrange(9000)),))
    yield path.with_name("a.db-wal").read_bytes()
    connection.close()


def check(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b-wal"
    path.write_bytes(content)
    check_wal(path)


def last_commit(whole: bytes) -> int:
    """Where the frames of the last commit begin."""
    starts = range(32, len(whole), FRAME)
    ends = [at + FRAME for at in starts if whole[at + 4 : at + 8] != bytes(4)]
    assert ends[-1] == len(whole)
    return ends[-2]


def test_no_file_an_empty_one_and_a_whole_one_are_fine(tmp_path: Path, whole: bytes) -> None:
    check_wal(tmp_path / "none-wal")
    check(tmp_path, b"")
    check(tmp_path, whole)


def test_every_flip_before_the_last_commit_is_found(tmp_path: Path, whole: bytes) -> None:
    chance = random.Random(2)
    offsets = [*range(32 + 24), *(chance.randrange(last_commit(whole)) for _ in range(300))]
    for offset in offsets:
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << chance.randrange(8)
        with pytest.raises(LogCorrupt):
            check(tmp_path, damaged)


def test_a_wal_cut_off_anywhere_is_a_crash(tmp_path: Path, whole: bytes) -> None:
    chance = random.Random(3)
    for _ in range(100):
        check(tmp_path, whole[: chance.randrange(len(whole))])


def test_damage_in_the_last_commit_looks_like_a_crash(tmp_path: Path, whole: bytes) -> None:
    damaged = bytearray(whole)
    damaged[last_commit(whole) + 100] ^= 1
    check(tmp_path, damaged)


def test_frames_of_an_older_generation_behind_the_end_are_no_damage(tmp_path: Path, whole: bytes) -> None:
    older = bytearray(whole)
    middle = 32 + (len(whole) // FRAME // 2) * FRAME
    for at in range(middle, len(older), FRAME):
        older[at + 11] ^= 1  # the first salt, which a new generation counts up
    check(tmp_path, older)


def test_a_header_torn_while_a_new_generation_began_is_a_crash(tmp_path: Path, whole: bytes) -> None:
    torn = bytearray(whole)
    torn[16:32] = random.Random(4).randbytes(16)  # new salts, wrong checksum
    check(tmp_path, torn)
