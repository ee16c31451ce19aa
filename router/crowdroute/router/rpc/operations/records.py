"""The bytes of a file, as they come, cut into its records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from crowdroute.router.errors import InvalidCommand

LARGEST_RECORD = 1 << 20
"""Bytes of one row: more is no row but a file with a missing quote or without line ends."""

_QUOTE = b'"'
_BOM = b"\xef\xbb\xbf"


class Records(Protocol):
    """Cuts a file into records."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the records that end in these bytes, without their line ends."""

    def end(self) -> Iterator[bytes]:
        """Yield the last record, when the file does not end with a line end."""


class Lines:
    """Every line is a record."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._begun = False
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that end in these bytes.

        Raises:
            InvalidCommand: a line is too long.
        """
        searched = len(self._rest)
        self._rest += chunk
        begin = 0
        while (end := self._rest.find(b"\n", max(searched, begin))) >= 0:
            yield self._record(self._rest[begin:end])
            begin = end + 1
        del self._rest[:begin]
        self._require_short()

    def end(self) -> Iterator[bytes]:
        """Yield what follows the last line end."""
        if self._rest:
            yield self._record(self._rest)

    def _record(self, raw: bytearray) -> bytes:
        self._number += 1
        record = bytes(raw)
        if not self._begun:
            self._begun = True
            record = record.removeprefix(_BOM)
        return record.removesuffix(b"\r")

    def _require_short(self) -> None:
        if len(self._rest) > LARGEST_RECORD:
            raise InvalidCommand(
                f"record {self._number + 1} of the file is longer than {LARGEST_RECORD} bytes: is a line end"
                " or a closing quote missing? The rows before it may have been added; import again once it is"
                " mended, what was added is known then",
                {"field": "chunk", "record": str(self._number + 1)},
            )


class QuotedLines(Lines):
    """A record ends at a line end that is not within quotes (RFC 4180: a quote within quotes is doubled, so a
    line end is outside when the quotes before it are even in number)."""

    def __init__(self) -> None:
        super().__init__()
        self._searched = 0
        self._odd = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the records that end in these bytes.

        Raises:
            InvalidCommand: a record is too long.
        """
        self._rest += chunk
        begin = 0
        while (end := self._rest.find(b"\n", self._searched)) >= 0:
            self._odd ^= self._rest.count(_QUOTE, self._searched, end) % 2 == 1
            self._searched = end + 1
            if not self._odd:
                yield self._record(self._rest[begin:end])
                begin = end + 1
        self._odd ^= self._rest.count(_QUOTE, self._searched) % 2 == 1
        self._searched = len(self._rest) - begin
        del self._rest[:begin]
        self._require_short()
