"""The command line: the only place where shells are put together.

`main` is the program `crowdroute`. Commands print tables for people and one JSON object with `--json`;
messages go to standard error. Exit codes: 0 done, 1 a defect or no connection, 2 wrong use, 3 refused by the
engine, 4 a check found something (rules, log), 130 interrupted from the keyboard.

Loading the commands takes longer than most of them run, so it is done in `main`, where what goes wrong with
it can be told.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from types import ModuleType

DONE, FAILED, MISUSED, REFUSED, FOUND = range(5)
INTERRUPTED = 130
"""What shells expect of a program that SIGINT ended."""


def main() -> None:
    """Run the command line and exit with a code that means something."""
    _have_streams()
    # What gRPC's own core says on standard error, we say in words of ours.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        program = _load()
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        sys.stderr.write(
            "error: there is no folder to keep compiled code in: neither the installation nor the user's "
            "cache can be written; set NUMBA_CACHE_DIR to a folder that can [CONFIGURATION]\n"
        )
        sys.exit(MISUSED)
    sys.exit(program.run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; errors go to standard error, with their code and what to do."""
    code: int = _program().run(arguments)
    return code


def _program() -> ModuleType:
    return import_module("crowdroute.router.cli.program")


def _load() -> ModuleType:
    """Load the commands; who interrupts that ends the process, for there is nothing yet to put in order."""
    # Shells start programs in the background with SIGINT ignored; that stays.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return _program()
    finally:
        if interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _have_streams() -> None:
    """Write to nowhere where the caller has closed standard output or standard error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # open as long as we run
