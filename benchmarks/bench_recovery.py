"""How fast a log of single answers is folded from its first batch.

    python benchmarks/bench_recovery.py [--cycles 40000] [--per-batch 1 16] [--directory DIRECTORY]

The history is what annotators leave: every cycle grants a lease and takes an answer in, an entry each, with
the payment and what the answer settles. The reference is reading and decoding the same log without folding
it. Batches of one entry are what a single annotator makes, batches of sixteen what a busy engine makes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from crowdroute.router.adapters.codec import chain, decode_batch, encode_batch
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.events import Batch, Entry
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.rules import Field, Label, Prices, ProjectRules
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.recovery import recover

TARGET = 50_000
LABELS = 4
ACCURACY = 0.85
WORKERS = 200
START_US = 1_700_000_000_000_000
TENANT = "bench"


class History:
    """A core that decides, and keeps what it brought about."""

    def __init__(self, tasks: int) -> None:
        self._random = random.Random(1)
        self._now_us = START_US
        self._shard = Shard()
        self.entries: list[Entry] = []
        organisation = organisation_stream(TENANT)
        self._send(organisation, CreateOrganisation(TENANT))
        project = self._random.randbytes(16)
        self._stream = project_stream(TENANT, project)
        labels = tuple(Label(str(number)) for number in range(LABELS))
        rules = ProjectRules(1, (Field("label", labels),), prices=Prices(20_000))
        self._send(self._stream, CreateProject(project, "bench", rules))
        self._workers = [self._random.randbytes(16) for _ in range(WORKERS)]
        for worker in self._workers:
            self._send(organisation, UpsertWorker(worker, NO_ID, NO_ID))
        rows = [
            NewTask(self._random.randbytes(16), self._random.randbytes(16), digest=b"d" * 16)
            for _ in range(tasks)
        ]
        for first in range(0, tasks, 1_000):
            self._send(self._stream, AddTasks(tuple(rows[first : first + 1_000])))

    def cycle(self) -> None:
        """Have somebody ask for a task and answer it."""
        worker = self._random.choice(self._workers)
        offered = self._send(self._stream, RequestNext(worker))
        assert isinstance(offered, Offered)
        (lease,) = offered.leases
        truth = lease.item[0] % LABELS
        label = truth if self._random.random() < ACCURACY else self._random.randrange(LABELS)
        self._send(self._stream, SubmitAnswer(worker, lease.assignment, lease.fence, (Choice(0, label),)))

    def _send(self, stream: str, command: Command) -> Reply:
        self._now_us += 1_000
        entries, reply = self._shard.handle(
            Request(stream, command, self._random.randbytes(16)), self._now_us
        )
        self.entries += entries
        return reply


async def write(log: SqliteLog, entries: Sequence[Entry], per_batch: int) -> None:
    """Append entries in batches of so many."""
    sequence, previous = log.head()
    for first in range(0, len(entries), per_batch):
        sequence += 1
        body = encode_batch(Batch(sequence, tuple(entries[first : first + per_batch])))
        previous = chain(previous, body)
        await log.append(StoredBatch(sequence, log.epoch, previous, body), ())


def measure(directory: Path, beginning: Sequence[Entry], answers: Sequence[Entry], per_batch: int) -> None:
    """Fold one log, and read it; print how fast."""
    log = SqliteLog(directory)
    asyncio.run(write(log, beginning, 16))
    before = log.head()[0]
    asyncio.run(write(log, answers, per_batch))
    begun, cpu = time.perf_counter(), time.process_time()
    read = sum(
        len(entry.events)
        for stored in log.read(before)
        for entry in decode_batch(stored.body, stored.sequence).entries
    )
    read_s, read_cpu = time.perf_counter() - begun, time.process_time() - cpu
    cpu = time.process_time()
    found = recover(log, SnapshotFiles(directory / "none"), Shard)
    cpu = time.process_time() - cpu
    log.close()
    print(
        f"{per_batch:>9} {found.batches:>9,} {found.events:>9,} {found.events_per_second:>10,.0f}"
        f" {found.events / cpu:>12,.0f} {cpu / found.events * 1e6:>10.1f} {read / read_s:>10,.0f}"
        f" {(cpu / found.events) / (read_cpu / read):>8.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=40_000)
    parser.add_argument("--per-batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--directory", type=Path, help="on the disk to be measured")
    options = parser.parse_args()
    history = History(options.cycles // 2)
    beginning, history.entries = history.entries, []
    for _ in range(options.cycles):
        history.cycle()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs; target {TARGET:,} events/s")
    print(
        f"{'per batch':>9} {'batches':>9} {'events':>9} {'events/s':>10} {'per CPU s':>12} {'CPU µs/ev':>10}"
        f" {'read/s':>10} {'ratio':>8}"
    )
    with tempfile.TemporaryDirectory(dir=options.directory) as made:
        for per_batch in options.per_batch:
            measure(Path(made) / str(per_batch), beginning, history.entries, per_batch)


if __name__ == "__main__":
    main()
