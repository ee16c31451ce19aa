"""An engine of many open tasks on disk, and the process that serves it, for the benchmarks of size."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from labelling import TENANT, begin_labelling

from crowdroute.router.commands.project import AddTasks, NewTask
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model import content
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.convert.content import encode_item
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime import serving
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.settings import LimitSettings, Settings
from crowdroute.router.runtime.snapshot_feed import SnapshotFeed

PAYLOAD_BYTES = 300
IMPORT_ROWS = 1_000
WORKERS = 64


class Scene(msgspec.Struct):
    """What a client needs to know, and what it took to get here."""

    port: int
    project: str
    bearers: list[str]
    imported_s: float = 0.0
    import_cpu_s: float = 0.0
    start_cpu_s: float = 0.0
    saved_s: float = 0.0
    recovered_s: float = 0.0
    snapshot: int = 0
    batches: int = 0
    peak_serving_mb: float = 0.0
    peak_snapshotter_mb: float = 0.0


def peak_mb(pid: int | str) -> float:
    """Give the most memory that a process ever had resident, in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(f"no process {pid}")


async def fill(engine: Engine, tasks: int) -> tuple[Scene, float]:
    """Create a project with people and open tasks; give what clients need, and the seconds of the import."""
    project, bearers = await begin_labelling(engine, WORKERS)
    stream = project_stream(TENANT, project)
    begun = time.perf_counter()
    await add_tasks(engine, stream, tasks)
    return Scene(0, to_text(Kind.PROJECT, project), [*bearers]), time.perf_counter() - begun


async def add_tasks(engine: Engine, stream: str, tasks: int) -> None:
    """Open tasks on items with content, durably."""
    for first in range(0, tasks, IMPORT_ROWS):
        await _add(engine, stream, range(first, min(first + IMPORT_ROWS, tasks)))


async def _add(engine: Engine, stream: str, numbers: Sequence[int]) -> None:
    rows, contents = [], []
    for number in numbers:
        text = f"{number}: a picture of an animal that somebody took on the way to work".ljust(PAYLOAD_BYTES)
        body = encode_item(ItemContent("", (Part("text", "text/plain", text),)))
        item = engine.new_id()
        rows.append(NewTask(item, engine.new_id(), external=engine.new_id(), digest=engine.digest(body)))
        contents.append(ContentChange(content.item(item), body))
    await engine.submit(engine.request(stream, AddTasks(tuple(rows))), contents)


async def serve(directory: Path, tasks: int) -> None:
    """Serve a directory, filled first when it is empty, until the input ends."""
    feeds: list[SnapshotFeed] = []
    recoveries: list[Recovered[Shard]] = []

    def keep(*arguments: object, **named: object) -> SnapshotFeed:
        feeds.append(SnapshotFeed(*arguments, **named))  # type: ignore[arg-type]
        return feeds[-1]

    serving.SnapshotFeed = keep  # type: ignore[misc, assignment]
    server = Server(
        Settings(address="127.0.0.1:0", grace_seconds=1, limits=LimitSettings(calls_per_second=0))
    )
    await server.start()
    known = directory / "scene.json"
    async with embedded_group(directory / "data", recovered=recoveries.append) as group:
        engine = group.engines[0]
        (feed,), (recovered,) = feeds, recoveries
        if known.exists():
            scene = msgspec.json.decode(known.read_bytes(), type=Scene)
        else:
            scene, scene.imported_s = await fill(engine, tasks)
            scene.import_cpu_s = time.process_time()
            begun = time.perf_counter()
            await feed.save()
            scene.saved_s = time.perf_counter() - begun
            known.write_bytes(msgspec.json.encode(scene))
        await server.serve(group)
        scene.port, scene.start_cpu_s = server.port, time.process_time()
        scene.recovered_s, scene.snapshot, scene.batches = (
            recovered.seconds,
            recovered.snapshot,
            recovered.batches,
        )
        await _tell(scene, feed)
        while await asyncio.to_thread(sys.stdin.readline):
            await feed.save()
            await _tell(scene, feed)
        await server.stop()


async def _tell(scene: Scene, feed: SnapshotFeed) -> None:
    scene.peak_serving_mb = peak_mb("self")
    if feed.process is not None:
        scene.peak_snapshotter_mb = peak_mb(feed.process.pid)
    print(msgspec.json.encode(scene).decode(), flush=True)


class Process:
    """A serving process, as the benchmark sees it."""

    def __init__(self, directory: Path, tasks: int) -> None:
        self._directory, self._tasks = directory, tasks

    async def start(self) -> Scene:
        """Start it and wait until it serves."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, str(self._directory), str(self._tasks)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        return await self._scene()

    async def save(self) -> Scene:
        """Have a snapshot written; give how things stand then."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"save\n")
        return await self._scene()

    async def stop(self) -> None:
        """Let it drain and end."""
        await self._process.communicate(b"")

    async def _scene(self) -> Scene:
        assert self._process.stdout is not None
        return msgspec.json.decode(await self._process.stdout.readline(), type=Scene)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("tasks", type=int)
    options = parser.parse_args()
    asyncio.run(serve(options.directory, options.tasks))


if __name__ == "__main__":
    main()
