"""Ids and lease tokens as texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.ids import ID_BYTES, NO_ID, Kind
from crowdroute.router.rpc.convert.ids import fence_of, fence_text, id_of, ids_of, optional_id_of, text_of

some_ids = st.binary(min_size=ID_BYTES, max_size=ID_BYTES).filter(lambda identity: identity != NO_ID)


@given(some_ids, st.sampled_from(Kind))
def test_an_id_survives_the_wire(identity: bytes, kind: Kind) -> None:
    assert id_of(kind, text_of(kind, identity), "x") == identity


def test_no_id_is_the_empty_text() -> None:
    assert text_of(Kind.VENDOR, NO_ID) == ""
    assert optional_id_of(Kind.VENDOR, "", "vendor_id") == NO_ID


@pytest.mark.parametrize("text", ["", "tsk", "tsk_", "tsk_" + "g" * 32, "wrk_" + "0" * 32, "tsk_" + "0" * 31])
def test_what_is_no_id_of_its_kind_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        id_of(Kind.TASK, text, "task_id")
    assert refused.value.details == {"field": "task_id"}


def test_the_place_of_a_wrong_id_in_a_list_is_told() -> None:
    with pytest.raises(InvalidCommand) as refused:
        ids_of(Kind.POOL, ["pol_" + "1" * 32, "nonsense"], "pools")
    assert refused.value.details == {"field": "pools[1]"}


@given(st.integers(0, 2**63 - 1))
def test_a_fence_survives_the_wire(fence: int) -> None:
    assert fence_of(fence_text(fence)) == fence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1" * 15,
        "1" * 17,
        "x" * 16,
        "-" + "1" * 15,
        "0x" + "1" * 14,
        "1_" * 8,
        " " * 16,
        "²" * 16,
        "A" * 16,
    ],
)
def test_what_is_no_lease_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        fence_of(text)
    assert refused.value.details == {"field": "lease_token"}
