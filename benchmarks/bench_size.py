"""A million open tasks in one engine: import, memory, start from a snapshot, and the wait for a task.

    python benchmarks/bench_size.py [--tasks 1000000] [--calls 2000] [--directory DIRECTORY]

One process serves all of them from disk, with its snapshotter beside it; this process is its client. The
wait for a task is that of one call of Next over gRPC with nothing else under way, content and durable lease
included. The reference is the same engine with a thousand open tasks, in a process of its own; calls
alternate between the two, so that both meet the same noise.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import grpc
from labelling import LABELS
from large_engine import PAYLOAD_BYTES, Process, Scene

from crowdroute.api.v1 import annotation_pb2, assignments_pb2, types_pb2

SMALL = 1_000
SERVICE = f"/{annotation_pb2.DESCRIPTOR.services_by_name['AnnotationService'].full_name}"
DEADLINE = 30.0
WARM_UP = 200
"""Calls before the measured ones: every worker asks some times."""


class Annotators:
    """Workers who ask one engine for a task in turn, and answer it."""

    def __init__(self, scene: Scene) -> None:
        self._bearers = scene.bearers
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{scene.port}")
        self._next = self._channel.unary_unary(f"{SERVICE}/Next")
        self._submit = self._channel.unary_unary(f"{SERVICE}/Submit")
        request = assignments_pb2.NextRequest(project_id=scene.project, count=1)
        self._wanted = request.SerializeToString()
        self.times: list[float] = []

    async def cycle(self, number: int) -> None:
        """Take the time of one Next, and answer what it gave."""
        metadata = (("authorization", f"Bearer {self._bearers[number % len(self._bearers)]}"),)
        begun = time.perf_counter()
        raw = await self._next(self._wanted, timeout=DEADLINE, metadata=metadata)
        self.times.append(time.perf_counter() - begun)
        (offer,) = assignments_pb2.NextResponse.FromString(raw).offers
        right = int(offer.content[0].text.partition(":")[0]) % len(LABELS)
        answer = assignments_pb2.SubmitRequest(
            project_id=offer.project_id,
            assignment_id=offer.assignment_id,
            lease_token=offer.lease_token,
            answers={"label": types_pb2.Value(label=LABELS[right])},
        )
        await self._submit(answer.SerializeToString(), timeout=DEADLINE, metadata=metadata)

    def quantiles(self) -> tuple[float, float]:
        """Give median and 99th percentile in milliseconds, and begin anew."""
        cuts = statistics.quantiles(self.times, n=100)
        self.times.clear()
        return cuts[49] * 1e3, cuts[98] * 1e3

    async def close(self) -> None:
        await self._channel.close()


async def started(process: Process) -> tuple[Scene, float]:
    """Start a process; give what it says, and the seconds from its start until it served."""
    begun = time.perf_counter()
    scene = await process.start()
    return scene, time.perf_counter() - begun


async def waits(large: Scene, small: Scene, calls: int) -> list[tuple[float, float]]:
    """Give median and 99th percentile of Next at both engines, in milliseconds."""
    both = [Annotators(large), Annotators(small)]
    for number in range(WARM_UP + calls):
        if number == WARM_UP:
            for one in both:
                one.times.clear()
        for one in both:
            await one.cycle(number)
    found = [one.quantiles() for one in both]
    for one in both:
        await one.close()
    return found


def megabytes(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e6


async def measure(directory: Path, tasks: int, calls: int) -> None:
    filling = Process(directory / "large", tasks)
    filled = await filling.start()
    await filling.stop()
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
    print(f"{tasks:,} open tasks of {PAYLOAD_BYTES} bytes, {load}")
    print(f"import                                  {tasks / filled.imported_s:10,.0f} tasks/s, durable")
    print(f"  CPU of the serving process            {filled.import_cpu_s / tasks * 1e6:10.1f} µs/task")
    print(f"snapshot complete after the import      {filled.saved_s:10.1f} s")
    print(f"on disk, two snapshots included         {megabytes(directory / 'large'):10,.0f} MB")
    print(f"peak resident while importing, serving  {filled.peak_serving_mb:10,.0f} MB    target 1,200")
    print(f"peak resident while importing, snapshotter {filled.peak_snapshotter_mb:7,.0f} MB")
    large, small = Process(directory / "large", tasks), Process(directory / "small", SMALL)
    scene, seconds = await started(large)
    reference, _ = await started(small)
    print(f"process start to serving, from snapshot {seconds:10.2f} s     target 5.00")
    print(f"  of which snapshot and {scene.batches} batches      {scene.recovered_s:10.2f} s")
    print(f"  CPU of the process until it serves    {scene.start_cpu_s:10.2f} s")
    (p50, p99), (small_p50, small_p99) = await waits(scene, reference, calls)
    saved = await large.save()
    await large.stop()
    await small.stop()
    print(f"peak resident after serving, serving    {saved.peak_serving_mb:10,.0f} MB    target 1,200")
    print(f"peak resident after a snapshot, snapshotter {saved.peak_snapshotter_mb:6,.0f} MB")
    print(f"Next at {tasks:,} open tasks         p50 {p50:6.2f} ms, p99 {p99:6.2f} ms")
    print(f"Next at {SMALL:,} open tasks             p50 {small_p50:6.2f} ms, p99 {small_p99:6.2f} ms")
    print(f"p99 ratio                               {p99 / small_p99:10.2f}       target 1.50")
    print(f"p50 ratio                               {p50 / small_p50:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument(
        "--calls", type=int, default=1_500, help="to each engine; the small one has work for 2,000"
    )
    parser.add_argument("--directory", type=Path, help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as made:
        for name in ("large", "small"):
            (Path(made) / name).mkdir()
        asyncio.run(measure(Path(made), options.tasks, options.calls))


if __name__ == "__main__":
    main()
