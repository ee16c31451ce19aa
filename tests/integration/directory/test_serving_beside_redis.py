"""`crowdroute serve` and `crowdroute directory` beside a real Redis, and beside what is none that will do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.fake_redis import fake_redis
from tests.support.program import PATIENCE_S, Served, run
from tests.support.redis_server import redis_server

pytestmark = pytest.mark.cluster


def configured(folder: Path, server: str, *more: str) -> str:
    """Write a settings file and give its name."""
    file = folder / "settings.toml"
    file.write_text("\n".join(("[redis]", f'server = "{server}"', *more)))
    return str(file)


async def refusal(folder: Path, server: str, *more: str) -> str:
    """Have `serve` refuse these settings before it opens a log; gives its last line."""
    settings = configured(folder, server, *more)
    words = ("serve", "--dir", "data", "--address", "127.0.0.1:0", "--config", settings)
    ended = await asyncio.to_thread(run, folder, *words)
    assert ended.returncode == 2
    assert not (folder / "data").exists()
    return ended.stderr.splitlines()[-1]


async def test_a_redis_that_will_not_do_ends_the_start_with_one_clear_line(tmp_path: Path) -> None:
    async with fake_redis("6.2.14", time.time()) as server:
        assert "7.0 is the oldest that works" in await refusal(tmp_path, server)
        settings = configured(tmp_path, server)
        up = await asyncio.to_thread(run, tmp_path, "cluster", "up", "--config", settings)
        assert up.returncode
        assert "7.0 is the oldest that works" in up.stderr, "before anything is asked of Ray"
    assert "user router has no password" in await refusal(tmp_path, "127.0.0.1:1", 'user = "router"')


def test_an_address_where_nobody_answers_is_told_and_the_engine_serves(tmp_path: Path) -> None:
    engine = Served(tmp_path, tmp_path / "data", "--config", configured(tmp_path, "127.0.0.1:1"))
    try:
        (line,) = [line for line in engine.remarks if "redis does not answer" in line]
        assert "127.0.0.1:1" in line
        assert engine.told("project", "list") == []
    finally:
        assert engine.stop() == 0


def test_what_is_kept_is_looked_at_without_asking_a_process(tmp_path: Path) -> None:
    with redis_server(tmp_path) as running:
        settings = configured(tmp_path, running.server)
        engine = Served(tmp_path, tmp_path / "data", "--config", settings)
        try:
            engine.told("workers", "add", "ada")
            shown = engine.told("workers", "show", "ada")
            assert "totals" not in shown, "she was given no work yet"
            worker = shown["id"]
            eventually(lambda: shows(tmp_path, settings, "profiles/default", worker)["status"] == "new")
            assert shows(tmp_path, settings, "shards/0", "address")["address"] == engine.address
            looked = run(tmp_path, "directory", "status", "--config", settings, "--json")
            names = {one["name"]: one["state"] for one in json.loads(looked.stdout)}
            assert names == dict.fromkeys(
                ("profiles/default", "placement/default", "shards/0", "work/0"), "present"
            )
        finally:
            assert engine.stop() == 0
        absent = run(tmp_path, "directory", "show", "work/9", "x", "--config", settings)
        assert absent.returncode
        assert "no such row" in absent.stderr
    gone = run(tmp_path, "directory", "status", "--config", settings)
    assert gone.returncode
    assert "does not answer" in gone.stderr


def shows(folder: Path, settings: str, keyspace: str, key: str) -> dict[str, str]:
    found = run(folder, "directory", "show", keyspace, key, "--config", settings)
    return json.loads(found.stdout)[key] if found.returncode == 0 else {"status": ""}


def eventually(look: Callable[[], bool]) -> None:
    """Return once it is so; each look takes as long as a program's start."""
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < deadline
