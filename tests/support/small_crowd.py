"""A recorded crowd of a few hundred answers, made with a seed."""

from __future__ import annotations

import random
from pathlib import Path

from msgspec.structs import replace

from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.replay.recorded import RecordedCrowd, default_rules, read_crowd

TASKS = 40
WORKERS = 12
EACH = 7
"""Answers per task."""
LABELS = ("cat", "dog", "neither")
RIGHT = 0.75
"""How often a worker is right."""


def small_crowd(folder: Path) -> RecordedCrowd:
    """Write a record and read it."""
    draw = random.Random(5)
    rows = ["task,worker,label"]
    for task in range(TASKS):
        truth = draw.choice(LABELS)
        for worker in draw.sample(range(WORKERS), EACH):
            label = truth if draw.random() < RIGHT else draw.choice(LABELS)
            rows.append(f"{task},{worker},{label}")
    path = folder / "labels.csv"
    path.write_text("\n".join(rows) + "\n")
    return read_crowd(path, None)


def rules_without_chance(crowd: RecordedCrowd) -> ProjectRules:
    """Give rules under which nothing is given out by chance: no exploration."""
    rules = default_rules(crowd)
    return replace(rules, routing=replace(rules.routing, exploration=0.0))
