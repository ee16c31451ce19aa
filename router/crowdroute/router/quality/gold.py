"""When a worker is given a task with a known answer, hidden among the others."""

from __future__ import annotations

from crowdroute.router.model.rules import GoldPlan

OPENING = 3
"""While the first gold answers are wanted, one grant in this many is gold: often enough to learn early, too
rarely to tell gold from work by its place."""

EVERYTHING = 1.0
"""The share at which all that is given is gold, so that nothing is hidden."""


def wants_gold(plan: GoldPlan, granted: int, gold_granted: int, draw: float) -> bool:
    """Say whether the worker's next task should be gold.

    `granted` tasks were given so far, `gold_granted` of them gold; `draw` is uniform in [0, 1). The chance
    never depends on anything but these, so no position gives gold away.
    """
    if gold_granted < plan.first:
        return draw < max(plan.share, 1.0 / OPENING)
    return draw < plan.share
