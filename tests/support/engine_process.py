"""A whole engine in a process of its own: recovery, loop, log; its core only notes reasons.

    python -m tests.support.engine_process DIRECTORY [--file-limit BYTES] [--loop MODULE:CLASS]
        [--kafka SERVER --name NAME --generation N]

Reads one reason per line; writes `ready <sequence> <digest>`, then `noted <reason>` when a reason is durable,
`lost <code> <reason>` when that is unknown, and `stopped <code> <message>` before it exits with status 3.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import resource
import sys
from pathlib import Path

from tests.support.counting_core import CountingCore, pause

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.system import SystemClock
from crowdroute.router.errors import RouterError
from crowdroute.router.runtime.recovery import recover


def say(*words: object) -> None:
    """Write one line at once, so that a kill right after it does not take it back."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def open_log(options: argparse.Namespace) -> SqliteLog | KafkaLog:
    """Open the file in the directory, or claim the partition that the directory has a copy of."""
    if not options.kafka:
        return SqliteLog(options.directory)
    connection = KafkaConnection((options.kafka,))
    place = KafkaPlace(connection, options.name, 0, 1, Durability.SINGLE_BROKER, options.directory)
    return open_kafka_log(place, options.generation)


async def run(options: argparse.Namespace) -> int:
    log = open_log(options)
    recovered = recover(log, SnapshotFiles(options.directory / "snapshots"), CountingCore)
    module, _, name = options.loop.partition(":")
    loop_class = getattr(importlib.import_module(module), name)
    loop = loop_class(recovered.core, log, SystemClock(recovered.last_us))
    loop.start()
    say("ready", log.head()[0], recovered.core.digest())
    room = asyncio.Semaphore(options.concurrency)

    async def note(reason: str) -> None:
        try:
            await loop.submit(pause(reason))
            say("noted", reason)
        except RouterError as error:
            say("lost", error.code, reason)
        finally:
            room.release()

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    tasks: set[asyncio.Task[None]] = set()

    async def take_in() -> None:
        while line := await reader.readline():
            await room.acquire()
            task = asyncio.create_task(note(line.decode().rstrip("\n")))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        await loop.drain()

    taking = asyncio.create_task(take_in())
    await asyncio.wait((taking, loop.commits.failed), return_when=asyncio.FIRST_COMPLETED)
    if loop.commits.failed.done():
        await asyncio.gather(*tasks)
        taking.cancel()
        say("stopped", loop.commits.failed.result().code, loop.commits.failed.result().message)
        return 3
    if isinstance(log, KafkaLog):
        await log.hand_over()
    log.close()
    say("drained", recovered.core.digest())
    return 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--file-limit", type=int)
    parser.add_argument("--kafka", default="")
    parser.add_argument("--name", default="tests")
    parser.add_argument("--generation", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--loop", default="crowdroute.router.runtime.shard_loop:ShardLoop")
    options = parser.parse_args()
    if options.file_limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, options.file_limit))
    try:
        status = asyncio.run(run(options))
    except RouterError as error:
        say("stopped", error.code, error.message)
        status = 3
    sys.exit(status)


if __name__ == "__main__":
    main()
