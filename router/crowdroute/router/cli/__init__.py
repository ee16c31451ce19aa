"""The command line: the only place where shells are put together.

`main` is the program `crowdroute`. Commands print tables for people and one JSON object with `--json`;
messages go to standard error. Exit codes: 0 done, 1 a defect or a lost connection, 2 wrong use, 3 refused by
the engine, 4 a check found something (rules, log), 130 interrupted from the keyboard.
"""

from __future__ import annotations

import sys

import typer

from crowdroute.aggregation.errors import AggregationError
from crowdroute.client import ClientError, NotConnected
from crowdroute.router.cli.app import app
from crowdroute.router.errors import ConfigurationError, Refusal, RouterError

DONE, FAILED, MISUSED, REFUSED, FOUND = range(5)
INTERRUPTED = 130
"""What shells expect of a program that SIGINT ended."""

PROGRAM = "crowdroute"


def main() -> None:
    """Run the command line and exit with a code that means something."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; errors go to standard error, with their code and what to do."""
    try:
        result = app(arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.Abort:
        return _fail("interrupted", "INTERRUPTED", INTERRUPTED)
    except typer.TyperException as error:
        return _misused(error)
    except NotConnected as error:
        return _fail(error.message or "the engine does not answer", error.code, FAILED)
    except ClientError as error:
        return _fail(error.message, error.code, REFUSED)
    except AggregationError as error:
        return _fail(str(error), error.code, MISUSED)
    except ConfigurationError as error:
        return _fail(error.message, error.code, MISUSED)
    except RouterError as error:
        return _fail(error.message, error.code, REFUSED if isinstance(error, Refusal) else FAILED)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), "FILE", MISUSED)
    return int(result or DONE)


def _misused(error: typer.TyperException) -> int:
    message = error.format_message()
    if not message:  # a group of commands without one of them: its help was printed
        return MISUSED
    context = getattr(error, "ctx", None)
    command = PROGRAM if context is None else context.command_path
    return _fail(f"{message.removesuffix('.')}; see {command} --help", "USAGE", MISUSED)


def _fail(message: str, code: str, exit_code: int) -> int:
    typer.secho(f"error: {message} [{code}]", err=True, fg=typer.colors.RED)
    return exit_code
