"""Which fault comes when: decided by a seed alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.faults.nemesis.ground import Fault

ANSWERS_BETWEEN = (250, 500)
"""Fewest and most receipts between two faults: also while the last one is still felt."""


class Step(NamedTuple):
    """A fault, and the work before it."""

    answers: int
    fault: Fault[Any]


def schedule(faults: Sequence[Fault[Any]], count: int, chance: random.Random) -> list[Step]:
    """Give so many steps: every kind comes before any comes again, each time in another order."""
    drawn: list[Fault[Any]] = []
    while len(drawn) < count:
        drawn += chance.sample(list(faults), min(len(faults), count - len(drawn)))
    return [Step(chance.randint(*ANSWERS_BETWEEN), fault) for fault in drawn]
