"""What `serve` writes: JSON for programs, and nothing that somebody wrote."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from crowdroute.router.cli.log_lines import LEVELS, take_in_libraries, write_log
from crowdroute.router.runtime.settings import Settings

SECRET = "crd_0123 what ann@example.org wrote"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What is set for the process is set back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_is_one_json_object_that_begins_alike(capsys: pytest.CaptureFixture[str]) -> None:
    write_log("info")
    structlog.get_logger().info("serving", port=7, directory="a\nb")
    (line,) = lines(capsys)
    assert list(line)[:3] == ["time", "level", "event"]
    assert line["time"].endswith("Z")
    assert {**line, "time": ""} == {
        "time": "", "level": "info", "event": "serving", "port": 7, "directory": "a\nb"
    }  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_lines_below_the_level_are_not_written(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(level)
    for each in LEVELS:
        getattr(structlog.get_logger(), each)("event")
    assert [line["level"] for line in lines(capsys)] == list(LEVELS)[list(LEVELS).index(level) :]


def test_the_setting_takes_the_levels_that_there_are() -> None:
    annotation = Settings.model_fields["log_level"].annotation
    assert annotation is not None
    assert set(annotation.__args__) == set(LEVELS)


def test_an_error_is_told_by_kind_and_place_and_never_by_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    write_log("info")
    try:
        try:
            {}[SECRET]
        except KeyError as cause:
            raise ValueError(SECRET) from cause
    except ValueError as error:
        structlog.get_logger().error("call failed", exc_info=error)
    (line,) = lines(capsys)
    assert [each["kind"] for each in line["error"]] == ["KeyError", "ValueError"]
    assert line["error"][0]["at"][-1].startswith("test_log_lines.py:")
    assert line["error"][0]["at"][-1].endswith(
        " test_an_error_is_told_by_kind_and_place_and_never_by_its_text"
    )
    assert SECRET not in json.dumps(line)


def test_what_libraries_log_is_a_line_without_the_error_that_they_show(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_log("debug")
    take_in_libraries("debug")
    asyncio_like = logging.getLogger("asyncio")
    asyncio_like.info("nobody needs this")
    asyncio_like.error(
        "Task exception was never retrieved\nfuture: <Task exception=%r>", SECRET, exc_info=KeyError(SECRET)
    )
    asyncio_like.log(logging.WARNING + 5, "between two levels")
    written = lines(capsys)
    assert [(line["level"], line["event"]) for line in written] == [
        ("error", "Task exception was never retrieved"),
        ("warning", "between two levels"),
    ]
    assert written[0]["logger"] == "asyncio"
    assert written[0]["error"] == [{"kind": "KeyError", "at": []}]
    assert SECRET not in json.dumps(written)


def test_warnings_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    write_log("info")
    take_in_libraries("info")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    (line,) = lines(capsys)
    assert (line["level"], line["logger"]) == ("warning", "py.warnings")


def test_people_at_a_terminal_read_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    write_log("info")
    structlog.get_logger().info("serving", port=7)
    told = capsys.readouterr().err
    assert "serving" in told
    assert not told.startswith("{")


@pytest.mark.parametrize(("no_color", "coloured"), [("1", False), ("", True)])
def test_people_see_colours_unless_they_want_none(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", no_color)
    write_log("info")
    structlog.get_logger().info("serving", port=7)
    said = capsys.readouterr().err
    assert "serving" in said
    assert ("\x1b[" in said) == coloured
