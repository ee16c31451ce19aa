"""Kafka's jars are the pinned ones, or they are not used."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from local_services import artifacts
from local_services.errors import ArtifactsUnusable

JAR = b"bytes of a jar"
JAVA = """#!/bin/sh
echo 'openjdk version "17.0.1" 2021-10-19'
"""
MAVEN = """#!/bin/sh
[ "$1" = --version ] && { echo 'Apache Maven 3.9.0'; exit; }
for argument; do case $argument in -DoutputDirectory=*) into=${argument#*=};; esac; done
echo "$*" >> "$CALLS"
mkdir "$into"
printf %s "$BYTES" > "$into/a.jar"
exit "$EXIT"
"""


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment where a Maven fetches one jar, which is also what is pinned."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("java", JAVA), ("mvn", MAVEN)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setattr(artifacts, "pinned", lambda: {"a.jar": hashlib.sha256(JAR).hexdigest()})
    for name, value in {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "BYTES": JAR.decode(),
        "EXIT": "0",
    }.items():
        monkeypatch.setenv(name, value)
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines()


def test_every_pinned_jar_of_kafka_has_the_version_of_the_pom() -> None:
    names = artifacts.pinned()
    version = artifacts.kafka_version()
    of_kafka = [name for name in names if name.startswith("kafka")]
    assert f"kafka-clients-{version}.jar" in of_kafka
    assert all(name.endswith(f"-{version}.jar") for name in of_kafka)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in names.values())


def test_jars_are_fetched_once_with_checksums_and_then_taken_from_the_cache(
    maven: dict[str, str], tmp_path: Path
) -> None:
    said: list[str] = []
    folder = artifacts.ensure(maven, said.append)
    assert folder == tmp_path / "cache" / "crowdroute" / f"kafka-{artifacts.kafka_version()}"
    assert (folder / "a.jar").read_bytes() == JAR
    assert artifacts.ensure(maven, said.append) == folder
    assert len(said) == 1
    (call,) = calls(tmp_path)
    assert "--strict-checksums" in call
    assert [each.name for each in folder.parent.iterdir()] == [folder.name]


def test_damaged_jars_are_fetched_again(maven: dict[str, str], tmp_path: Path) -> None:
    folder = artifacts.ensure(maven, lambda text: None)
    (folder / "a.jar").write_bytes(b"damaged")
    artifacts.ensure(maven, lambda text: None)
    assert (folder / "a.jar").read_bytes() == JAR
    assert len(calls(tmp_path)) == 2


def test_jars_that_are_not_the_pinned_ones_are_not_kept(
    maven: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BYTES", "something else")
    with pytest.raises(ArtifactsUnusable, match=r"other bytes than pinned: a\.jar"):
        artifacts.ensure(maven, lambda text: None)
    assert not artifacts.cache_folder(maven).exists()


def test_a_maven_that_fails_is_quoted_and_leaves_nothing(
    maven: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXIT", "1")
    with pytest.raises(ArtifactsUnusable, match="Maven Central, or a mirror"):
        artifacts.ensure(maven, lambda text: None)
    assert list(artifacts.cache_folder(maven).parent.iterdir()) == []


def test_missing_and_unexpected_jars_are_told(tmp_path: Path) -> None:
    (tmp_path / "b.jar").touch()
    assert artifacts.difference(tmp_path, {"a.jar": ""}) == "missing: a.jar; unexpected: b.jar"


def test_without_a_cache_home_the_cache_of_the_home_folder_is_used() -> None:
    assert artifacts.cache_folder({"HOME": "/home/x"}).parent == Path("/home/x/.cache/crowdroute")
