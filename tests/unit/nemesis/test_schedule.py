"""A seed alone decides what comes when."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

from tests.faults.nemesis import FAULTS
from tests.faults.nemesis.schedule import ANSWERS_BETWEEN, Step, schedule


def steps_of(seed: int, count: int) -> list[Step]:
    return list(islice(schedule(FAULTS, random.Random(seed)), count))


def test_a_seed_gives_the_same_schedule_again_and_another_one_another() -> None:
    one, again, other = (steps_of(seed, 40) for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_every_kind_comes_before_any_comes_again() -> None:
    steps = steps_of(1, 2 * len(FAULTS) + 3)
    times = Counter(step.fault.kind for step in steps)
    assert sorted(times.values()) == [2] * (len(FAULTS) - 3) + [3] * 3


def test_there_is_work_between_any_two_faults() -> None:
    fewest, most = ANSWERS_BETWEEN
    assert all(fewest <= step.answers <= most for step in steps_of(2, 100))


def test_kinds_have_names_of_their_own() -> None:
    assert len({fault.kind for fault in FAULTS}) == len(FAULTS)
