"""What an organisation costs as its workers grow in number: every process of a cluster holds a copy of it.

    python benchmarks/bench_organisation.py [--workers 10000 100000 300000]

The core alone: no log, no wire. Workers are made known one by one, and the organisation is told what each
has earned in a project, as shards elsewhere tell it once a minute for each who earned something. The
reference holds the same facts in a dictionary of structs and does nothing else.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import (
    CreateOrganisation,
    NoteBalance,
    OrganisationCommand,
    RegisterProject,
    UpsertWorker,
)
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream

TENANT = "default"
PROJECT = b"project of bench"
WAGE_MICROS = 20_000
SPACING_US = 100


def resident_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def identity(kind: int, number: int) -> bytes:
    """Give an id of 16 bytes."""
    return bytes([kind]) + number.to_bytes(15, "big")


def upsert(number: int) -> UpsertWorker:
    return UpsertWorker(identity(1, number), identity(2, number), identity(3, number))


class Organisation:
    """An organisation in a shard of its own, on a clock of its own."""

    def __init__(self) -> None:
        self.shard = Shard()
        self._now_us = 1_000_000_000_000
        self.send(CreateOrganisation(TENANT))
        self.send(RegisterProject(PROJECT, "bench", 1))

    def send(self, command: OrganisationCommand) -> None:
        self._now_us += SPACING_US
        self.shard.handle(Request(organisation_stream(TENANT), command, os.urandom(32)), self._now_us)


def cpu_us(act: Callable[[int], object], first: int, last: int) -> float:
    """Give the processor time of acting once for each number, in microseconds."""
    began = time.process_time()
    for number in range(first, last):
        act(number)
    return (time.process_time() - began) / (last - first) * 1e6


def tell(number: int) -> NoteBalance:
    return NoteBalance(PROJECT, identity(1, number), 1, WAGE_MICROS, "USD")


def grow(sizes: list[int]) -> None:
    """Print how an organisation does at each number of workers."""
    organisation, known = Organisation(), 0
    before = resident_bytes()
    for size in sizes:
        made = cpu_us(lambda number: organisation.send(upsert(number)), known, size)
        told = cpu_us(lambda number: organisation.send(tell(number)), known, size)
        known = size
        each = (resident_bytes() - before) / size
        began = time.process_time()
        packed = organisation.shard.organisation(TENANT).pack()
        OrganisationMachine().unpack(packed)
        copied = time.process_time() - began
        sent = sum(map(len, packed.values())) / size
        del packed
        print(f"| {size:,} | {each:,.0f} | {made:.1f} | {told:.1f} | {sent:.0f} | {copied:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    sizes = sorted(parser.parse_args().workers)
    print("| workers | bytes each | µs to know one | µs to note a total | bytes to send each | s to copy |")
    print("|---|---|---|---|---|---|")
    grow(sizes)

    before = resident_bytes()
    facts: dict[bytes, tuple[UpsertWorker, NoteBalance]] = {}

    def keep(number: int) -> None:
        facts[identity(1, number)] = upsert(number), tell(number)

    kept = cpu_us(keep, 0, sizes[-1])
    each = (resident_bytes() - before) / sizes[-1]
    print(f"| {sizes[-1]:,}, a dictionary of structs | {each:,.0f} | {kept:.1f} for both | | | |")


if __name__ == "__main__":
    main()
