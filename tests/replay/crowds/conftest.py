"""Recorded crowds by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crowdroute.router.replay.recorded import RecordedCrowd, read_crowd

ReadCrowd = Callable[[str], RecordedCrowd]


@pytest.fixture
def recorded(datasets: Path) -> ReadCrowd:
    """Reads a recorded crowd, with its gold where there is some."""

    def read(name: str) -> RecordedCrowd:
        gold = datasets / name / "gold.csv.gz"
        return read_crowd(datasets / name / "labels.csv.gz", gold if gold.exists() else None)

    return read
