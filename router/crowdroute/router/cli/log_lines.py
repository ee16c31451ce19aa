"""The lines that an engine writes to standard error: JSON for programs, colours on a terminal.

A line names calls, requests, tenants and principals by their ids. Texts of unexpected errors are left out,
because they may quote what people wrote; their kinds and places are told instead.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
"""By the names that the setting `log_level` takes."""

MOST_FRAMES = 30
"""Places told of one error, the innermost ones."""


def for_programs() -> bool:
    """Say whether lines are JSON: standard error is no terminal."""
    return not sys.stderr.isatty()


def _for_people() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(timestamp_key="time", colors=not os.environ.get("NO_COLOR"))


def write_log(level: str) -> None:
    """Write what our modules log to standard error from now on.

    Args:
        level: the least one that is written, a name of `LEVELS`.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            tell_error,
            in_order,
            structlog.processors.JSONRenderer() if for_programs() else _for_people(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def take_in_libraries(level: str) -> None:
    """Write what libraries log or warn of, too; this is for a process that does nothing else.

    Args:
        level: the least one that is written, a name of `LEVELS`; none below `warning` is.
    """
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[_Libraries()], level=max(LEVELS[level], logging.WARNING), force=True)


def tell_error(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Put kinds and places in the place of an exception, the cause before what it led to."""
    error = line.pop("exc_info", None)
    if isinstance(error, BaseException):
        line["error"] = [_told(each) for each in _chain(error)]
    return line


def in_order(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Put first what every line has."""
    return {name: line[name] for name in ("time", "level", "event")} | dict(line)


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _chain(cause)
    yield error


def _told(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return {
        "kind": type(error).__name__,
        "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }


class _Libraries(logging.Handler):
    """Hands on what libraries log; of their texts the first line, since asyncio shows errors in the next."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        lines = record.getMessage().splitlines() or [""]
        error = record.exc_info[1] if record.exc_info else None
        level = min(record.levelno // 10 * 10, logging.CRITICAL)  # structlog knows the usual ones only
        structlog.get_logger().log(level, lines[0], logger=record.name, exc_info=error)
