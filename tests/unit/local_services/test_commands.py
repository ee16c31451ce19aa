"""What the commands say and how they end where no service runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from local_services import commands, programs, stack


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program, nothing fetched, an empty folder for the services."""
    for name in ("BROKERS", "SECURE", "KAFKA_PORT", "KAFKA_CONTROLLER_PORT", "REDIS_PORT", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CROWDROUTE_SERVICES_DIR", str(tmp_path / "services"))


def test_up_names_all_missing_programs_and_installs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["up"]) == 1
    said = capsys.readouterr().err
    assert "apt-get install --no-install-recommends openjdk-17-jre-headless redis-server maven" in said
    assert said.endswith("[PROGRAM_MISSING]\n")
    assert [path.name for path in (tmp_path / "services").iterdir()] == ["lock"]
    assert not (tmp_path / "cache").exists()


def test_a_disk_without_room_is_named_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "require", lambda *_: {})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=stack.ROOM - 1))
    assert commands.main(["up"]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path / 'services'} has 511 MB left" in said
    assert said.endswith("[DISK_FULL]\n")
    assert not (tmp_path / "cache").exists()


def test_a_wish_that_cannot_be_is_refused_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BROKERS", "5")
    assert commands.main(["up"]) == 1
    assert capsys.readouterr().err.endswith("[INVALID_WISH]\n")
    assert not (tmp_path / "services").exists()


def test_down_where_nothing_ever_ran_is_no_failure_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["down"]) == 0
    assert "no services in" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_status_where_nothing_ever_ran_says_so_by_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["status"]) == 3
    assert "no services in" in capsys.readouterr().out


def test_the_folder_is_in_the_repository_unless_it_is_named() -> None:
    assert commands.services_folder({}) == commands.REPOSITORY / ".services"
    assert (commands.REPOSITORY / "pyproject.toml").is_file()


@pytest.mark.parametrize("words", [["run"], ["up", "sh"]])
def test_run_and_nothing_else_takes_a_program(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(words)
    assert ended.value.code == 2
    assert "services.py run PROGRAM" in capsys.readouterr().err


def test_run_says_in_one_message_what_is_missing_and_leaves_standard_output_to_the_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert commands.main(["run", "sh"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("services: 'java' is not installed")
    assert said.err.endswith("[PROGRAM_MISSING]\n")
    assert said.out == ""
