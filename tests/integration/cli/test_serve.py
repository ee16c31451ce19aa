"""`crowdroute serve` as a process: its token, its port, its directory, its end; and its log afterwards."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.support.program import Served, run

from crowdroute.router.adapters.sqlite_log import SqliteLog


def test_the_first_token_is_its_owners_alone_and_written_once(tmp_path: Path) -> None:
    engine = Served(tmp_path, tmp_path / "data")
    try:
        assert stat.S_IMODE(engine.token_file.stat().st_mode) == 0o600
        token = engine.token_file.read_text()
        assert any("admin.token" in line for line in engine.remarks)
        assert token.strip() not in "\n".join(engine.remarks)
    finally:
        assert engine.stop() == 0
    assert any("stopping" in line for line in engine.remarks)

    again = Served(tmp_path, tmp_path / "data")
    try:
        assert again.told("project", "list") == []
        assert any("recovered" in line for line in again.remarks)
    finally:
        assert again.stop() == 0
    assert again.token_file.read_text() == token


def test_a_second_engine_is_refused_the_directory_and_the_port(served: Served, tmp_path: Path) -> None:
    same = run(served.folder, "serve", "--dir", str(served.directory), "--address", "127.0.0.1:0")
    assert same.returncode == 1
    assert str(served.process.pid) in same.stderr
    assert json.loads(same.stderr.splitlines()[-1])["code"] == "FENCED"

    taken = run(tmp_path, "serve", "--dir", str(tmp_path / "other"), "--address", served.address)
    assert taken.returncode == 2
    assert served.address in taken.stderr
    ended = json.loads(taken.stderr.splitlines()[-1])
    assert (ended["event"], ended["code"]) == ("ended", "CONFIGURATION")
    assert ended["reason"].startswith("cannot listen")

    looked = run(served.folder, "log", "verify", "--dir", str(served.directory))
    assert looked.returncode == 1
    assert "[FENCED]" in looked.stderr


@pytest.mark.parametrize(
    ("shards", "told"),
    [
        (1, "holds the log of shard 1, which the settings do not have here"),
        (2, ""),
        (3, "has no log of shard 2, which the settings have here"),
    ],
)
def test_a_directory_with_other_shards_than_the_settings_say_is_told(
    tmp_path: Path, shards: int, told: str
) -> None:
    for shard in range(2):
        SqliteLog(tmp_path / "data", shard).close()
    settings = tmp_path / "crowdroute.toml"
    settings.write_text(f'directory = "data"\nshards = {shards}\n')

    looked = run(tmp_path, "log", "verify", "--config", str(settings))
    as_json = run(tmp_path, "log", "verify", "--config", str(settings), "--json")

    assert looked.returncode == as_json.returncode == (4 if told else 0)
    assert told in looked.stderr
    assert "\n".join(json.loads(as_json.stdout)["damage"]) == looked.stderr.rstrip("\n")


def test_a_log_is_found_intact_or_damaged(tmp_path: Path) -> None:
    engine = Served(tmp_path, tmp_path / "data")
    assert engine.stop() == 0
    sound = run(tmp_path, "log", "verify", "--dir", "data", "--json")
    assert sound.returncode == 0, sound.stderr
    assert json.loads(sound.stdout)["damage"] == []
    assert "all intact" in run(tmp_path, "log", "verify", "--dir", "data").stdout

    database = next((tmp_path / "data").glob("*.db"))
    raw = bytearray(database.read_bytes())
    place = raw.rindex(b"first administrator")
    raw[place] ^= 1
    database.write_bytes(raw)

    damaged = run(tmp_path, "log", "verify", "--dir", "data", "--json")
    assert damaged.returncode == 4, damaged.stderr
    assert json.loads(damaged.stdout)["damage"]
    assert run(tmp_path, "log", "verify", "--dir", "data").stderr
