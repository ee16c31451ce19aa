"""A place is what its directory or its settings file says, and is read beside whoever owns it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.unfinished_copy import mark_directory
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.log_place import place_of


def test_a_directory_is_a_file_of_batches_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWDROUTE_KAFKA__SERVERS", '["127.0.0.1:1"]')
    place = place_of(tmp_path, 0)
    assert not place.is_on_kafka
    assert place.shards() == []


def test_a_settings_file_says_how_many_shards_there_are_on_kafka(tmp_path: Path) -> None:
    file = tmp_path / "engine.toml"
    file.write_text(f'directory = "{tmp_path / "node"}"\nshards = 3\n[kafka]\nservers = ["127.0.0.1:1"]\n')
    place = place_of(file, 0)
    assert place.is_on_kafka
    assert place.shards() == [0, 1, 2]


def test_a_log_is_read_while_an_engine_owns_it(tmp_path: Path) -> None:
    place = place_of(tmp_path, 0)
    with closing(SqliteLog(tmp_path)) as engine, closing(place.beside(0)) as reader:
        assert reader.content_key == engine.content_key


def test_a_copy_that_was_not_finished_is_no_source(tmp_path: Path) -> None:
    SqliteLog(tmp_path).close()
    mark_directory(tmp_path, unfinished=True)
    for opened in (place_of(tmp_path, 0).beside, place_of(tmp_path, 0).open_source):
        with pytest.raises(ConfigurationError, match="not finished"):
            opened(0)


def test_nothing_of_a_directory_is_cleared(tmp_path: Path) -> None:
    SqliteLog(tmp_path).close()
    before = sorted(tmp_path.rglob("*"))
    place_of(tmp_path, 0).clear()
    assert sorted(tmp_path.rglob("*")) == before


async def test_a_directory_of_another_history_is_refused_as_a_target_and_not_held(tmp_path: Path) -> None:
    with closing(SqliteLog(tmp_path)) as other:
        await other.append(StoredBatch(1, other.epoch, chain(CHAIN_START, b"one"), b"one"), ())
    with pytest.raises(ConfigurationError, match="belongs to another history") as refused:
        place_of(tmp_path, 0).open_target(0, b"another key")
    SqliteLog(tmp_path).close()
    assert refused.value.details == {"path": str(tmp_path)}
