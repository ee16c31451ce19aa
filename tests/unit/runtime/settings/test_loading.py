"""What an operator sets, and where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.settings import load_settings, settings_told


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings from the machine that runs the tests."""
    import os

    for name in os.environ:
        if name.startswith("CROWDROUTE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crowdroute.toml"
    path.write_text('address = "0.0.0.0:1"\ngrace_seconds = 7\n[limits]\ncalls = 9\n')
    return path


def test_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.address == "127.0.0.1:7070"
    assert settings.tls is None


def test_a_file_is_read(file: Path) -> None:
    settings = load_settings(file)
    assert (settings.address, settings.grace_seconds, settings.limits.calls) == ("0.0.0.0:1", 7, 9)


def test_the_environment_is_stronger_than_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDROUTE_ADDRESS", "0.0.0.0:2")
    monkeypatch.setenv("CROWDROUTE_LIMITS__CALLS", "11")
    settings = load_settings(file)
    assert (settings.address, settings.grace_seconds, settings.limits.calls) == ("0.0.0.0:2", 7, 11)


def test_the_command_line_is_stronger_than_both(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDROUTE_ADDRESS", "0.0.0.0:2")
    assert load_settings(file, address="0.0.0.0:3").address == "0.0.0.0:3"
    assert load_settings(file, address=None).address == "0.0.0.0:2", "what was not said does not count"


@pytest.mark.parametrize(
    "address", ["", "7070", "localhost", "localhost:", ":7070", "localhost:x", "localhost:70000"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="address"):
        load_settings(address=address)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("adress = 'x:1'", "settings: adress: there is no such setting$"),
        ("address = 'x'", "settings: address: give host:port, for example"),
        ("[limits]\ncalls = 0", r"limits\.calls: it should be greater than or equal to 1"),
        ("[limits]\nspeed = 1", r"limits\.speed"),
        ("grace_seconds = -1", "grace_seconds"),
        ("[tls]\ncertificate = 'a'", r"tls\.key: it is required here"),
        ("this is no toml", "TOML"),
        ("\udcff", "is no TOML file: it is not UTF-8 text"),
    ],
)
def test_a_wrong_file_is_refused_and_the_setting_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ConfigurationError, match=named):
        load_settings(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml")


def test_feeds_of_a_cluster_need_a_way_from_one_process_to_another() -> None:
    peers = {"address": "127.0.0.1:0", "secret_file": "secret"}
    feeds = {"servers": ["127.0.0.1:9092"]}
    assert load_settings(None, feeds=feeds, cluster={}, peers=peers).feeds is not None
    assert load_settings(None, feeds=feeds, peers=peers).feeds is not None
    with pytest.raises(ConfigurationError, match="give peers"):
        load_settings(None, feeds=feeds, cluster={})


def test_only_what_is_archived_and_behind_a_snapshot_may_be_deleted() -> None:
    log = {"servers": ["kafka:9092"], "delete": True, "archive": "s3://bucket/logs"}
    with pytest.raises(ConfigurationError, match="give both URLs"):
        load_settings(kafka=log)
    whole = log | {"snapshots": "s3://bucket/snapshots"}
    assert load_settings(kafka=whole).kafka is not None
    with pytest.raises(ConfigurationError, match="waits for snapshots that nobody writes"):
        load_settings(kafka=whole, snapshots=False)


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="no credentials in a URL") as refused:
        load_settings(kafka={"servers": ["kafka:9092"], "archive": "sftp://me:hunter2@host/logs"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("service", ["kafka", "feeds", "redis"])
@pytest.mark.parametrize(
    ("secret", "told"), [("\n", "is empty"), ("\udcff", "is no text"), (None, "no file")]
)
def test_a_file_that_holds_no_secret_is_named_before_anything_is_opened(
    tmp_path: Path, service: str, secret: str | None, told: str
) -> None:
    file = tmp_path / "password"
    if secret is not None:
        file.write_text(secret, encoding="utf-8", errors="surrogateescape")
    place = "server = '127.0.0.1:1'" if service == "redis" else "servers = ['127.0.0.1:1']"
    settings = tmp_path / "crowdroute.toml"
    settings.write_text(f"[{service}]\n{place}\nuser = 'router'\npassword_file = '{file}'")
    with pytest.raises(ConfigurationError, match=rf"settings: {service}: .*{told}") as refused:
        load_settings(settings)
    assert str(file) in refused.value.message


def test_settings_that_another_machine_read_are_looked_at_again_where_they_are_told(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    told = load_settings(redis={"server": "127.0.0.1:1", "authority": authority}).model_dump_json().encode()
    assert settings_told(told).redis is not None
    authority.unlink()
    with pytest.raises(ConfigurationError, match=r"settings: redis: there is no file .*ca\.pem$"):
        settings_told(told)
