"""Programs are found, or named with the way to install them."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_services import programs
from local_services.errors import ProgramMissing

EVERY = [programs.JAVA, programs.MAVEN, programs.REDIS]


def says(path: Path, text: str) -> str:
    """A program that prints `text`, whatever it is asked."""
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    return {
        "java": says(tmp_path / "java", 'openjdk version "17.0.15" 2025-04-15'),
        "mvn": says(tmp_path / "mvn", "\033[1mApache Maven 3.8.7\033[m"),
        "redis-server": says(tmp_path / "redis-server", "Redis server v=7.0.15 sha=00000000:0"),
    }


def test_programs_that_are_new_enough_are_found(good: dict[str, str]) -> None:
    assert programs.require(EVERY, {}, good.get) == good


def test_all_that_is_missing_is_named_at_once_with_the_packages() -> None:
    with pytest.raises(ProgramMissing) as refusal:
        programs.require(EVERY, {}, lambda name: None)
    assert "'java' is not installed; 'mvn' is not installed; 'redis-server' is not installed" in str(
        refusal.value
    )
    assert "openjdk-17-jre-headless maven redis-server" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("java", 'java version "1.8.0_392"', "is version 1, and 17 is the oldest"),
        ("java", 'openjdk version "11.0.2" 2019-01-15', "is version 11, and 17 is the oldest"),
        ("redis-server", "Redis server v=6.2.14 sha=00000000:0", "is version 6, and 7 is the oldest"),
        ("mvn", "no idea", "does not tell its version"),
    ],
)
def test_a_program_that_is_too_old_is_refused(
    name: str, text: str, told: str, good: dict[str, str], tmp_path: Path
) -> None:
    good[name] = says(tmp_path / "other", text)
    with pytest.raises(ProgramMissing, match=told):
        programs.require(EVERY, {}, good.get)


def test_java_home_goes_before_the_path(good: dict[str, str], tmp_path: Path) -> None:
    other = says(tmp_path / "other", 'openjdk version "21" 2023-09-19')
    found = {**good, "/jdk/bin/java": other}
    assert programs.require([programs.JAVA], {"JAVA_HOME": "/jdk"}, found.get) == {"java": other}
    with pytest.raises(ProgramMissing, match="'java' is not installed"):
        programs.require([programs.JAVA], {"JAVA_HOME": "/elsewhere"}, good.get)
