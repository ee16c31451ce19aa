"""Pages: sizes, and tokens that belong to one question."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.api.v1 import projects_pb2, tasks_pb2
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.rpc.pages import (
    AT_ONCE,
    DEFAULT_ROWS,
    LARGEST_PAGE,
    LARGEST_PLACE,
    MOST_ROWS,
    fill,
    page_of,
)


def asked(**fields: Any) -> tasks_pb2.ListTasksRequest:
    return tasks_pb2.ListTasksRequest(project_id="prj_1", **fields)


@pytest.mark.parametrize(("size", "rows"), [(0, DEFAULT_ROWS), (1, 1), (1000, 1000), (1001, MOST_ROWS)])
def test_a_page_has_as_many_rows_as_are_wanted_up_to_a_limit(size: int, rows: int) -> None:
    assert page_of(asked(page_size=size), int).rows == rows


def test_the_first_page_has_no_place() -> None:
    assert page_of(asked(), int).after is None


@given(
    st.one_of(
        st.tuples(st.just(int), st.integers(-1, LARGEST_PLACE)),
        st.tuples(st.just(str), st.text(max_size=200)),
        st.tuples(st.just(bytes), st.binary(max_size=16)),
        st.tuples(st.just(tuple[bytes, str]), st.tuples(st.binary(max_size=16), st.text(max_size=3))),
    )
)
def test_a_token_gives_its_place_back(place: tuple[Any, Any]) -> None:
    kind, value = place
    token = page_of(asked(), kind).token(value)

    assert page_of(asked(page_token=token), kind).after == value


def test_the_size_may_change_from_page_to_page() -> None:
    token = page_of(asked(page_size=3), int).token(7)

    assert page_of(asked(page_size=5, page_token=token), int).after == 7


def test_a_token_does_not_go_with_other_filters_or_another_list() -> None:
    token = page_of(asked(), int).token(7)

    for message in (
        asked(batch="b", page_token=token),
        tasks_pb2.ListTasksRequest(page_token=token),
        projects_pb2.ListProjectsRequest(page_token=token),
    ):
        with pytest.raises(InvalidCommand) as caught:
            page_of(message, int)
        assert caught.value.details == {"field": "page_token"}


@given(st.text(max_size=60))
def test_a_text_that_is_no_token_is_refused(token: str) -> None:
    if token:
        with pytest.raises(InvalidCommand):
            page_of(asked(page_token=token), int)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_token_are_refused(raw: bytes) -> None:
    token = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    if token:
        with pytest.raises(InvalidCommand):
            page_of(asked(page_token=token), int)


@pytest.mark.parametrize("place", ["7", b"7", [7], None, 1.5, -2, LARGEST_PLACE + 1, 1 << 64])
def test_a_place_of_another_kind_or_out_of_all_bounds_is_refused(place: object) -> None:
    page = page_of(asked(), int)
    if isinstance(place, int) and place >= 1 << 64:
        with pytest.raises(OverflowError):
            page.token(place)
        return
    with pytest.raises(InvalidCommand):
        page_of(asked(page_token=page.token(place)), int)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(InvalidCommand) as caught:
        page_of(asked(page_size=-1), int)
    assert caught.value.details == {"field": "page_size"}


def test_tokens_are_opaque_but_no_secret() -> None:
    page = page_of(asked(), int)
    raw = base64.urlsafe_b64decode(page.token(7) + "==")
    assert msgspec.msgpack.decode(raw) == [page.fingerprint, 7]


def project(name: str) -> projects_pb2.Project:
    return projects_pb2.Project(name=name)


async def test_a_page_ends_where_its_rows_do() -> None:
    page = page_of(asked(page_size=3), int)

    messages, token = await fill(page, list("abcd"), project, str)
    assert [message.name for message in messages] == ["a", "b", "c"]
    assert page_of(asked(page_token=token), str).after == "c"

    messages, token = await fill(page, list("abc"), project, str)
    assert len(messages) == 3
    assert token == ""
    assert await fill(page, [], project, str) == ([], "")


async def test_a_page_is_full_before_it_is_too_large_for_a_message() -> None:
    page = page_of(asked(page_size=100), int)
    rows = ["a" * (LARGEST_PAGE // 4)] * 10

    messages, token = await fill(page, rows, project, len)
    assert sum(message.ByteSize() for message in messages) <= LARGEST_PAGE
    assert len(messages) == 3
    assert token != ""

    huge, _ = await fill(page, ["a" * (2 * LARGEST_PAGE)] * 2, project, len)
    assert len(huge) == 1


async def test_a_long_page_lets_others_through() -> None:
    page = page_of(asked(page_size=1000), int)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    await fill(page, ["a"] * 1000, project, str)
    waiting.cancel()

    assert turns >= 1000 // AT_ONCE
