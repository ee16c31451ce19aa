"""Objects at a URL are whole, listed by name, and refused in one line that shows no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdroute.router.adapters.objects import Objects, check_url
from crowdroute.router.errors import ConfigurationError, StorageError


def test_a_file_that_a_crashed_writer_left_is_no_object(tmp_path: Path) -> None:
    objects = Objects(f"file://{tmp_path}")
    objects.write("a", b"first")
    (tmp_path / "b.77-0a.partial").write_bytes(b"half")
    assert objects.names() == ["a"]


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConfigurationError, match="need a driver: Install adlfs"):
        Objects("abfs://container/logs")


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
