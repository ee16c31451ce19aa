"""The intervals that reviews and bonuses are decided by hold the true accuracy as often as they say."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.support.demo_world import DemoWorld

from crowdroute.router.demo.crowd import CROWD, simulated_crowd

SEEDS = 100
PICTURES = 120
"""Fewer than in the demonstration: a worker then has about twenty checked answers, where intervals are wide
and their bounds matter most."""


def covered(seed: int) -> tuple[int, int]:
    """Play one demonstration; give how many intervals hold the truth, and how many answers were checked."""
    world = DemoWorld(simulated_crowd(seed), PICTURES, seed)
    world.play()
    intervals = world.intervals()
    assert len(intervals) == CROWD
    return (
        sum(found.lower <= who.accuracy <= found.upper for who, found in intervals),
        sum(found.count for _, found in intervals),
    )


def test_the_intervals_hold_the_true_accuracy_in_92_to_99_of_100_cases() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        played = list(pool.map(covered, range(SEEDS)))
    inside, checked = sum(one[0] for one in played), sum(one[1] for one in played)
    assert checked / (SEEDS * CROWD) > 10, "too few answers were checked to say anything"
    assert 0.92 <= inside / (SEEDS * CROWD) <= 0.99
