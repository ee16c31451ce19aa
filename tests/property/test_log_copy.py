"""However rounds of a copy, an engine's work, its restarts and interruptions follow each other: in the end
both logs are the same, and what was erased is nowhere in the target.

Once over files as they are, once over a log on Kafka in memory, whose owners die and are replaced, and where
something happens between any two looks of the reader.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.fake_kafka_log import SECRET, FakeShard

from crowdroute.router.adapters import kafka_beside, sqlite_touched
from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.sqlite_reader import SqliteReader
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.comparing import compare
from crowdroute.router.runtime.copying import BesideLog, ShardCopy

KEYS = ["a", "b", "c", "d"]

UNSYNCED = "OFF"
"""What a COMMIT waits for: nothing, for nothing here survives the process."""

bodies = st.none() | st.integers(0, 99).map(lambda n: b"the text %d" % n)
changes = st.dictionaries(st.sampled_from(KEYS), bodies, max_size=3)


class Interrupted(Exception):
    """The copy was killed."""


class Copying:
    """A copy into a file that is opened again whenever it was interrupted."""

    def __init__(self, directory: Path, content_key: bytes) -> None:
        self._directory, self._key = directory, content_key
        self._open()

    def _open(self) -> None:
        self.target = SqliteLog(self._directory, synchronous=UNSYNCED)
        self.target.adopt_key(self._key)
        self.again = SqliteReader(self._directory)
        self.rounds = ShardCopy(self.target, self.again)

    async def go_on(self, source: BesideLog, dies: bool) -> None:
        """Make a round; one that dies has written what it had, and knows nothing of it afterwards."""

        def die(_done: int, _head: int) -> None:
            raise Interrupted

        source.bring()
        try:
            if dies:
                await self.rounds.go_on(source, die)
            else:
                await self.rounds.go_on(source)
        except Interrupted:
            self.close()
            self._open()

    def close(self) -> None:
        self.again.close()
        self.target.close()


class FileEngine:
    """An engine over a file, as far as the log sees one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.log = SqliteLog(directory, synchronous=UNSYNCED)
        self.erased: set[bytes] = set()

    def restart(self) -> None:
        self.log.close()
        self.log = SqliteLog(self._directory, synchronous=UNSYNCED)

    def append(self, body: bytes, changed: Mapping[str, bytes | None]) -> None:
        sequence, previous = self.log.head()
        self.log.follow(
            [StoredBatch(sequence + 1, self.log.epoch, chain(previous, body), body)],
            [ContentChange(key, new) for key, new in changed.items()],
        )


moves = st.lists(
    st.tuples(st.just("append"), changes)
    | st.tuples(st.sampled_from(["restart", "round", "round", "killed", "during"]), changes),
    max_size=14,
)


@settings(deadline=None)
@given(moves, st.sampled_from([2, 1000]))
def test_files_are_the_same_in_the_end(made: list[tuple[str, dict[str, bytes | None]]], kept: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(copy_files(Path(folder), made, kept))


async def copy_files(folder: Path, made: list[tuple[str, dict[str, bytes | None]]], kept: int) -> None:
    engine = FileEngine(folder / "source")
    forget_early(engine.log, kept)
    copying = Copying(folder / "target", engine.log.content_key)
    numbers = count()
    ever: set[bytes] = set()

    def work(changed: Mapping[str, bytes | None]) -> None:
        named = {key: new and new + b" number %d." % next(numbers) for key, new in changed.items()}
        ever.update(new for new in named.values() if new)
        engine.append(b"%d" % next(numbers), named)

    with closing(SqliteReader(folder / "source")) as beside:
        for move, changed in made:
            if move == "append":
                work(changed)
            elif move == "restart":
                engine.restart()
            elif move == "during":
                source = Disturbed(beside, lambda changed=changed: work(changed))
                await copying.go_on(source, dies=False)
            else:
                await copying.go_on(beside, dies=move == "killed")
    await copying.rounds.go_on(engine.log, is_last=True)
    copying.again.bring()
    compare(engine.log, copying.again)
    copying.close()
    there = {body for _, body in engine.log.contents_after("", 99)}
    engine.log.close()
    held = b"".join(path.read_bytes() for path in (folder / "target").iterdir())
    assert [body for body in ever if body in held and body not in there] == []


def forget_early(log: SqliteLog, kept: int) -> None:
    """Let the list of changes hold so few that rounds come too late for it."""
    for trigger in ("insert", "update", "delete"):
        log._connection.execute(f"DROP TRIGGER touched_by_{trigger}")
    sqlite_touched.keep_touched(log._connection, kept)


class Disturbed:
    """A reader beside an engine that works right after the look at how far it is."""

    def __init__(self, beside: SqliteReader, work: object) -> None:
        self._beside, self._work = beside, work

    def bring(self) -> None:
        self._beside.bring()
        self._work()

    def __getattr__(self, name: str) -> object:
        return getattr(self._beside, name)


@settings(deadline=None)
@given(st.data())
def test_a_log_on_kafka_is_the_same_in_the_end(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(kafka_beside, "COPY", UNSYNCED)
        asyncio.run(copy_from_kafka(Path(folder), data))


async def copy_from_kafka(folder: Path, data: st.DataObject) -> None:
    shard = FakeShard()
    owners = [shard.epoch]
    numbers = count()

    def work() -> None:
        move = data.draw(
            st.sampled_from(["append", "append", "append", "crash", "orphan", "claim", "late", "compact"])
        )
        changed = data.draw(changes)
        body = b"%d" % next(numbers)
        if move in ("append", "crash"):
            shard.append(body, changed, dies=move == "crash")
        elif move == "orphan":
            shard.begin_in_vain(changed)
        elif move == "claim":
            shard.claim()
        elif move == "late" and owners[0] != shard.epoch:
            shard.write_too_late(owners[0], changed, body)
        elif move == "compact":
            shard.contents.compact()
        if owners[-1] != shard.epoch:
            owners.append(shard.epoch)

    def disturb() -> None:
        if data.draw(st.booleans()):
            work()

    with ExitStack() as opened:
        beside = shard.reader(folder / "beside")
        opened.callback(beside.close)
        copying = Copying(folder / "target", SECRET)
        opened.callback(copying.close)
        for _ in range(data.draw(st.integers(1, 6))):
            work()
            shard.log.looked = shard.contents.looked = disturb
            try:
                beside.bring()
            finally:
                shard.log.looked = shard.contents.looked = lambda: None
            sequence, seen = beside.head()
            assert seen == shard.chains[sequence]
            await copying.go_on(Frozen(beside), dies=data.draw(st.booleans()))
        shard.claim()
        shard.append(b"handed over")
        beside.bring()
        assert dict(beside.contents_after("", 99)) == shard.now
        await copying.rounds.go_on(beside, is_last=True)
        copying.again.bring()
        compare(beside, copying.again)
        assert copying.again.head()[1] == shard.chains[-1]
        assert dict(copying.again.contents_after("", 99)) == shard.now


class Frozen:
    """A reader that was brought as far as it shall be."""

    def __init__(self, beside: object) -> None:
        self._beside = beside

    def bring(self) -> None:
        """Nothing came."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._beside, name)
