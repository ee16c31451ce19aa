"""How long work is refused while a log in use moves from a file to Kafka, and back.

    python benchmarks/bench_log_copy.py HOST:PORT [--answers 10000 100000] [--pause-ms 20]

The broker is that of `make services-up`, which flushes each record. A history of so many answers (batches of
eight, a content for every fourth answer) lies in a file; an engine, as far as the log sees one, appends a
batch with a content and a change of another every 20 ms; `crowdroute log copy` moves it to Kafka, and then
from there, with such an engine again, to another file. Refused is the time from the engine's last
acknowledgement to the end of the move; held is what the command tells of it. The reference in the same run is
the same copy, read back and compared, with the source held from its beginning.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from broker import add_server, server_of

from crowdroute.router.adapters.codec import assemble, chain
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import StorageError
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.copying import ShardCopy
from crowdroute.router.runtime.log_place import Log, LogPlace, place_of
from crowdroute.router.runtime.moving import Moved, Stage, Told, move

TARGET_S = 10.0
"""Of refusal, at any size: "seconds"."""

ANSWERS_PER_BATCH = 8
ENTRY_BYTES = 300
CONTENT_BYTES = 400
AT_ONCE = 500
"""Batches that the history is written with in one transaction."""


class Measured(NamedTuple):
    """One move."""

    way: str
    answers: int
    whole_s: float
    rounds: int
    worked: int
    """Batches that the engine acknowledged meanwhile."""
    held_s: float
    refused_s: float
    reference_s: float


def next_batch(log: Log, sequence: int, previous: bytes) -> StoredBatch:
    """Give the batch of some answers that follows."""
    body = assemble(sequence + 1, [bytes(ENTRY_BYTES)] * ANSWERS_PER_BATCH)
    return StoredBatch(sequence + 1, log.epoch, chain(previous, body), body)


async def write_history(directory: Path, answers: int) -> None:
    """Make a log with so many answers."""
    log = SqliteLog(directory)
    head, (sequence, previous) = answers // ANSWERS_PER_BATCH, log.head()
    while sequence < head:
        batches = []
        for _ in range(min(AT_ONCE, head - sequence)):
            batches.append(next_batch(log, sequence, previous))
            sequence, previous = batches[-1].sequence, batches[-1].chain
        contents = [
            ContentChange(f"item/{batch.sequence}/{n}", bytes(CONTENT_BYTES))
            for batch in batches
            for n in range(ANSWERS_PER_BATCH // 4)
        ]
        await log.append_some(batches, contents)
    log.close()


class Engine:
    """Appends until it is stopped, or loses its log."""

    def __init__(self, log: Log, pause_s: float) -> None:
        self._log, self._pause_s = log, pause_s
        self.worked = 0
        self.last = time.monotonic()
        self.task = asyncio.create_task(self._work())
        self._stopped = False

    async def _work(self) -> None:
        with contextlib.suppress(StorageError):
            while not self._stopped:
                batch = next_batch(self._log, *self._log.head())
                changes = [
                    ContentChange(f"item/{batch.sequence}/0", bytes(CONTENT_BYTES)),
                    ContentChange(f"item/{batch.sequence // 2}/0", None),
                ]
                await self._log.append(batch, changes)
                self.worked, self.last = self.worked + 1, time.monotonic()
                await asyncio.sleep(self._pause_s)
        await asyncio.to_thread(self._log.close)

    def told(self, what: Told) -> None:
        """Stop when the copy waits for that."""
        self._stopped = self._stopped or what.stage in (Stage.BEHIND, Stage.WAITING)


async def under_a_hold(source: LogPlace, target: LogPlace) -> float:
    """Copy, read back and compare with the source held all the time; give the seconds."""
    began = time.monotonic()
    log = await asyncio.to_thread(source.open_source, 0)
    copy = await asyncio.to_thread(target.open_target, 0, log.content_key)
    again = await asyncio.to_thread(target.read_back, 0)
    await ShardCopy(copy, again).go_on(log, is_last=True)
    for one in (again, copy, log):
        await asyncio.to_thread(one.close)
    source.clear()
    target.clear()
    return time.monotonic() - began


async def measure(way: str, answers: int, engine: Engine, places: tuple[LogPlace, ...]) -> Measured:
    """Move a log beside its engine, then copy it again to another place under a hold."""
    source, target, another = places
    began = time.monotonic()
    moved: Moved = await move(source, target, engine.told, patience_s=3600)
    ended = time.monotonic()
    await engine.task
    reference_s = await under_a_hold(source, another)
    return Measured(
        way, answers, ended - began, moved.rounds, engine.worked, moved.held_s, ended - engine.last,
        reference_s,
    )  # fmt: skip


async def both_ways(folder: Path, server: str, answers: int, pause_s: float) -> list[Measured]:
    """Move a history of so many answers to Kafka and back."""
    await write_history(folder / "file", answers)

    def on_kafka(name: str) -> LogPlace:
        file = folder / f"{name}.toml"
        file.write_text(
            f'directory = "{folder / name}"\n[kafka]\nservers = ["{server}"]\nname = "{name}"\n'
            'durability = "single-broker"\n'
        )
        return place_of(file, 0)

    def in_file(name: str) -> LogPlace:
        return place_of(folder / name, 0)

    name = f"bench-copy-{time.time_ns()}"
    there = on_kafka(name)
    to_kafka = await measure(
        "file to Kafka",
        answers,
        Engine(SqliteLog(folder / "file"), pause_s),
        (in_file("file"), there, on_kafka(f"{name}-held")),
    )
    place = KafkaPlace(
        KafkaConnection((server,)), name, 0, 1, Durability.SINGLE_BROKER, folder / "engine's node"
    )
    back = await measure(
        "Kafka to file",
        answers,
        Engine(await asyncio.to_thread(open_kafka_log, place, 0), pause_s),
        (there, in_file("back"), in_file("back-held")),
    )
    return [to_kafka, back]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_server(parser)
    parser.add_argument("--answers", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--pause-ms", type=float, default=20.0)
    options = parser.parse_args()
    server = server_of(options)
    columns = ("answers", "whole s", "rounds", "worked", "held s", "refused s", "all held s", "ratio")
    print(f"{'':<16}" + "".join(f"{column:>12}" for column in columns))
    for answers in options.answers:
        with tempfile.TemporaryDirectory(prefix="crowdroute-copy-") as folder:
            found = asyncio.run(both_ways(Path(folder), server, answers, options.pause_ms / 1000))
        for one in found:
            figures = (
                f"{one.answers}", f"{one.whole_s:.1f}", f"{one.rounds}", f"{one.worked}", f"{one.held_s:.2f}",
                f"{one.refused_s:.2f}", f"{one.reference_s:.1f}", f"{one.refused_s / one.reference_s:.3f}",
            )  # fmt: skip
            print(f"{one.way:<16}" + "".join(f"{figure:>12}" for figure in figures), flush=True)
    print(f"target for the refusal: {TARGET_S:.0f} s at any size")


if __name__ == "__main__":
    main()
