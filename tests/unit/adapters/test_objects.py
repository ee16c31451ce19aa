"""Objects at a URL are whole, listed by name, and refused in one line that shows no secret."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from crowdroute.router.adapters.objects import Objects, check_url
from crowdroute.router.errors import ConfigurationError, StorageError


@pytest.fixture(params=["file", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    url = f"file://{tmp_path}/kept" if request.param == "file" else f"memory://{secrets.token_hex(4)}"
    return Objects(url, "cluster", "0")


def test_what_was_written_is_read_and_listed_in_order(objects: Objects) -> None:
    assert objects.names() == []
    objects.write("b", b"second")
    objects.write("a", b"first")
    objects.write("b", b"second")
    assert objects.names() == ["a", "b"]
    assert objects.read("a") == b"first"
    assert objects.read("b", limit=3) == b"sec"


def test_what_was_removed_is_gone_however_often_it_is_removed(objects: Objects) -> None:
    objects.write("a", b"first")
    objects.remove("a")
    objects.remove("a")
    assert objects.names() == []
    with pytest.raises(StorageError, match="does not give a"):
        objects.read("a")


def test_a_file_that_a_crashed_writer_left_is_no_object(tmp_path: Path) -> None:
    objects = Objects(f"file://{tmp_path}")
    objects.write("a", b"first")
    (tmp_path / "b.77-0a.partial").write_bytes(b"half")
    assert objects.names() == ["a"]


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(ConfigurationError, match="s3fs"):
        Objects("s3://bucket/logs")


def test_a_scheme_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no driver knows the scheme"):
        Objects("nowhere://bucket")


@pytest.mark.parametrize("url", ["ftp://user:hunter2@host/logs", "s3://bucket/logs?secret=hunter2"])
def test_a_url_with_credentials_is_refused_without_showing_them(url: str) -> None:
    with pytest.raises(ValueError, match="no credentials") as refused:
        check_url(url)
    assert "hunter2" not in str(refused.value)


def test_a_path_without_a_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="give a URL"):
        check_url("/srv/crowdroute")
    assert check_url("abfs://logs@account.dfs.core.windows.net/a").startswith("abfs")


def test_a_disk_that_takes_nothing_is_told_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="did not take a"):
        Objects(f"file://{tmp_path}/kept").write("a", b"first")
