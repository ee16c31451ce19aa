"""The recorded crowds whose answers are one label out of a few."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from crowdroute.aggregation import AnnotationSet, read_annotations, read_gold

Crowd = tuple[AnnotationSet, dict[str, str]]


@pytest.fixture(scope="session")
def crowd(datasets: Path) -> Callable[[str], Crowd]:
    """Read a crowd by name, once: annotations, the first of each repeated pair, and gold, maybe empty."""

    @cache
    def read(name: str) -> Crowd:
        gold = datasets / name / "gold.csv.gz"
        return (
            read_annotations(datasets / name / "labels.csv.gz", repeats="first"),
            read_gold(gold) if gold.exists() else {},
        )

    return read
