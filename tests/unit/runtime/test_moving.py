"""What is moved is found whole at its new place; what cannot be moved is refused in one line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.cli.program import run
from crowdroute.router.errors import ConfigurationError, Fenced
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.moving import move, place_of


def begun(directory: Path, *bodies: bytes) -> Path:
    """Make a log with a content per batch."""

    async def append() -> None:
        log = SqliteLog(directory)
        for body in bodies:
            sequence, previous = log.head()
            batch = StoredBatch(sequence + 1, log.epoch, chain(previous, body), body)
            await log.append(batch, [ContentChange(f"item/{sequence}", body)])
        log.close()

    asyncio.run(append())
    return directory


def moved(source: Path, target: Path) -> None:
    asyncio.run(move(place_of(source, 0), place_of(target, 0)))


def test_a_log_is_moved_to_a_new_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = begun(tmp_path / "source", b"one", b"two")
    assert run(["log", "copy", str(source), str(tmp_path / "target"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["copied"], told["contents"], told["batches"]) == (2, 2, 2)
    log = SqliteLog(tmp_path / "target")
    assert [stored.body for stored in log.read()] == [b"one", b"two"]
    assert log.head()[1].hex() == told["chain"]
    log.close()


def test_a_second_move_takes_the_tail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = begun(tmp_path / "source", b"one", b"two")
    moved(source, tmp_path / "target")
    begun(source, b"three")
    assert run(["log", "copy", str(source), str(tmp_path / "target")]) == 0
    assert capsys.readouterr().out.startswith("1 batches and 1 contents copied; both end with batch 3, ")


def test_what_an_engine_has_open_is_not_moved(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one")
    engine = SqliteLog(source)
    with pytest.raises(Fenced, match="owns the log in"):
        moved(source, tmp_path / "target")
    engine.close()


def test_a_directory_without_a_log_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="there is no log in"):
        moved(tmp_path / "empty", tmp_path / "target")
    assert not list((tmp_path / "empty").iterdir())


def test_an_empty_log_is_not_worth_a_move(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is empty: there is nothing to copy"):
        moved(begun(tmp_path / "source"), tmp_path / "target")


def test_a_log_is_not_moved_onto_itself(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one")
    with pytest.raises(ConfigurationError, match="is the directory of both"):
        moved(source, tmp_path / "elsewhere" / ".." / "source")


def test_settings_of_several_shards_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "engine.toml"
    file.write_text('shards = 4\n[kafka]\nservers = ["127.0.0.1:9092"]\n')
    with pytest.raises(ConfigurationError, match="is of 4 shards"):
        place_of(file, 0)


def test_a_directory_of_several_shards_is_refused(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one")
    SqliteLog(source, 1).close()
    with pytest.raises(ConfigurationError, match="holds 2 shards"):
        moved(source, tmp_path / "target")


def test_a_directory_is_a_file_of_batches_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWDROUTE_KAFKA__SERVERS", '["127.0.0.1:1"]')
    assert place_of(tmp_path, 0).settings.kafka is None
