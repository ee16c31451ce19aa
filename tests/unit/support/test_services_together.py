"""Tests of real services stay together: those of a file, and those with Ray nodes as if of one file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.services_together import RAY

TESTS = Path(__file__).resolve().parents[2]

WITH_RAY = re.compile(
    r"from tests\.support\.(?:local_ray|ray_cluster|ray_nodes) import|^ *import ray$", re.MULTILINE
)

JOBS, LOG, LOAD, KAFKA, NEMESIS = (
    "tests/contract/test_jobs.py",
    "tests/contract/test_log.py",
    "tests/integration/cluster/test_load.py",
    "tests/integration/services/test_kafka_log.py",
    "tests/faults/test_nemesis_on_cluster.py",
)
COLLECTED = (
    f"{JOBS}::test_first[a]",
    f"{LOG}::test_first[1::2]",
    f"{LOAD}::test_first",
    f"{LOG}::test_second",
    f"{KAFKA}::TestTogether::test_first",
    f"{LOAD}::test_second",
    f"{KAFKA}::test_second",
    f"{NEMESIS}::test_first",
)


class Worker:
    """One of pytest-xdist's workers, which never comes to an end of what it is given."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.given: list[int] = []

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.given.extend(indices)

    def shutdown(self) -> None:
        self.shutting_down = True


class Session:
    """What a scheduler asks of the configuration of a run."""

    def __init__(self, workers: int, dist: str) -> None:
        self.option = SimpleNamespace(loadscopereorder=True)
        self._options: Mapping[str, Any] = {"dist": dist, "tx": ["popen"] * workers}

    def getoption(self, name: str) -> Any:
        return self._options[name]

    getvalue = getoption


def scheduler(pytestconfig: pytest.Config, workers: int, dist: str) -> Any:
    """Give what pytest-xdist itself is given for a run."""
    return pytestconfig.hook.pytest_xdist_make_scheduler(config=Session(workers, dist), log=None)


def gets_more(scheduler: Any, worker: Worker) -> bool:
    """Have a worker done with all it was given; say whether it is given more."""
    before = list(worker.given)
    for index in before:
        scheduler.mark_test_complete(worker, index)
    return worker.given != before


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
@pytest.mark.parametrize("together", [(LOG,), (KAFKA,), (JOBS, LOAD, NEMESIS)])
def test_no_file_and_nothing_with_ray_nodes_is_divided_among_workers(
    pytestconfig: pytest.Config, workers: int, together: tuple[str, ...]
) -> None:
    scheduling = scheduler(pytestconfig, workers, "loadfile")
    crew = [Worker(f"gw{number}") for number in range(workers)]
    for worker in crew:
        scheduling.add_node(worker)
    for worker in crew:
        scheduling.add_node_collection(worker, list(COLLECTED))

    scheduling.schedule()
    while sum(gets_more(scheduling, worker) for worker in crew):
        pass

    ran = [[COLLECTED[index] for index in worker.given] for worker in crew]
    assert sorted(test for tests in ran for test in tests) == sorted(COLLECTED)
    theirs = [test for test in COLLECTED if test.startswith(together)]
    assert theirs in [[test for test in tests if test in theirs] for tests in ran]


def test_other_runs_are_left_to_pytest_xdist(pytestconfig: pytest.Config) -> None:
    assert scheduler(pytestconfig, 2, "load") is None


def test_every_test_with_ray_nodes_is_among_those_that_are_as_one_file() -> None:
    with_ray = [
        str(file.relative_to(TESTS.parent))
        for file in TESTS.rglob("test_*.py")
        if WITH_RAY.search(text := file.read_text()) and "mark.cluster" in text
    ]

    assert with_ray
    assert [file for file in with_ray if not file.startswith(RAY)] == []
