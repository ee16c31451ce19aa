"""docs/invariants.md names tests and defects that exist, and each defect is caught."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.invariants import defects
from tests.support.processes import PYTHONPATH
from tests.unit.docs.documents import REPOSITORY, codes, read, tables

PROMISES = 22
OURS = "tests/invariants/defects.py"
CAUGHT_IN = {
    "tests/simulation/bugs.py": "tests/simulation/test_seeded_bugs.py",
    "tests/simulation/crossing_bugs.py": "tests/simulation/test_sharded.py",
    "tests/property/kafka/bugs.py": "tests/property/test_kafka_protocol.py",
    "tests/property/kafka/archive_bugs.py": "tests/property/test_kafka_protocol.py",
}
"""Where the defects of a file are planted, each with what it must be caught by."""
NOT_BY_THE_FIRST = {
    "overlooks_which_vendor_asks": (
        "tests/integration/rpc/operations/test_vendor.py::test_a_vendor_sees_its_own_workers_alone"
    )
}
"""Of our defects, those that another test of their row must catch."""
SOME_FAILED = 1
"""Exit status of pytest."""
LONGEST_S = 300


class Promise(NamedTuple):
    """A row of the table."""

    number: int
    tests: list[str]
    defects: list[str]


def promises() -> list[Promise]:
    (rows,) = tables(read("docs/invariants.md"))
    return [Promise(int(number), codes(tests), codes(caught)) for number, _, tests, caught in rows]


def functions(file: str) -> set[str]:
    """The names of the functions of a file, which is not run for it."""
    tree = ast.parse((REPOSITORY / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def names(file: str) -> set[str]:
    """Everything that a file names of modules."""
    tree = ast.parse((REPOSITORY / file).read_text())
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def planted_here() -> list[tuple[str, str]]:
    """Each of our defects with the test that must catch it, which is the first of its row but for a few."""
    return [
        (defect, NOT_BY_THE_FIRST.get(defect, promise.tests[0]))
        for promise in promises()
        for file, _, defect in (name.partition("::") for name in promise.defects)
        if file == OURS
    ]


def test_there_is_a_row_for_each_promise() -> None:
    assert [promise.number for promise in promises()] == list(range(1, PROMISES + 1))


def test_a_promise_that_is_guarded_has_tests_and_a_defect_and_the_others_have_neither() -> None:
    for promise in promises():
        assert bool(promise.tests) == bool(promise.defects), promise
    assert sum(bool(promise.tests) for promise in promises()) >= PROMISES - 1


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: str(promise.number))
def test_every_name_in_a_row_exists(promise: Promise) -> None:
    for name in promise.tests + promise.defects:
        file, _, function = name.partition("::")
        assert function in functions(file), name


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: str(promise.number))
def test_every_defect_of_another_list_is_planted_there(promise: Promise) -> None:
    for name in promise.defects:
        file, _, function = name.partition("::")
        assert file == OURS or function in names(CAUGHT_IN[file]), name


def test_every_defect_of_ours_guards_a_promise() -> None:
    ours = functions(Path(defects.__file__).relative_to(REPOSITORY).as_posix())
    inner = {"append", "drain", "write", "apply", "shard_of", "_whosever"}
    assert {defect for defect, _ in planted_here()} == ours - inner


def test_what_catches_a_defect_is_of_its_row() -> None:
    rows = {defect: promise.tests for promise in promises() for defect in promise.defects}
    for defect, caught_by in planted_here():
        assert caught_by in rows[f"{OURS}::{defect}"]


@pytest.mark.parametrize(("defect", "caught_by"), planted_here(), ids=lambda value: value.rpartition("::")[2])
def test_the_test_of_a_row_catches(defect: str, caught_by: str) -> None:
    plugin = ("-p", "tests.invariants.planting", "--plant", defect)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *plugin, caught_by],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    assert ran.returncode == SOME_FAILED, ran.stdout + ran.stderr
    assert "FAILED" in ran.stdout
