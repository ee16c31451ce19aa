"""What tracing costs: CPU of the server per label cycle with a share of the calls traced, beside none.

    python benchmarks/bench_tracing.py [--cycles 3000] [--rounds 5] [--in-flight 16] [--sample 0 0.01 1 ...]

Each server is a process of its own with the same tasks, under the load of `bench_rpc_cycle.py`; the reference
is the server in which nothing is traced. Spans are thrown away instead of sent, by OpenTelemetry's own
background batches. Rounds alternate, and the median of the rounds' ratios counts.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Sequence

from bench_rpc_cycle import cost, serve_engine, start, unary_load
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from crowdroute.router.adapters.open_telemetry import traced

OFF = -1.0
"""In place of a share: nothing is traced, and OpenTelemetry is not there."""


class Nowhere(SpanExporter):
    """Takes spans as a collector does that answers at once."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take them."""
        return SpanExportResult.SUCCESS


def serve(sample: float, workers: int, tasks: int) -> None:
    if sample == OFF:
        asyncio.run(serve_engine(workers, tasks))
        return
    with traced(sample, BatchSpanProcessor(Nowhere())) as tracer:
        asyncio.run(serve_engine(workers, tasks, tracer))


def measure(options: argparse.Namespace) -> None:
    flight, each = options.in_flight, options.cycles // options.in_flight
    tasks = (options.rounds + 1) * options.cycles
    samples = (OFF, *options.sample)
    servers = {
        sample: start(f"--serve={sample}", f"--in-flight={flight}", f"--tasks={tasks}", program=__file__)
        for sample in samples
    }
    costs: dict[float, list[float]] = {sample: [] for sample in samples}
    for number in range(options.rounds + 1):
        turn = samples if number % 2 else samples[::-1]
        for sample in turn:
            process, scene = servers[sample]
            load = [unary_load(scene, worker, each) for worker in range(flight)]
            found = cost(process.pid, scene.port, load, each * flight)
            if number:  # the first round warms up
                costs[sample].append(found)
    print(f"{'traced':>8} {'µs per cycle':>13} {'beside off':>11}")
    for sample in samples:
        ratios = [own / off for own, off in zip(costs[sample], costs[OFF], strict=True)]
        name = "off" if sample == OFF else f"{sample:g}"
        print(f"{name:>8} {statistics.median(costs[sample]):>13.0f} {statistics.median(ratios):>11.3f}")
    for process, _ in servers.values():
        process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--sample", type=float, nargs="+", default=[0.0, 0.01, 1.0])
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--tasks", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.in_flight, options.tasks)
    else:
        measure(options)


if __name__ == "__main__":
    main()
