"""What is moved is found whole at its new place; what cannot be moved is refused in one line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from math import inf
from pathlib import Path
from threading import Barrier

import pytest

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_files import shards_in, snapshots_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.unfinished_copy import require_finished
from crowdroute.router.cli.program import run
from crowdroute.router.errors import AppendFailed, ConfigurationError, Fenced, LogCorrupt
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime import copying, moving
from crowdroute.router.runtime.copying import Copied
from crowdroute.router.runtime.embedded import embedded_shard
from crowdroute.router.runtime.log_place import Log, LogPlace, place_of
from crowdroute.router.runtime.moving import Moved, Stage, Told, move, suffices


def begun(directory: Path, *bodies: bytes, shard: int = 0) -> Path:
    """Make a log with a content per batch."""

    async def append() -> None:
        log = SqliteLog(directory, shard)
        for body in bodies:
            sequence, previous = log.head()
            batch = StoredBatch(sequence + 1, log.epoch, chain(previous, body), body)
            await log.append(batch, [ContentChange(f"item/{sequence}", body)])
        log.close()

    asyncio.run(append())
    return directory


def interrupted_at_the_second(copy: Callable[..., Awaitable[Copied]]) -> Callable[..., Awaitable[Copied]]:
    """Give a copying of histories that a full disk ends after the first."""
    done: list[Copied] = []

    async def copying(*arguments: object) -> Copied:
        if done:
            raise AppendFailed("no space left")
        done.append(await copy(*arguments))
        return done[0]

    return copying


def moved(
    source: Path,
    target: Path,
    told: Callable[[Told], None] = lambda _told: None,
    patience_s: float = 0.0,
) -> Moved:
    return asyncio.run(move(place_of(source, 0), place_of(target, 0), told, patience_s=patience_s))


def write(log: SqliteLog, body: bytes, *contents: ContentChange) -> None:
    """Append as an engine does, from where no loop runs."""
    sequence, previous = log.head()
    log.follow([StoredBatch(sequence + 1, log.epoch, chain(previous, body), body)], contents)


def never(_took_s: float, _before_s: float) -> bool:
    """Have as many rounds as there may be."""
    return False


def bodies(directory: Path, shard: int = 0) -> list[bytes]:
    log = SqliteLog(directory, shard)
    found = [stored.body for stored in log.read()]
    log.close()
    return found


def test_a_log_is_moved_to_a_new_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = begun(tmp_path / "source", b"one", b"two")
    assert run(["log", "copy", str(source), str(tmp_path / "target"), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["rounds"] == 1
    assert 0 < whole["held_seconds"] < 10
    (told,) = whole["shards"]
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
    said = capsys.readouterr().out
    assert said.startswith("shard 0: 1 batches and 1 contents copied; both end with batch 3, ")
    assert "the source was held for 0." in said


def test_what_an_engine_has_open_is_not_moved_to_the_end(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one")
    engine = SqliteLog(source)
    with pytest.raises(Fenced, match="owns the log in"):
        moved(source, tmp_path / "target")
    with pytest.raises(ConfigurationError, match="not finished"):
        require_finished(tmp_path / "target")
    write(engine, b"two")  # it never lost its log
    engine.close()
    assert moved(source, tmp_path / "target").copied[0].batches == 1


def test_who_does_not_stop_the_engine_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = begun(tmp_path / "source", b"one")
    engine = SqliteLog(source)
    assert run(["log", "copy", str(source), str(tmp_path / "target"), "--wait", "0.01"]) != 0
    engine.close()
    assert "stop the engine now" in capsys.readouterr().err


def test_a_directory_without_a_log_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="there is no log in"):
        moved(tmp_path / "empty", tmp_path / "target")
    assert not list((tmp_path / "empty").iterdir())


def test_an_empty_log_is_not_worth_a_move(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is empty: there is nothing to copy"):
        moved(begun(tmp_path / "source"), tmp_path / "target")


def test_who_is_as_fast_as_the_copy_is_not_said_to_be_caught_up_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(moving, "SHORT_SECONDS", -1.0)
    source = begun(tmp_path / "source", b"one")
    engine = SqliteLog(source)
    assert run(["log", "copy", str(source), str(tmp_path / "target"), "--wait", "0.01"]) != 0
    engine.close()
    said = capsys.readouterr().err
    assert "the engine writes as fast as the copy takes" in said
    assert "stop the engine now" not in said


def test_the_newest_snapshot_goes_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = begun(tmp_path / "source", b"one", b"two", b"three")
    log = SqliteLog(source)
    second = next(log.read(1))
    log.close()
    SnapshotFiles(snapshots_path(source)).write(2, second.chain, {"state": b"of two"})
    assert run(["log", "copy", str(source), str(tmp_path / "target")]) == 0
    said = capsys.readouterr()
    assert "the first start folds 1 batches" in said.out
    assert "start no engine on it any more" in said.err
    assert SnapshotFiles(snapshots_path(tmp_path / "target")).newest() == (
        2, second.chain, {"state": b"of two"}
    )  # fmt: skip


def test_a_log_is_not_moved_onto_itself(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one")
    with pytest.raises(ConfigurationError, match="is the directory of both"):
        moved(source, tmp_path / "elsewhere" / ".." / "source")


def test_every_shard_is_moved_and_progress_counts_them_all(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one", b"two")
    begun(source, b"three", shard=1)
    seen: list[Told] = []
    found = moved(source, tmp_path / "target", seen.append)
    assert {shard: one.sequence for shard, one in found.copied.items()} == {0: 2, 1: 1}
    assert [told[:4] for told in seen] == [
        (Stage.ROUND, 1, 2, 3), (Stage.ROUND, 1, 3, 3), (Stage.HOLDING, 1, 3, 3)
    ]  # fmt: skip
    assert bodies(tmp_path / "target", 1) == [b"three"]


def test_a_directory_with_another_processes_shard_alone_is_moved(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"three", shard=1)
    moved(source, tmp_path / "target")
    assert shards_in(source) == shards_in(tmp_path / "target") == [1]


def test_an_engine_acknowledges_between_and_during_all_rounds_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "suffices", never)
    monkeypatch.setattr(moving, "PAUSE_SECONDS", 0.0)
    source = begun(tmp_path / "source", b"0")
    engine = SqliteLog(source)
    acknowledged = [b"0"]

    def work(told: Told) -> None:
        if told.stage is Stage.ROUND and told.round <= moving.MOST_ROUNDS:
            body = b"%d" % len(acknowledged)
            write(engine, body, ContentChange("item/0", body))
            acknowledged.append(body)
        elif told.stage is Stage.WAITING:
            engine.close()

    found = moved(source, tmp_path / "target", work, patience_s=60)
    assert len(acknowledged) == 1 + moving.MOST_ROUNDS
    assert found.rounds == 2 * moving.MOST_ROUNDS
    assert bodies(tmp_path / "target") == acknowledged
    log = SqliteLog(tmp_path / "target")
    assert log.select(["item/0"]) == {"item/0": acknowledged[-1]}
    log.close()


def test_rounds_end_when_one_was_short_or_no_shorter_than_the_one_before() -> None:
    assert suffices(moving.SHORT_SECONDS, inf)
    assert not suffices(60.0, inf)
    assert not suffices(6.0, 60.0)
    assert suffices(6.0, 6.0)
    assert suffices(60.0, 6.0)


def test_an_engine_may_be_started_again_while_rounds_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "suffices", never)
    source = begun(tmp_path / "source", b"one")

    def restart(told: Told) -> None:
        if told.stage is Stage.ROUND and told.round < 4:
            engine = SqliteLog(source)
            write(engine, b"after a start")
            engine.close()

    moved(source, tmp_path / "target", restart)
    assert bodies(tmp_path / "target") == [b"one"] + [b"after a start"] * 3


def test_what_is_erased_during_the_rounds_stands_in_no_file_of_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "suffices", never)
    name = b"Ada Lovelace, by her own hand"
    source, target = tmp_path / "source", tmp_path / "target"
    engine = SqliteLog(source)
    write(engine, b"one", ContentChange("person/1", name), ContentChange("person/2", b"another"))
    found: list[bool] = []

    def erase(told: Told) -> None:
        if not found:
            found.append(any(name in file.read_bytes() for file in target.iterdir()))
            write(engine, b"erasing", ContentChange("person/1", None))
            engine.close()

    moved(source, target, erase)
    assert found == [True]  # it was copied, and had to be removed again
    assert not any(name in file.read_bytes() for file in target.iterdir())
    assert bodies(target) == [b"one", b"erasing"]


def test_only_when_every_shard_is_held_the_rest_is_copied(tmp_path: Path) -> None:
    source, target = begun(tmp_path / "source", b"one"), tmp_path / "target"
    begun(source, b"two", shard=1)
    engine = SqliteLog(source, 1)
    with pytest.raises(Fenced, match="owns the log in"):
        moved(source, target)
    with pytest.raises(ConfigurationError, match="not finished"):
        require_finished(target)
    engine.close()
    SqliteLog(source, 0).close()  # what was held is given back
    moved(source, target)
    require_finished(target)


def test_every_shard_is_held_until_the_last_is_copied(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one")
    begun(source, b"two", shard=1)
    refused = []

    def try_to_write(told: Told) -> None:
        for shard in (0, 1):
            if told.stage is Stage.ROUND:
                engine = SqliteLog(source, shard)
                write(engine, b"more")
                engine.close()
            else:
                with pytest.raises(Fenced):
                    SqliteLog(source, shard)
                refused.append(shard)

    moved(source, tmp_path / "target", try_to_write)
    assert refused == [0, 1] * 3  # before the rest, and after that of each


def test_shards_are_opened_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = begun(tmp_path / "source", b"one")
    begun(source, b"two", shard=1)
    both, met = Barrier(2, timeout=30), []
    original = LogPlace._open

    def open_beside_the_other(self: LogPlace, copies: Path, shard: int) -> Log:
        met.append(both.wait())
        return original(self, copies, shard)

    monkeypatch.setattr(LogPlace, "_open", open_beside_the_other)
    moved(source, tmp_path / "target")
    assert len(met) == 2 * 2  # of the target and of the source


def test_a_copy_that_was_interrupted_is_served_by_nobody_until_it_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = begun(tmp_path / "source", b"one"), tmp_path / "target"
    begun(source, b"two", shard=1)

    async def serve() -> None:
        async with embedded_shard(target, snapshots=False):
            pass

    with monkeypatch.context() as patched:
        patched.setattr(copying, "copy_history", interrupted_at_the_second(copying.copy_history))
        with pytest.raises(AppendFailed):
            moved(source, target)
    with pytest.raises(ConfigurationError, match=r"not finished.*give the same `crowdroute log copy` again"):
        asyncio.run(serve())
    with pytest.raises(ConfigurationError, match="is a copy that was not finished"):
        moved(target, tmp_path / "further")
    begun(source, b"three", shard=1)

    moved(source, target)
    require_finished(target)
    log = SqliteLog(target, 1)
    assert [stored.body for stored in log.read()] == [b"two", b"three"]
    log.close()


def test_a_copy_that_differs_stays_unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = begun(tmp_path / "source", b"one"), tmp_path / "target"

    def differs(_source: object, _target: object, _after: int) -> None:
        raise LogCorrupt("batch 1 of the copy is not that of the source")

    monkeypatch.setattr(copying, "compare_batches", differs)
    with pytest.raises(LogCorrupt):
        moved(source, target)
    with pytest.raises(ConfigurationError, match="not finished"):
        require_finished(target)


def test_a_target_that_is_refused_for_one_shard_is_left_as_it_was(tmp_path: Path) -> None:
    source, target = begun(tmp_path / "source", b"one"), tmp_path / "target"
    begun(source, b"two", shard=1)
    moved(source, target)
    begun(source, b"more")
    begun(target, b"its own", shard=1)
    with pytest.raises(ConfigurationError, match="the target goes on to batch 2"):
        moved(source, target)
    require_finished(target)
    log = SqliteLog(target)
    assert log.head()[0] == 1
    log.close()


def test_a_cluster_of_fewer_shards_is_no_target(tmp_path: Path) -> None:
    source = begun(tmp_path / "source", b"one")
    begun(source, b"two", shard=1)
    file = tmp_path / "engine.toml"
    file.write_text(f'directory = "{tmp_path / "node"}"\n[kafka]\nservers = ["127.0.0.1:9092"]\n')
    with pytest.raises(ConfigurationError, match="set shards = 2 there"):
        moved(source, file)
