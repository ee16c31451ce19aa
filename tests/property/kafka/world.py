"""Owners, readers and snapshots of one log, and what may happen to them.

Every move is a method, so that a history can be drawn by Hypothesis or written down. Numbers that pick
something are taken modulo what there is to pick from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from tests.property.kafka.judge import Judge, require
from tests.property.kafka.process import LEASE_US, Process, Query, open_reader
from tests.support.fake_broker import Request

from crowdroute.router.adapters.kafka_position import decode_position, encode_position
from crowdroute.router.errors import AppendFailed, Fenced, SnapshotUnusable, StorageError

LIVING = 3
"""Processes at once."""
DELAYED = 30
"""Records sent since from which on a copy no longer comes in: fewer than the digests that readers keep."""

T = TypeVar("T")


class World(Judge):
    """A broker that keeps its promises, and everybody around it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = 1_000_000
        self.processes: list[Process] = []
        self.generation = 1
        self._numbers = count(1)

    # What can move

    @property
    def travelling(self) -> list[Request]:
        """Records that have not come in."""
        return [request for request in self.broker.requests if not request.offsets]

    @property
    def landed(self) -> list[Request]:
        """Records of which another copy may come in."""
        return [request for request in self.broker.requests if request.offsets]

    @property
    def waiting(self) -> list[Process]:
        """Processes that wait for the broker's answer."""
        return [process for process in self.processes if process.request is not None]

    @property
    def reading(self) -> list[Process]:
        """Processes that want to read something."""
        return [process for process in self.processes if process.owner.wanted is not None]

    @property
    def serving(self) -> list[Process]:
        """Processes that may send a batch."""
        return [process for process in self.processes if process.may_append(self.now_us)]

    @property
    def asked(self) -> list[Process]:
        """Processes that somebody waits for."""
        return [process for process in self.processes if process.queries]

    # Moves

    def start(self, step: int, pick: int) -> None:
        """Start a process with a generation near the last one, from the beginning or from a snapshot."""
        if len(self.processes) >= LIVING:
            return
        self.generation = max(self.generation, self.generation + step)
        generation = max(self.generation + min(step, 0), 0)
        section = ([None, *self.snapshots])[-1 - pick % (len(self.snapshots) + 1)]
        try:
            process = Process(next(self._numbers), self.broker, section, generation)
        except StorageError as error:
            self.note_refusal(error, section)
        else:
            self.processes.append(process)
            self.begun(process)

    def begun(self, process: Process) -> None:
        """Let what an owner does beside serving its shard begin."""

    def land(self, pick: int) -> None:
        """Let a record come in that has not yet."""
        request = self._pick(self.travelling, pick)
        if request is not None:
            self.broker.land(request)

    def land_again(self, pick: int) -> None:
        """Let a second copy of a record come in, now or long after its sender is gone."""
        request = self._pick(self.landed, pick)
        if request is not None:
            self.note("copies")
            self.broker.land(request)

    def lose(self, pick: int, told: bool) -> None:
        """Lose a record on its way; its sender hears of an error, or nothing for ever."""
        request = self._pick(self.travelling, pick)
        if request is None:
            return
        self.broker.lose(request)
        process = self._waits_for(request)
        if process is not None and told:
            self._step(process, process.give_up)

    def give_up(self, pick: int) -> None:
        """Let a process run out of patience with what is in flight, which may come in later."""
        process = self._pick(self.waiting, pick)
        if process is not None:
            self._step(process, process.give_up)

    def hear(self, pick: int, which: int, asked: bool) -> None:
        """Let a process hear at which offset a copy of its record stands; then somebody may ask it."""
        process = self._pick([process for process in self.waiting if process.request in self.landed], pick)
        if process is not None:
            self._hear(process, which)
            if asked and process in self.processes and process.owner.epoch:
                self._ask(process)
                self._answer(process)

    def read(self, pick: int, limit: int) -> None:
        """Let a process read some of what it wants."""
        process = self._pick(self.reading, pick)
        if process is not None:
            self._read(process, limit)

    def append(self, pick: int, landed: bool) -> None:
        """Let a process send a batch, which may come in before anything else happens."""
        process = self._pick(self.serving, pick)
        if process is not None:
            self._append(process, released=False)
            if landed and process.request is not None:
                self.broker.land(process.request)

    def take_over(self, step: int, pick: int, thousandths: int) -> None:
        """Start a process and let it do its best to serve."""
        self.start(step, pick)
        self.work(-1, 4)
        self.pass_time(thousandths)
        self.work(-1, 4)

    def freeze(self, pick: int, released: bool, thousandths: int) -> None:
        """Let a process freeze when it has just sent a batch, and be replaced."""
        process = self._pick(self.serving, pick)
        if process is not None:
            self._append(process, released)
            if process.request is not None:
                self.broker.land(process.request)
        self.take_over(1, 0, thousandths)

    def hand_over(self, pick: int, steps: int) -> None:
        """Let a process send its last batch, and get on with it."""
        process = self._pick(self.serving, pick)
        if process is not None:
            self._append(process, released=True)
            self._work(process, steps)

    def ask(self, pick: int) -> None:
        """Let somebody ask a process that serves."""
        process = self._pick([process for process in self.processes if process.owner.epoch], pick)
        if process is not None:
            self._ask(process)

    def inquire(self, pick: int, steps: int) -> None:
        """Let somebody ask a process, which does its best to answer."""
        process = self._pick([process for process in self.processes if process.owner.epoch], pick)
        if process is not None:
            self._ask(process)
            self._answer(process)
            self._work(process, steps)

    def answer(self, pick: int) -> None:
        """Let a process answer what it may."""
        process = self._pick(self.asked, pick)
        if process is not None:
            self._answer(process)

    def work(self, pick: int, steps: int) -> None:
        """Let a process get on for some steps without any trouble."""
        process = self._pick(self.processes, pick)
        if process is not None:
            self._work(process, steps)

    def pass_time(self, thousandths: int) -> None:
        """Let a part or a multiple of the query lease pass."""
        self.now_us += LEASE_US * thousandths // 1000

    def crash(self, pick: int) -> None:
        """Kill a process; what it sent may still come in."""
        process = self._pick(self.processes, pick)
        if process is not None:
            self.processes.remove(process)

    def elect(self) -> None:
        """Change the partition's leader without any loss."""
        self.broker.elect()

    def snapshot(self, pick: int, records: int) -> None:
        """Fold some more of the log, from its beginning or from a snapshot, and keep the result."""
        section = ([None, *self.snapshots])[-1 - pick % (len(self.snapshots) + 1)]
        try:
            reader = open_reader(self.broker, section)
            self.fold(reader, min(self.broker.log_end, reader.next_offset + records))
        except StorageError as error:
            self.note_refusal(error, section)
        else:
            if reader.next_offset:
                self.snapshots.append(encode_position(reader.position()))

    def delete(self, pick: int, too_many: int) -> None:
        """Delete what is behind a snapshot, but for the record before it; or that one as well."""
        section = self._pick(self.snapshots, pick)
        if section is not None:
            position = decode_position(section)
            if position.topic_id == self.broker.topic_id:
                self.note("deletions")
                self.broker.delete_before(position.next_offset - 1 + too_many)

    def _work(self, process: Process, steps: int) -> None:
        for _ in range(steps):
            if process not in self.processes:
                return
            request = process.request
            if request is not None and not request.offsets and request in self.broker.requests:
                self.broker.land(request)
            if request is not None and request.offsets:
                self._hear(process, -1)
            elif process.owner.wanted is not None:
                self._read(process, 100)
            elif process.may_append(self.now_us):
                self._append(process, released=False)
            if process in self.processes:
                self._answer(process)

    def _hear(self, process: Process, which: int) -> None:
        assert process.request is not None
        offset = process.request.offsets[which % len(process.request.offsets)]
        claiming = process.owner.epoch is None
        self._step(process, lambda: process.hear(offset, self.now_us))
        if not claiming:
            self._note_durable(process)

    def _read(self, process: Process, limit: int) -> None:
        claiming = process.owner.epoch is None
        self._step(process, lambda: process.read(limit))
        if not claiming:
            self._note_durable(process)

    def _ask(self, process: Process) -> None:
        process.queries.append(Query(process.clock_us(self.now_us), self.floor))

    def _answer(self, process: Process) -> None:
        answered = process.answer()
        if answered and not process.misled:
            self.note_answers(process.reader, answered)

    def _append(self, process: Process, released: bool) -> None:
        """Send a batch: an empty one if somebody waits for an answer, else one that was never sent before."""
        body = b"" if process.queries else b"%d" % next(self._numbers)
        self._step(process, lambda: process.append(body, self.now_us, released=released))
        self.broker.requests[:] = self.broker.requests[-DELAYED:]

    def _note_durable(self, process: Process) -> None:
        """Check a batch that its owner just acknowledged, if it did."""
        if process in self.processes and process.request is None and process.owner.wanted is None:
            self.note_acknowledged(process.reader)

    def _step(self, process: Process, act: Callable[[], object]) -> None:
        """Let a process act, and end it when it says that it must."""
        try:
            act()
        except StorageError as error:
            deleted = isinstance(error, SnapshotUnusable) and self.broker.log_start > 0
            expected = deleted or isinstance(error, AppendFailed | Fenced)
            require(expected or self.may_be_corrupt(error), f"a good log was refused: {error.message}")
            self.note(type(error).__name__)
            self.processes.remove(process)

    def _waits_for(self, request: Request) -> Process | None:
        return next((process for process in self.processes if process.request is request), None)

    def _pick(self, among: Sequence[T], pick: int) -> T | None:
        return among[pick % len(among)] if among else None
