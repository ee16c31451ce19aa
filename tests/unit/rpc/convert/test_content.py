"""Parts of content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.api.v1 import types_pb2
from crowdroute.router.errors import InvalidCommand, LogCorrupt
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.rpc.convert.content import (
    MOST_PARTS,
    decode_item,
    encode_item,
    part_messages,
    parts_of,
)

names = st.text(min_size=1, max_size=64)
kinds = st.text(min_size=1, max_size=20)
bodies = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(max_size=50)),
    st.builds(lambda data: {"data": data}, st.binary(min_size=1, max_size=50)),
    st.builds(lambda path: {"url": f"https://example.org/{path}"}, st.text(max_size=20)),
)
some_parts = st.lists(
    st.builds(lambda name, kind, body: Part(name, kind, language="en", **body), names, kinds, bodies),
    max_size=5,
    unique_by=lambda part: part.id,
).map(tuple)


@given(some_parts)
def test_content_survives_the_wire(parts: tuple[Part, ...]) -> None:
    assert parts_of(part_messages(parts), "content") == parts


@given(some_parts, st.text(max_size=20))
def test_content_survives_the_store(parts: tuple[Part, ...], external: str) -> None:
    content = ItemContent(external, parts)
    assert decode_item(encode_item(content)) == content


def test_what_is_no_content_is_told_as_damage() -> None:
    with pytest.raises(LogCorrupt):
        decode_item(b"\x93\x01")


def part(**fields: object) -> types_pb2.ContentPart:
    return types_pb2.ContentPart(**{"id": "text", "text": "x", **fields})


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([part(id="")], "content[0].id"),
        ([part(id="x" * 65)], "content[0].id"),
        ([types_pb2.ContentPart(id="text")], "content[0]"),
        ([part(), types_pb2.ContentPart(id="link", url="javascript:alert(1)")], "content[1].url"),
        ([types_pb2.ContentPart(id="link", url="file:///etc/passwd")], "content[0].url"),
        ([part(), part()], "content"),
        ([part(id=str(number)) for number in range(MOST_PARTS + 1)], "content"),
    ],
)
def test_wrong_parts_are_refused_with_their_field(parts: list[types_pb2.ContentPart], field: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        parts_of(parts, "content")
    assert refused.value.details == {"field": field}


def test_a_part_without_a_kind_gets_the_plainest() -> None:
    data = types_pb2.ContentPart(id="blob", data=b"x")
    assert [one.mime_type for one in parts_of([part(), data], "content")] == [
        "text/plain",
        "application/octet-stream",
    ]
