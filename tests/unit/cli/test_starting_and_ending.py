"""How the program starts and how it ends when nobody reads, nobody waits, or something fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest
import typer
from tests.support.program import COMMAND, environment

from crowdroute.client import NotConnected
from crowdroute.router import cli
from crowdroute.router.cli import DONE, FAILED, INTERRUPTED, MISUSED, program, run


def ending_with(monkeypatch: pytest.MonkeyPatch, what: BaseException | int) -> Callable[[], int]:
    """Have every command end with this."""

    def app(*arguments: object, **options: object) -> int:
        if isinstance(what, BaseException):
            raise what
        return what

    monkeypatch.setattr(program, "app", app)
    return lambda: run([])


def test_who_interrupts_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for how in (INTERRUPTED, typer.Abort()):
        assert ending_with(monkeypatch, how)() == INTERRUPTED
        assert capsys.readouterr().err == "error: interrupted [INTERRUPTED]\n"


def test_a_disk_that_is_full_is_told_without_a_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending_with(monkeypatch, OSError(28, "No space left on device"))() == MISUSED
    assert capsys.readouterr().err == "error: the output: No space left on device [FILE]\n"


def test_a_file_where_a_folder_is_needed_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error in (FileExistsError(17, "File exists", "data"), NotADirectoryError(20, "no", "data")):
        assert ending_with(monkeypatch, error)() == MISUSED
        assert capsys.readouterr().err.startswith("error: data is needed as a folder, and is none")


def test_grpcs_own_words_are_put_into_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending_with(monkeypatch, NotConnected("UNAVAILABLE", "Socket closed"))() == FAILED
    assert "whether it did what was asked is unknown" in capsys.readouterr().err
    assert ending_with(monkeypatch, NotConnected("SHUTTING_DOWN", "the engine stops"))() == FAILED
    assert capsys.readouterr().err == "error: the engine stops [SHUTTING_DOWN]\n"


def test_a_defect_is_called_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending_with(monkeypatch, ZeroDivisionError())() == FAILED
    assert capsys.readouterr().err.splitlines()[-1].endswith("report it with the lines above [INTERNAL]")


@pytest.mark.parametrize(("no_color", "red"), [("1", False), ("", True)])
def test_errors_are_red_unless_colours_are_not_wanted(
    no_color: str, red: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(typer, "echo", lambda text, err: said.append(text))
    assert ending_with(monkeypatch, INTERRUPTED)() == INTERRUPTED
    (line,) = said
    assert line.startswith("\x1b[31merror: ") if red else line == "error: interrupted [INTERRUPTED]"


def test_an_interrupt_while_the_commands_are_loaded_just_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []

    def load(name: str) -> ModuleType:
        seen.append(signal.getsignal(signal.SIGINT))
        return program

    monkeypatch.setattr(cli, "import_module", load)
    monkeypatch.setattr(program, "run", lambda arguments: DONE)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for handler in (signal.default_int_handler, signal.SIG_IGN):
            signal.signal(signal.SIGINT, handler)
            with pytest.raises(SystemExit) as ended:
                cli.main()
            assert ended.value.code == DONE
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIG_DFL, signal.SIG_IGN]


def test_without_a_folder_for_compiled_code_it_is_said_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(name: str) -> ModuleType:
        raise RuntimeError("cannot cache function '_find': no locator available for file 'id_index.py'")

    monkeypatch.setattr(cli, "import_module", load)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == MISUSED
    assert "set NUMBA_CACHE_DIR" in capsys.readouterr().err


def test_a_program_whose_output_is_closed_writes_to_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = SimpleNamespace(run=lambda arguments: sys.stdout.write("lost") and DONE)
    monkeypatch.setattr(cli, "import_module", lambda name: loaded)
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == DONE
    sys.stdout.close()


def test_a_reader_that_has_enough_hears_no_complaint() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*COMMAND, "rules", "schema"],
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (FAILED, "")
