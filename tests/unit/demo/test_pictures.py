"""The demonstration's pictures are real PNG files of real digits."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator

import pytest

from crowdroute.router.demo.pictures import SCALE, Picture, load_pictures

SMALL = Picture(0, ((0, 16), (8, 1)), 7)


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the chunks of a PNG after checking the signature and every checksum."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place = 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        body = png[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack(">I", png[place + 8 + length : place + 12 + length])
        assert checksum == zlib.crc32(kind + body)
        yield kind, body
        place += 12 + length


def decode(png: bytes) -> list[list[int]]:
    """Give the rows of a grey PNG whose rows are not filtered."""
    found = dict(chunks(png))
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert (depth, colour, rest) == (8, 0, [0, 0, 0])
    raw = zlib.decompress(found[b"IDAT"])
    assert len(raw) == height * (width + 1)
    rows = [raw[row * (width + 1) : (row + 1) * (width + 1)] for row in range(height)]
    assert all(row[0] == 0 for row in rows)
    return [list(row[1:]) for row in rows]


def test_every_pixel_is_a_grey_square_dark_on_light() -> None:
    rows = decode(SMALL.png())
    assert len(rows) == len(rows[0]) == 2 * SCALE
    corners = (rows[0][0], rows[0][-1], rows[-1][0], rows[-1][-1])
    assert corners == (255, 255 - 15 * 16, 255 - 15 * 8, 255 - 15)
    assert rows[0][:SCALE] == [255] * SCALE


def test_a_terminal_shows_two_characters_per_pixel() -> None:
    lines = SMALL.text().splitlines()
    assert [len(line) for line in lines] == [4, 4]
    assert lines[0] == "  @@"


def test_the_digits_are_all_there_and_all_pngs() -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("sklearn", reason="the digits come with the extra `demo`")
    pictures = load_pictures(50)
    assert [picture.number for picture in pictures] == list(range(50))
    assert {picture.digit for picture in pictures} == set(range(10))
    assert all(len(decode(picture.png())) == 8 * SCALE for picture in pictures)
