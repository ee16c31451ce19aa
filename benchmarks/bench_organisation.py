"""What an organisation costs as its workers grow in number: every process of a cluster holds a copy of it.

    python benchmarks/bench_organisation.py [--workers 10000 100000 300000] [--totals 51200]

First the core alone: no log, no wire. Workers are made known one by one, and the organisation is told what
each has earned in a project, as shards elsewhere tell it once a minute for each who earned something. The
reference holds the same facts in a dictionary of structs and does nothing else. Then a copy is made of it, as
a process that begins to follow makes it: in pieces, for the longest time that either end holds its loop, and,
as the reference, all in one go.

Then two processes, over gRPC and with the log on disk: this one follows an organisation that lives in the
other, while both note for how long at a stretch their loops are held; and it tells totals, many in one
command, and, as the reference, one by one.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from organisation_home import PROJECT, SECRET, STREAM, TENANT, Home, Ticker, home_of, identity, upsert

from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import (
    CreateOrganisation,
    NoteBalance,
    NoteBalances,
    OrganisationCommand,
    RegisterProject,
    UpsertWorker,
)
from crowdroute.router.machine.crossing import TOTALS_TOGETHER
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.organisation.pieces import ReadInPieces, pack_in_pieces
from crowdroute.router.machine.shard import Shard
from crowdroute.router.rpc.group.link import PeerLink
from crowdroute.router.rpc.group.telling import ArrivingOrganisation
from crowdroute.router.runtime.garbage import calm_collector
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.organisation_rows import HeldRows

WAGE_MICROS = 20_000
SPACING_US = 100
ALONE = 1_000
"""Totals told one by one."""


def resident_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Organisation:
    """An organisation in a shard of its own, on a clock of its own."""

    def __init__(self) -> None:
        self.shard = Shard()
        self._now_us = 1_000_000_000_000
        self.send(CreateOrganisation(TENANT))
        self.send(RegisterProject(PROJECT, "bench", 1))

    def send(self, command: OrganisationCommand) -> None:
        self._now_us += SPACING_US
        self.shard.handle(Request(STREAM, command, os.urandom(32)), self._now_us)


def cpu_us(act: Callable[[int], object], first: int, last: int) -> float:
    """Give the processor time of acting once for each number, in microseconds."""
    began = time.process_time()
    for number in range(first, last):
        act(number)
    return (time.process_time() - began) / (last - first) * 1e6


def tell(number: int, version: int = 1) -> NoteBalance:
    return NoteBalance(PROJECT, identity(1, number), version, WAGE_MICROS, "USD")


def together(first: int, last: int, version: int) -> Iterable[NoteBalances]:
    """Give the totals of so many workers, as many in a command as may be."""
    for begin in range(first, last, TOTALS_TOGETHER):
        end = min(begin + TOTALS_TOGETHER, last)
        yield NoteBalances(tuple(tell(number, version) for number in range(begin, end)))


def cpu_together(organisation: Organisation, first: int, last: int) -> float:
    """Give the processor time of a total among many in a command, in microseconds."""
    commands = list(together(first, last, version=2))
    each = cpu_us(lambda number: organisation.send(commands[number]), 0, len(commands))
    return each * len(commands) / (last - first)


class Watch:
    """Adds up time spent between moments, and keeps the longest."""

    def __init__(self) -> None:
        self.all = self.longest = 0.0
        self._since = time.perf_counter()

    def begin(self) -> None:
        self._since = time.perf_counter()

    def end(self) -> None:
        took = time.perf_counter() - self._since
        self.all, self.longest = self.all + took, max(self.longest, took)


def copy_in_pieces(state: OrganisationState) -> tuple[Watch, Watch, int]:
    """Copy an organisation as two processes do in turns; gives what each end took, and the bytes between."""
    packing, reading, read, sent = Watch(), Watch(), ReadInPieces(), 0
    packing.begin()
    pieces = pack_in_pieces(HeldRows(state))
    while True:
        packed = next(pieces, None)
        packing.end()
        if packed is None:
            return packing, reading, sent
        sent += len(packed.body)
        reading.begin()
        read.take(packed)
        reading.end()
        packing.begin()


def copy_at_once(machine: OrganisationMachine) -> tuple[float, float]:
    """Copy an organisation in one go; gives the seconds of packing and of reading."""
    packing, reading = Watch(), Watch()
    packing.begin()
    packed = machine.pack()
    packing.end()
    reading.begin()
    OrganisationMachine().unpack(packed)
    reading.end()
    return packing.all, reading.all


def grow(sizes: list[int]) -> None:
    """Print how an organisation does at each number of workers."""
    print("| workers | bytes each | µs to know one | µs to note a total | … of 512 in one command |", end="")
    print(" bytes to send each | ms held to pack, to read, in pieces | … in one go |")
    print("|---|---|---|---|---|---|---|---|")
    organisation, known = Organisation(), 0
    before = resident_bytes()
    for size in sizes:
        made = cpu_us(lambda number: organisation.send(upsert(number)), known, size)
        told = cpu_us(lambda number: organisation.send(tell(number)), known, size)
        many = cpu_together(organisation, known, size)
        known = size
        each = (resident_bytes() - before) / size
        calm_collector()
        machine = organisation.shard.organisation(TENANT)
        packing, reading, sent = copy_in_pieces(machine.state)
        pack, read = copy_at_once(machine)
        pieces = f"{packing.longest * 1e3:.1f}, {reading.longest * 1e3:.1f}"
        at_once = f"{pack * 1e3:.0f}, {read * 1e3:.0f}"
        costs = f"{each:,.0f} | {made:.1f} | {told:.1f} | {many:.1f} | {sent / size:.0f}"
        print(f"| {size:,} | {costs} | {pieces} | {at_once} |", flush=True)


def compare(size: int) -> None:
    """Print what a dictionary of structs takes for the same facts."""
    before = resident_bytes()
    facts: dict[bytes, tuple[UpsertWorker, NoteBalance]] = {}

    def keep(number: int) -> None:
        facts[identity(1, number)] = upsert(number), tell(number)

    kept = cpu_us(keep, 0, size)
    each = (resident_bytes() - before) / size
    print(f"| {size:,}, a dictionary of structs | {each:,.0f} | {kept:.1f} for both | | | | | |", flush=True)


async def follow(link: PeerLink, ticker: Ticker) -> tuple[float, float]:
    """Follow an organisation until it is here; gives the seconds that took, and the longest hold here."""
    ticker.longest()
    began, arriving = time.perf_counter(), ArrivingOrganisation()
    async for part in link.follow():
        for told in part.organisations:
            arriving.take(told)
        if part.complete:
            break
    arriving.whole()
    return time.perf_counter() - began, ticker.longest()


async def tell_all(link: PeerLink, commands: Iterable[NoteBalance | NoteBalances]) -> float:
    """Tell totals one command after the other, as `runtime.totals` does; gives the seconds it took."""
    began = time.perf_counter()
    for command in commands:
        await link.carry(0, 1, Request(STREAM, command), ())
    return time.perf_counter() - began


async def cross(home: Home, workers: int, totals: int) -> None:
    """Print what crosses between two processes, and for how long their loops are held."""
    link = PeerLink(f"127.0.0.1:{home.port}", SECRET, None)
    ticker = Ticker()
    calm_collector()
    home.longest()
    took, here = await follow(link, ticker)
    there = await asyncio.to_thread(home.longest)
    print(f"\nfollowing {workers:,} workers: {took:.2f} s, loops held for at most", end=" ")
    print(f"{there * 1e3:.0f} ms where they live and {here * 1e3:.0f} ms where they are followed", flush=True)
    totals = min(totals, workers)
    alone = await tell_all(link, [tell(number) for number in range(min(ALONE, totals))]) / min(ALONE, totals)
    await asyncio.to_thread(home.longest)
    many = await tell_all(link, together(0, totals, version=2)) / totals
    there = await asyncio.to_thread(home.longest)
    print(f"totals told a second: {1 / many:,.0f}, up to {TOTALS_TOGETHER} in a command;", end=" ")
    print(f"one by one {1 / alone:,.0f}: {alone / many:.0f} times;", end=" ")
    print(f"the loop that notes them held for at most {there * 1e3:.0f} ms", flush=True)
    await link.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    parser.add_argument("--totals", type=int, default=51_200)
    asked = parser.parse_args()
    sizes = sorted(asked.workers)
    grow(sizes)
    compare(sizes[-1])
    with tempfile.TemporaryDirectory() as made, home_of(sizes[-1], Path(made)) as home:
        asyncio.run(cross(home, sizes[-1], asked.totals))


if __name__ == "__main__":
    main()
