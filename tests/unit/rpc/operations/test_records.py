"""The bytes of a file, cut into records wherever the pieces end."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.rpc.operations.records import LARGEST_RECORD, Lines, QuotedLines, Records

CELLS = st.text(st.sampled_from('ab",\n é'), max_size=6)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=6)


def cut(records: Records, file: bytes, cuts: list[int]) -> list[bytes]:
    """Feed a file in pieces that end at these places."""
    places = [0, *sorted(place % (len(file) + 1) for place in cuts), len(file)]
    found = []
    for begin, end in itertools.pairwise(places):
        found += records.feed(file[begin:end])
    return [*found, *records.end()]


@given(TABLES, st.lists(st.integers(0, 1000), max_size=8), st.sampled_from(["\r\n", "\n"]), st.booleans())
def test_csv_is_read_as_it_was_written_wherever_it_is_cut(
    table: list[list[str]], cuts: list[int], line_end: str, closed: bool
) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator=line_end).writerows(table)
    file = written.getvalue().encode()
    if not closed:
        file = file.removesuffix(line_end.encode())

    found = cut(QuotedLines(), file, cuts)

    assert [next(csv.reader([record.decode()])) for record in found] == table


@given(st.lists(st.binary(max_size=9)), st.lists(st.integers(0, 1000), max_size=8))
def test_lines_are_found_wherever_the_file_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    lines = [line.replace(b"\n", b"").replace(b"\r", b"").replace(b"\xef", b"") for line in lines]
    file = b"".join(line + b"\n" for line in lines)

    assert cut(Lines(), file, cuts) == lines


@pytest.mark.parametrize("make", [Lines, QuotedLines])
def test_a_byte_order_mark_and_returns_are_left_out(make: Callable[[], Records]) -> None:
    assert cut(make(), b"\xef\xbb\xbfa\r\nb\r\nc", [1, 2, 5]) == [b"a", b"b", b"c"]


@pytest.mark.parametrize("make", [Lines, QuotedLines])
def test_an_empty_file_has_no_records(make: Callable[[], Records]) -> None:
    assert cut(make(), b"", []) == []


@pytest.mark.parametrize(
    ("records", "begin", "more"),
    [(Lines(), b"x", b"x"), (QuotedLines(), b"x", b"x"), (QuotedLines(), b'a,"', b"line\n")],
)
def test_a_record_without_an_end_is_refused_with_its_number(
    records: Records, begin: bytes, more: bytes
) -> None:
    assert list(records.feed(b"first\n" + begin)) == [b"first"]
    assert list(records.feed(more * (LARGEST_RECORD // len(more) - 1))) == []

    with pytest.raises(InvalidCommand) as caught:
        list(records.feed(more * 2))

    assert caught.value.details["record"] == "2"
