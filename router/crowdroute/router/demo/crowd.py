"""A simulated crowd: workers of known accuracy, most of them good, some not."""

from __future__ import annotations

import random
from dataclasses import dataclass

CROWD = 24
SENIORS = 3
CARELESS = 3
"""Workers of the crowd who are right less than half of the time."""

SENIOR_ACCURACY = 0.99
"""Seniors are people who were tested; a check by somebody who errs often would say little."""


@dataclass(frozen=True)
class SimulatedWorker:
    """One worker, whose accuracy the engine has to find out."""

    name: str
    accuracy: float
    senior: bool = False

    def answer(self, truth: int, labels: int, draw: random.Random) -> int:
        """Give the label this worker chooses: the true one with their accuracy, else any other alike."""
        if draw.random() < self.accuracy:
            return truth
        other = draw.randrange(labels - 1)
        return other + (other >= truth)


def simulated_crowd(seed: int) -> list[SimulatedWorker]:
    """Give the crowd of the demonstration with this seed."""
    draw = random.Random(seed)
    workers = [
        SimulatedWorker(f"worker-{number + 1:02}", draw.uniform(0.7, 0.97))
        for number in range(CROWD - CARELESS)
    ]
    workers += [
        SimulatedWorker(f"worker-{number + 1:02}", draw.uniform(0.25, 0.5))
        for number in range(CROWD - CARELESS, CROWD)
    ]
    workers += [SimulatedWorker(f"senior-{number + 1}", SENIOR_ACCURACY, True) for number in range(SENIORS)]
    return workers
