"""What is said when there is no engine where a command looks for one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.certificates import make_certificate
from tests.support.program import Served

from crowdroute.router.cli import DONE, FAILED, MISUSED, reaching, run


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody with a token, who will not wait."""
    for name in ("ADDRESS", "CA", "CERTIFICATE", "KEY", "TOKEN_FILE"):
        monkeypatch.delenv(f"CROWDROUTE_{name}", raising=False)
    for name in reaching.PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CROWDROUTE_TOKEN", "crd_x")
    monkeypatch.setattr(reaching, "PATIENCE_S", 0.0)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def free() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def web_server() -> Iterator[str]:
    """The address of something that speaks, and is no engine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                with connected:
                    connected.recv(1024)
                    connected.sendall(b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        answering.join()


def said(address: str, capsys: pytest.CaptureFixture[str], *files: str) -> str:
    """Look for an engine in vain, and give the last line that is said."""
    assert run([*files, "stats", "birds", "--address", address]) == FAILED
    return capsys.readouterr().err.splitlines()[-1]


def test_where_nothing_listens_it_is_said_at_once_and_waited_for(
    free: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(free, capsys)
    assert f"nothing listens at {free}: start an engine with `crowdroute serve`" in told
    assert told.endswith("[UNREACHABLE]")


@pytest.mark.parametrize("address", ["nowhere", "localhost:http", "localhost:70000", ":7070"])
def test_what_is_no_address_is_not_waited_for(
    address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "PATIENCE_S", 3600.0)
    assert f"{address!r} is no address: give host:port" in said(address, capsys)


def test_what_listens_and_is_no_engine_is_named(web_server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"what listens at {web_server} is no engine" in said(web_server, capsys)


def test_an_engine_without_tls_is_not_talked_to_with_it(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "PATIENCE_S", 3600.0)
    make_certificate(tmp_path, "server", "server")
    told = said(served.address, capsys, "--authority", "server.pem")
    assert f"{served.address} does not speak TLS: leave out --authority" in told


def test_an_engine_that_is_there_looks_as_if_it_were(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reaching.look(served.address, reaching.Tls()) is None
    words = ["project", "list", "--address", served.address, "--token-file", str(served.token_file)]
    assert run(words) == DONE
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("token", "told"), [("a\nb", "cannot be one"), ("crd_\u00e9", "cannot be one"), (" \n", "is empty")]
)
def test_what_can_be_no_token_is_not_sent(
    token: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(token, encoding="utf-8")
    assert run(["stats", "birds", "--token-file", "token"]) == MISUSED
    said = capsys.readouterr().err
    assert "token" in said
    assert told in said
