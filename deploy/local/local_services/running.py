"""A program beside services: those that run already, or fresh ones that end with it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from local_services.errors import ProgramMissing
from local_services.stack import Stack

Handler = Callable[[int, FrameType | None], object] | signal.Handlers

PREFIX = "crowdroute-services-"
# Those that whoever runs us sends to us alone. An interrupt from a terminal reaches the program by itself.
TOLD_TO_STOP = (signal.SIGTERM, signal.SIGHUP)


def beside(stack: Stack, program: Sequence[str]) -> int:
    """Runs a program that finds the addresses of services in its environment; the number is its exit code.

    When all services of the folder answer, it gets those, and they are left as they are. Otherwise fresh ones
    are started in a temporary folder, and stopped and removed when the program has ended. Raises a
    ServicesError if they cannot be started.
    """
    states = stack.states()
    if states and all(state.answers for state in states):
        stack.say(f"using the services in {stack.folder}, which run already")
        return _run(program, {**stack.environment, **stack.variables()})
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder, _on(TOLD_TO_STOP, signal.default_int_handler):
        fresh = replace(stack, folder=Path(folder))
        fresh.up()
        try:
            return _run(program, {**stack.environment, **fresh.variables()})
        finally:
            with _on((*TOLD_TO_STOP, signal.SIGINT), signal.SIG_IGN):
                fresh.down()


def _run(program: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        running = subprocess.Popen(program, env=environment)
    except OSError as error:
        raise ProgramMissing(f"{program[0]} cannot be run: {error.strerror}") from error
    # The program decides what a signal means; what was started for it is stopped after it has ended.
    with (
        _on(TOLD_TO_STOP, lambda number, _: running.send_signal(number)),
        _on((signal.SIGINT,), signal.SIG_IGN),
    ):
        code = running.wait()
    # As shells say it of a program that a signal ended.
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _on(numbers: Sequence[signal.Signals], handler: Handler) -> Iterator[None]:
    """Has signals handled in a way while the block runs."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, kept in before.items():
            signal.signal(number, kept)
