"""The commands that people and make call: up, down, status, run."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_services.errors import ServicesError
from local_services.running import beside
from local_services.stack import Stack

REPOSITORY = Path(__file__).resolve().parents[3]
# As systemd's and LSB's `status` say it.
NOT_RUNNING = 3


def services_folder(environment: Mapping[str, str]) -> Path:
    """Where data, logs, pids and addresses of the services are kept."""
    named = environment.get("CROWDROUTE_SERVICES_DIR")
    return Path(named).expanduser().absolute() if named else REPOSITORY / ".services"


def main(arguments: Sequence[str]) -> int:
    """Runs one command; the number is the exit code."""
    parser = argparse.ArgumentParser(
        prog="services.py", description="Apache Kafka and Redis on this machine; see docs/cluster.md."
    )
    parser.add_argument("command", choices=("up", "down", "status", "run"))
    parser.add_argument("program", nargs=argparse.REMAINDER, help="with run: a program and its arguments")
    parsed = parser.parse_args(arguments)
    command, program = parsed.command, parsed.program
    if (command == "run") != bool(program):
        parser.error("run, and nothing else, takes a program: services.py run PROGRAM [ARGUMENT…]")
    # With run, standard output is the program's.
    stack = Stack(services_folder(os.environ), os.environ, _tell if command == "run" else _say)
    try:
        if command == "up":
            return _up(stack)
        if command == "down":
            return 0 if stack.down() else 1
        if command == "run":
            return beside(stack, program)
        return _status(stack)
    except ServicesError as error:
        print(f"services: {error} [{error.code}]", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("services: interrupted; what was being started was stopped again", file=sys.stderr)
        return 130


def _up(stack: Stack) -> int:
    stack.up()
    _say(f"all services answer; their addresses are in {stack.env_path}")
    return 0


def _status(stack: Stack) -> int:
    states = stack.states()
    if not states:
        _say(f"no services in {stack.folder}")
    for state in states:
        how = "not running" if state.pid is None else f"running as {state.pid}"
        if state.pid is not None and not state.answers:
            how += f", does not answer; its log: {state.log}"
        _say(f"{state.name:8} {', '.join(state.addresses):32} {how}")
    return 0 if states and all(state.pid is not None and state.answers for state in states) else NOT_RUNNING


def _say(text: str) -> None:
    print(text, flush=True)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
