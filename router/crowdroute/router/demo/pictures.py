"""Real images to label: scikit-learn's handwritten digits, 8 x 8 pixels, which come with the package."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from crowdroute.router.errors import ConfigurationError

GOLD_EVERY = 10
"""One picture in so many has a known answer."""

SCALE = 8
"""Each pixel becomes a square of so many, so that a browser shows something."""

SHADES = " .:-=+*#%@"


@dataclass(frozen=True)
class Picture:
    """One digit: its pixels (rows of 0..16) and what it is."""

    number: int
    pixels: tuple[tuple[int, ...], ...]
    digit: int

    @property
    def external_id(self) -> str:
        """What whoever hands it in calls it."""
        return f"digit-{self.number}"

    @property
    def gold(self) -> bool:
        """Whether its answer is known."""
        return self.number % GOLD_EVERY == 0

    def png(self) -> bytes:
        """Give the picture as a grey PNG, dark on light."""
        rows = b"".join(
            (b"\x00" + b"".join(bytes([255 - 15 * value]) * SCALE for value in row)) * SCALE
            for row in self.pixels
        )
        side = len(self.pixels) * SCALE
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", header)
            + _chunk(b"IDAT", zlib.compress(rows))
            + _chunk(b"IEND", b"")
        )

    def text(self) -> str:
        """Give the picture as characters, for a terminal."""
        return "\n".join(
            "".join(SHADES[min(value * 10 // 17, 9)] * 2 for value in row) for row in self.pixels
        )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def load_pictures(count: int) -> list[Picture]:
    """Give the first `count` digits.

    Raises:
        ConfigurationError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ConfigurationError(
            "the demonstration labels scikit-learn's digits: install it with `pip install 'crowdroute[demo]'`"
        ) from None
    digits = load_digits()
    return [
        Picture(
            number,
            tuple(tuple(int(value) for value in row) for row in digits.images[number]),
            int(digits.target[number]),
        )
        for number in range(count)
    ]
