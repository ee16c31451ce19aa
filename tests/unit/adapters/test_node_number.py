"""Processes of a node have numbers of their own."""

from __future__ import annotations

import secrets
import subprocess
import sys

import pytest
from tests.support.processes import PYTHONPATH

from crowdroute.router.adapters.node_number import lowest_number

HOLD = """
import sys
from crowdroute.router.adapters.node_number import lowest_number
with lowest_number(sys.argv[1]) as number:
    print(number, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def among() -> str:
    return secrets.token_hex(8)


def test_each_has_the_lowest_that_is_free(among: str) -> None:
    with lowest_number(among) as first:
        with lowest_number(among) as second, lowest_number(among) as third:
            assert (first, second, third) == (0, 1, 2)
        with lowest_number(among) as again:
            assert again == 1
    with lowest_number(among) as anew:
        assert anew == 0


def test_others_do_not_count(among: str) -> None:
    with lowest_number(among), lowest_number(f"{among} of others") as first:
        assert first == 0


def test_a_process_that_is_killed_leaves_its_number_free(among: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, among],
        env={"PYTHONPATH": PYTHONPATH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        with lowest_number(among) as number:
            assert number == 1
        process.kill()
    with lowest_number(among) as number:
        assert number == 0
