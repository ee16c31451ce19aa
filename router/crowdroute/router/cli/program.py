"""One run of the program: the command, and what is said when it ends badly."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from crowdroute.aggregation.errors import AggregationError
from crowdroute.client import ClientError, NotConnected
from crowdroute.router.cli import DONE, FAILED, INTERRUPTED, MISUSED, REFUSED
from crowdroute.router.cli.app import app
from crowdroute.router.errors import ConfigurationError, Refusal, RouterError

PROGRAM = "crowdroute"

OF_THE_WIRE = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
"""Codes of calls that the engine itself said nothing about; their words are gRPC's."""


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; errors go to standard error, with their code and what to do."""
    try:
        result = app(arguments, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except typer.Abort:
        return _interrupted()
    except typer.TyperException as error:
        return _misused(error)
    except NotConnected as error:
        return _fail(_unanswered(error), error.code, FAILED)
    except ClientError as error:
        return _fail(error.message, error.code, REFUSED)
    except AggregationError as error:
        return _fail(str(error), error.code, MISUSED)
    except ConfigurationError as error:
        return _fail(error.message, error.code, MISUSED)
    except RouterError as error:
        return _fail(error.message, error.code, REFUSED if isinstance(error, Refusal) else FAILED)
    except BrokenPipeError:
        # Who reads has enough. What is left in the buffer must not be tried again when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (FileExistsError, NotADirectoryError) as error:
        return _fail(f"{error.filename} is needed as a folder, and is none: name another", "FILE", MISUSED)
    except OSError as error:
        subject = error.filename or "the output"
        return _fail(f"{subject}: {error.strerror or error}", "FILE", MISUSED)
    except Exception as error:
        traceback.print_exc()
        told = f"a defect of this program ({type(error).__name__}): report it with the lines above"
        return _fail(told, "INTERNAL", FAILED)
    code = int(result or DONE)
    return _interrupted() if code == INTERRUPTED else code


def _unanswered(error: NotConnected) -> str:
    if error.code not in OF_THE_WIRE:
        return error.message
    return (
        f"the engine does not answer ({error.message or error.code}): whether it did what was asked is "
        "unknown; see that it runs, then ask again"
    )


def _interrupted() -> int:
    return _fail("interrupted", "INTERRUPTED", INTERRUPTED)


def _misused(error: typer.TyperException) -> int:
    message = error.format_message()
    if not message:  # a group of commands without one of them: its help was printed
        return MISUSED
    context = getattr(error, "ctx", None)
    command = PROGRAM if context is None else context.command_path
    return _fail(f"{message.removesuffix('.')}; see {command} --help", "USAGE", MISUSED)


def _fail(message: str, code: str, exit_code: int) -> int:
    told = f"error: {message} [{code}]"
    typer.echo(told if os.environ.get("NO_COLOR") else typer.style(told, fg=typer.colors.RED), err=True)
    return exit_code
