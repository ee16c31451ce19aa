"""Which fault comes when: decided by a seed alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tests.faults.nemesis.ground import Fault

ANSWERS_BETWEEN = (250, 500)
"""Fewest and most receipts between two faults: also while the last one is still felt."""


class Step(NamedTuple):
    """A fault, and the work before it."""

    answers: int
    fault: Fault[Any]


def schedule(faults: Sequence[Fault[Any]], chance: random.Random) -> Iterator[Step]:
    """Give steps for ever: every kind comes before any comes again, each time in another order."""
    while True:
        for fault in chance.sample(list(faults), len(faults)):
            yield Step(chance.randint(*ANSWERS_BETWEEN), fault)
