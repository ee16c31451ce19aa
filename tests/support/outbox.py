"""An engine with a project at work, and the topics that its log is put out to, in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.kafka_outbox import Letter, Position
from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.commands.base import Wish
from crowdroute.router.commands.organisation import (
    CreateOrganisation,
    UpsertWorker,
)
from crowdroute.router.commands.project import (
    AddTasks,
    CreateProject,
    NewTask,
    RequestNext,
    SubmitAnswer,
)
from crowdroute.router.commands.replies import Offered
from crowdroute.router.errors import StorageError
from crowdroute.router.feeds.outbox import Outbox
from crowdroute.router.feeds.standing import OutboxStanding
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model import content
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import GoldPlan, Overlap, Prices
from crowdroute.router.model.states import Purpose
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.convert.content import encode_item
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.settings import FeedSettings, Told

PROJECT = bytes(15) + b"\1"
WORKERS = [bytes(15) + bytes([number]) for number in (7, 8)]
PERSON = bytes(15) + b"\x09"
STREAM, ORGANISATION = project_stream(TENANT, PROJECT), organisation_stream(TENANT)


class Topics:
    """A broker: what it acknowledged, and the last position of the shard."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.noted: Position | None = None
        self.failures: list[str] = []
        """What the next calls do: `lost` (nothing arrives), `unheard` (it arrives, the answer does not)."""
        self.calls = 0

    def records(self, topic: str) -> list[dict[str, Any]]:
        """Give the records of a topic in their order."""
        return [json.loads(each.value) for each in self.letters if each.topic == f"crowdroute.{topic}"]


class Post:
    """A producer of one process."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    def position(self) -> Position | None:
        return self._topics.noted

    def put(self, letters: Sequence[Letter]) -> None:
        self._send(lambda: self._topics.letters.extend(letters))

    def note(self, position: Position) -> None:
        self._send(lambda: setattr(self._topics, "noted", position))

    def _send(self, arrive: Callable[[], None]) -> None:
        self._topics.calls += 1
        failure = self._topics.failures.pop(0) if self._topics.failures else ""
        if failure != "lost":
            arrive()
        if failure:
            raise StorageError("not acknowledged")

    def close(self) -> None:
        pass


class House:
    """An engine with a project of two answers a task, and the topics."""

    def __init__(self) -> None:
        self.disk = MemoryDisk(bytes(range(32)))
        self.engine = self.recovered()
        self.topics = Topics()
        self.standing = OutboxStanding()
        self.fences: dict[Id, tuple[Id, int]] = {}

    def recovered(self) -> Engine:
        """Give the engine of a process that folded what is durable."""
        shard = Shard()
        for stored in self.disk.batches:
            shard.apply(decode_batch(stored.body, stored.sequence))
        shard.settle()
        return Engine(
            shard,
            MemoryLog(self.disk),
            MemoryContents(self.disk),
            ManualClock(),
            SeededIds(1),
            content_key=self.disk.content_key,
        )

    async def begin(self) -> None:
        """Create the organisation, its workers and the project."""
        self.engine.start()
        rules = make_rules(
            overlap=Overlap(2, 2), gold=GoldPlan(1.0), prices=Prices(crowd_micros=50_000, currency="EUR")
        )
        await self.ask(ORGANISATION, CreateOrganisation(TENANT))
        await self.ask(STREAM, CreateProject(PROJECT, "cats", rules))
        for worker in WORKERS:
            await self.ask(
                ORGANISATION, UpsertWorker(worker, PERSON if worker == WORKERS[0] else NO_ID, NO_ID)
            )

    async def ask(self, stream: str, command: Wish, contents: Sequence[ContentChange] = ()) -> Any:
        """Have a command decided."""
        request = self.engine.request(stream, command, principal="tok_manager")  # type: ignore[arg-type]
        return await self.engine.submit(request, contents)

    async def add(self, name: str, purpose: Purpose = Purpose.PRODUCTION) -> tuple[Id, Id]:
        """Add a task; gives item and task."""
        item, task = self.engine.new_id(), self.engine.new_id()
        known = (Choice(0, 0),) if purpose == Purpose.GOLD else ()
        body = encode_item(ItemContent(name, (Part("text", "text/plain", "a cat"),)))
        new = NewTask(
            item,
            task,
            self.engine.digest(name.encode()),
            self.engine.digest(body),
            purpose=purpose,
            gold=known,
        )
        await self.ask(STREAM, AddTasks((new,)), [ContentChange(content.item(item), body)])
        return item, task

    async def answer(self, worker: Id, label: int = 0) -> tuple[Id, int]:
        """Take a task and answer it; gives assignment and fence."""
        work = await self.ask(STREAM, RequestNext(worker))
        assert isinstance(work, Offered)
        grant = work.leases[0]
        await self.ask(STREAM, SubmitAnswer(worker, grant.assignment, grant.fence, (Choice(0, label),), 1500))
        return grant.assignment, grant.fence

    def outbox(self, out: Sequence[Told] = ("results", "annotations", "workers", "payments")) -> Outbox:
        """Give the outbox of a process."""
        settings = FeedSettings(servers=["127.0.0.1:9092"], out=list(out))
        return Outbox(settings, TENANT, self.engine, self.standing, lambda: Post(self.topics))

    async def put_out(self, outbox: Outbox) -> None:
        """Let an outbox run until it has put out the whole log, and end it."""
        following = asyncio.create_task(outbox.follow())
        async with asyncio.timeout(20):
            while self.standing.sequence < self.engine.loop.commits.sequence and not following.done():
                await asyncio.sleep(0.001)
        if following.done():
            following.result()
        following.cancel()
        await asyncio.wait((following,))
