"""The real shard loop between simulated workers and a simulated disk: what is told, the disk holds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from random import Random

import msgspec
from tests.checker import Report, check, check_acknowledged
from tests.simulation import frontends, operators
from tests.simulation.journal import Journal
from tests.simulation.knowledge import ORGANISATION, TENANT, Knowledge, KnownProject, Worker
from tests.simulation.process import Call, Outcome

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import ManualClock, MemoryDisk, MemoryLog
from crowdroute.router.commands import Command, Request
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands.replies import Received
from crowdroute.router.errors import AppendFailed, Refusal
from crowdroute.router.machine.shard import Shard
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.shard_loop import ShardLoop

MOVES = 100
"""What each worker does before going home."""


class FreezableLog(MemoryLog):
    """Can be frozen between two appends, as a process is that loses its log without knowing."""

    def __init__(self, disk: MemoryDisk) -> None:
        """Take ownership, and run."""
        super().__init__(disk)
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._under_way = False

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Append as the log itself does, once nothing is frozen."""
        await self._thawed.wait()
        self._under_way = True
        try:
            await super().append(batch, contents)
        finally:
            self._under_way = False

    async def freeze(self) -> None:
        """Let the append under way end, and no other begin."""
        self._thawed.clear()
        self.release()
        while self._under_way:
            await asyncio.sleep(0)

    def thaw(self) -> None:
        """Go on as if nothing had happened."""
        self._thawed.set()


class LoopedWorld:
    """Workers at one shard loop after another; `run` gives what the checker found."""

    def __init__(self, seed: int) -> None:
        """Begin with an empty disk."""
        self.known = Knowledge(Random(seed))
        self.disk = MemoryDisk()
        self.journal = Journal()
        self._loops: list[ShardLoop] = []
        self._clock = ManualClock()

    async def run(self) -> Report:
        """Let everybody work while loops come and go, and judge the history and what everybody was told."""
        self._begin_life()
        await self._set_the_stage()
        everybody = asyncio.create_task(self._everybody())
        nemesis = asyncio.create_task(self._trouble())
        done, _ = await asyncio.wait([everybody, nemesis], return_when=asyncio.FIRST_COMPLETED)
        everybody.cancel()
        nemesis.cancel()
        await asyncio.gather(everybody, nemesis, return_exceptions=True)
        for task in done:
            task.result()
        self._log.release()
        for loop in self._loops:
            with contextlib.suppress(AppendFailed):
                await loop.drain()
        report = check(self.disk.batches)
        told = check_acknowledged(self.disk.batches, self.journal.acknowledged)
        report.violations += told.violations
        report.counters.update(told.counters)
        return report

    @property
    def lives(self) -> int:
        """How many loops there were."""
        return len(self._loops)

    def _begin_life(self) -> None:
        self._log = FreezableLog(self.disk)
        core = Shard()
        for stored in self._log.read():
            core.apply(decode_batch(stored.body, stored.sequence))
        core.settle()
        self._loop = ShardLoop(core, self._log, self._clock)
        self._loop.start()
        self._loops.append(self._loop)

    async def _trouble(self) -> None:
        """Slow the disk down, and end loops in every way there is."""
        while True:
            for _ in range(self.known.random.randint(2, 20)):
                await asyncio.sleep(0)
            self._clock.advance(self.known.random.randrange(20_000_000))
            draw = self.known.random.random()
            if draw < 0.4:
                self._log.hold()
            elif draw < 0.7:
                self._log.release()
            elif draw < 0.85:
                self._log.crash(in_flight_survives=self.known.chance(0.5))
                await self._follow_up()
            elif draw < 0.92:
                self._log.fail()
                await self._follow_up()
            else:
                zombie = self._log
                await zombie.freeze()
                self.disk.forget_owner()
                self._begin_life()
                zombie.thaw()

    async def _follow_up(self) -> None:
        """Begin the next life once the loop has noticed the end of this one."""
        while not self._loop.commits.failed.done():
            self._loop.wake()
            await asyncio.sleep(0)
        self._begin_life()

    async def _everybody(self) -> None:
        await asyncio.gather(*[self._work(worker) for worker in self.known.workers])

    async def _work(self, worker: Worker) -> None:
        for _ in range(MOVES):
            stream, command, held = frontends.move(self.known, worker)
            call = await self._ask(stream, command)
            if held in worker.held and isinstance(call.told, Received):
                worker.held.remove(held)
                worker.answered.append(held)
            worker.held += self.journal.leases(call)

    async def _set_the_stage(self) -> None:
        await self._ask(ORGANISATION, organisation_wishes.CreateOrganisation(TENANT))
        creation = operators.new_project(self.known, ("information_gain",))
        project = KnownProject(creation.project, creation.rules)
        await self._ask(project.stream, creation)
        self.known.projects.append(project)
        for _ in range(16):
            await self._ask(ORGANISATION, operators.new_worker(self.known))
        await self._ask(project.stream, operators.add_tasks(self.known, project, 150))

    async def _ask(self, stream: str, command: Command) -> Call:
        """Ask the loop that owns the log, again and again under one key until there is an answer."""
        request = Request(stream, command, principal="tok_front_end", key=self.known.identity().hex())
        call = Call(request)
        outcome: Outcome | None = None
        while outcome is None:
            try:
                fresh = msgspec.structs.replace(request, entropy=self.known.identity())
                outcome = await self._loop.submit(fresh)
            except AppendFailed:
                await asyncio.sleep(0)
            except Refusal as refusal:
                outcome = refusal
        self.journal.told(call, outcome, self._clock.now_us())
        return call
