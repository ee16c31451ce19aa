"""What blocks in a library's compiled part is told of, and ended on Ctrl-C or when it takes too long."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from tests.support.program import environment

PATIENCE_S = 60

DEAF = """
import signal, socket, sys
from crowdroute.router.cli import patience

patience.TELL_S, patience.MOST_S, patience.GRACE_S = {tell}, {most}, 0.05
{first}
with patience.bounded("nobody has come yet: look at the door"):
    print("waiting", flush=True)
    {waits}
print("done", flush=True)
"""
WAITS = "pair = socket.socketpair(); pair[0].recv(1)"
DEAFEN = "signal.signal(signal.SIGINT, lambda *_: None)"


def begun(waits: str, first: str = "", tell: float = 60, most: float = 120) -> subprocess.Popen[str]:
    """Start a program that waits, until it does."""
    program = subprocess.Popen(
        [sys.executable, "-c", DEAF.format(first=first, tell=tell, most=most, waits=waits)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "waiting\n"
    return program


def test_what_is_quick_is_not_told_of() -> None:
    program = begun("pass")
    assert program.communicate(timeout=PATIENCE_S) == ("done\n", "")
    assert program.returncode == 0


def test_what_takes_long_is_told_once_and_what_takes_too_long_ends_the_program() -> None:
    program = begun(WAITS, tell=0.01, most=0.05)
    out, said = program.communicate(timeout=PATIENCE_S)
    assert (out, program.returncode) == ("", 1)
    told, ended = said.splitlines()
    assert told.startswith("nobody has come yet: look at the door (waiting up to")
    assert ended == "error: nobody has come yet: look at the door [FLEET_UNAVAILABLE]"


@pytest.mark.parametrize("tell", [60, 0.01])
def test_a_program_that_is_deaf_is_ended_when_it_is_interrupted(tell: float) -> None:
    program = begun(WAITS, DEAFEN, tell=tell)
    program.send_signal(signal.SIGINT)
    out, said = program.communicate(timeout=PATIENCE_S)
    assert (out, program.returncode) == ("", 130)
    assert said.splitlines()[-1] == "error: interrupted [INTERRUPTED]"


def test_a_program_that_hears_an_interruption_ends_as_ever() -> None:
    program = begun(WAITS)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=PATIENCE_S)
    assert "KeyboardInterrupt" in said
    assert "[INTERRUPTED]" not in said
