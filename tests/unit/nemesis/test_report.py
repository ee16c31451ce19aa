"""A campaign is well only if nothing at all went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checker import Report, Violation
from tests.faults.nemesis.report import Account, Struck

BROKEN = Report([Violation("slots", "too many")])
WELL = Account(
    seed=1,
    struck=[Struck("engine killed", 2.0, 0.5, 7)],
    lasted_s=180.0,
    answers=10_000,
    unfinished=0,
    untold=0,
    doubled=[0, 0],
    erased=20,
    read_again=[],
    owners=3,
    void=1,
    broken=Report(),
    told_otherwise=Report(),
    errors=[],
)


def test_nothing_went_wrong() -> None:
    assert WELL.ok
    assert "1 faults of 1 kinds in 180 s, 10000 answers acknowledged" in str(WELL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unfinished": 1},
        {"untold": 1},
        {"doubled": [1, 0]},
        {"doubled": [1, -1]},
        {"read_again": ["tsk_1"]},
        {"broken": BROKEN},
        {"told_otherwise": BROKEN},
        {"errors": [RuntimeError("a caller was told")]},
    ],
)
def test_anything_that_went_wrong_is_told(wrong: dict[str, Any]) -> None:
    account = WELL._replace(**wrong)
    assert not account.ok
    assert not account.as_json()["ok"]
