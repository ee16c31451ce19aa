"""One engine per module, served by the real program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.program import Served

RULES = """\
schema: crowdroute.rules/v1
labels: [owl, robin]
quality: {overlap: {minimum: 1, maximum: 2}, gold: {share: 0, first: 0}}
money: {crowd: "0.02"}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served engine with the project `birds`."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "birds.yaml").write_text(RULES)
    engine = Served(folder, folder / "data")
    try:
        engine.done("project", "create", "birds", "--rules", "birds.yaml")
        yield engine
    finally:
        engine.stop()


@pytest.fixture
def folder(served: Served) -> Path:
    """Where the commands run."""
    return served.folder
