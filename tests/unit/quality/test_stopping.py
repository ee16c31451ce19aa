"""When a task has enough answers."""

from __future__ import annotations

import pytest

from crowdroute.router.model.rules import Overlap, Stopping
from crowdroute.router.quality.stopping import Standing, Verdict, judge


@pytest.mark.parametrize(
    ("standing", "escalate", "verdict"),
    [
        (Standing(2, 3, 0, 0, 0.99), False, Verdict.CONFIDENT),
        (Standing(1, 4, 0, 0, 0.99), False, Verdict.GO_ON),
        (Standing(2, 3, 0, 1, 0.99), False, Verdict.GO_ON),
        (Standing(5, 0, 0, 0, 0.6), False, Verdict.MAXIMUM),
        (Standing(5, 0, 0, 0, 0.6), True, Verdict.ESCALATE),
        (Standing(4, 0, 1, 0, 0.6), True, Verdict.GO_ON),
        (Standing(4, 1, 0, 0, 0.6), True, Verdict.GO_ON),
    ],
)
def test_the_standing_decides(standing: Standing, escalate: bool, verdict: Verdict) -> None:
    assert judge(standing, Overlap(2, 5), Stopping(0.95, escalate)) is verdict
