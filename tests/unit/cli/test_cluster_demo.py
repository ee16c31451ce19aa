"""`crowdroute cluster demo` says in one line what is wrong before it starts anything."""

from __future__ import annotations

import socket

import pytest

from crowdroute.router.cli import run
from crowdroute.router.demo.cluster.ground import ports_from
from crowdroute.router.runtime.cluster.ray_local import NODE

REDIS = "redis://me:secret@127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a demonstration that must not begin, and give the only line that it says."""
    assert run(["cluster", "demo", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return line


def test_without_services_it_names_what_starts_them(capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys)
    assert "make cluster-demo" in line
    assert "--kafka" in line


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    first = ports_from(0)
    with socket.create_server((NODE, first)):
        line = refused(capsys, "--kafka", "127.0.0.1:1", "--redis", REDIS, "--port", str(first))
    assert f"port {first} of {NODE} is taken" in line


def test_what_is_no_address_is_named_by_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "--kafka", "127.0.0.1:1", "--redis", "http://me:secret@127.0.0.1:1")
    assert "--redis" in line
    assert "secret" not in line


def test_too_few_tasks_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--tasks" in refused(capsys, "--tasks", "3")


def test_its_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cluster", "demo", "--help"]) == 0
    assert "Example: crowdroute cluster demo --tasks 400" in " ".join(capsys.readouterr().out.split())
