"""The command line against an engine that wants certificates of its clients."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.support.certificates import make_certificate
from tests.support.program import Served

from crowdroute.router.cli import DONE, FAILED, MISUSED, run

SETTINGS = """\
[tls]
certificate = "{folder}/server.pem"
key = "{folder}/server.key"
client_authorities = "{folder}/client.pem"
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served engine that only the holder of client.pem may talk to."""
    folder = tmp_path_factory.mktemp("guarded")
    for name in ("server", "client", "stranger"):
        make_certificate(folder, name, name)
    (folder / "settings.toml").write_text(SETTINGS.format(folder=folder))
    engine = Served(folder, folder / "data", "--config", "settings.toml")
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(autouse=True)
def outside(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell of somebody who knows the engine and has its token, beside the certificates."""
    for name in ("CA", "CERTIFICATE", "KEY", "TOKEN"):
        monkeypatch.delenv(f"CROWDROUTE_{name}", raising=False)
    monkeypatch.setenv("CROWDROUTE_ADDRESS", guarded.address)
    monkeypatch.setenv("CROWDROUTE_TOKEN_FILE", str(guarded.token_file))
    monkeypatch.chdir(guarded.folder)


def test_the_files_are_named_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--authority", "server.pem", "--certificate", "client.pem", "--key", "client.key"]

    assert run([*files, "project", "list", "--json"]) == DONE

    assert json.loads(capsys.readouterr().out) == []


def test_the_files_may_stand_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, file in {"CA": "server.pem", "CERTIFICATE": "client.pem", "KEY": "client.key"}.items():
        monkeypatch.setenv(f"CROWDROUTE_{name}", file)

    assert run(["project", "list", "--json"]) == DONE

    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], "speaks TLS: name the PEM file to verify it with"),
        (["--authority", "server.pem"], "wants a certificate of its clients"),
        (
            ["--authority", "server.pem", "--certificate", "stranger.pem", "--key", "stranger.key"],
            "does not accept the certificate stranger.pem",
        ),
        (
            ["--authority", "stranger.pem", "--certificate", "client.pem", "--key", "client.key"],
            "is not good by stranger.pem (self-signed certificate)",
        ),
        (
            ["--authority", "server.pem", "--certificate", "client.pem", "--key", "stranger.key"],
            "the certificate client.pem and the key stranger.key do not belong together",
        ),
        (
            ["--authority", "server.pem", "--certificate", "settings.toml", "--key", "client.key"],
            "are not both in PEM form",
        ),
        (["--authority", "settings.toml"], "settings.toml holds no certificate in PEM form"),
    ],
    ids=[
        "plain",
        "without a certificate",
        "a stranger's",
        "another server's",
        "mixed up",
        "no certificate of mine",
        "no certificate of theirs",
    ],
)
def test_nobody_else_gets_in_and_is_told_why_without_waiting(
    files: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*files, "project", "list", "--json"]) == FAILED

    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert line.endswith("[TLS]")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["--certificate", "client.pem"], "--certificate and --key belong together"),
        (["--key", "client.key"], "--certificate and --key belong together"),
        (["--authority", "none.pem"], "none.pem"),
    ],
)
def test_files_that_are_not_there_are_told(
    files: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*files, "project", "list"]) == MISUSED

    assert told in capsys.readouterr().err
