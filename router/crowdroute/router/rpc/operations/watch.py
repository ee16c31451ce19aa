"""What happens, told as it becomes durable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

from crowdroute.api.v1 import explanations_pb2 as wire
from crowdroute.router.errors import InvalidCommand, Moved, NotFound, NotReady, ShuttingDown
from crowdroute.router.events import Entry
from crowdroute.router.events.base import Fact
from crowdroute.router.events.organisation import WorkerUpserted
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.rpc.operations.news import KINDS, NEWS, code_of
from crowdroute.router.rpc.operations.office import Office
from crowdroute.router.rpc.status import NotAuthenticated
from crowdroute.router.runtime.engine import EngineState
from crowdroute.router.runtime.group import ShardGroup

MOST_EVENTS = 10_000
"""Events kept for one watcher who does not take them: about a megabyte."""

LOOK_SECONDS = 1.0
"""How long a watch is silent before it looks whether its token is still good and the engine still serves."""

AT_ONCE = 64
"""Events told between two looks at the network."""

WATCHING = "WATCHING"
"""Code of the first message: from here on everything is told."""

EVENTS_LEFT_OUT = "EVENTS_LEFT_OUT"
"""Code of the message that stands for events that came faster than they were taken."""


class Happened(NamedTuple):
    """One event with where it stands."""

    shard: int
    sequence: int
    entry: Entry
    event: Fact


class Watcher:
    """Keeps what one watch has not told yet, up to `MOST_EVENTS`."""

    def __init__(self, stream: str, kinds: frozenset[type[Fact]]) -> None:
        """Begin.

        Args:
            stream: name of the stream that is watched, or with what the names of several begin.
            kinds: what is told.
        """
        self._stream = stream
        self._kinds = kinds
        self._waiting: deque[Happened] = deque()
        self._left_out = 0
        self._more = asyncio.Event()

    def note(self, shard: int, sequence: int, entries: Sequence[Entry]) -> None:
        """Take over what became durable with a batch of a shard."""
        for entry in entries:
            if not entry.stream.startswith(self._stream):
                continue
            for event in entry.events:
                if type(event) not in self._kinds:
                    continue
                if len(self._waiting) < MOST_EVENTS and not self._left_out:
                    self._waiting.append(Happened(shard, sequence, entry, event))
                else:
                    self._left_out += 1
        if self._waiting:
            self._more.set()

    async def take(self) -> list[Happened]:
        """Give what came since the last time; nothing when nothing came for a while."""
        try:
            await asyncio.wait_for(self._more.wait(), LOOK_SECONDS)
        except TimeoutError:
            return []
        some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        if not self._waiting and not self._left_out:
            self._more.clear()
        return some

    def take_left_out(self) -> int:
        """Give how many events were left out, once all that came before them are taken."""
        if self._waiting:
            return 0
        count, self._left_out = self._left_out, 0
        self._more.clear()
        return count


class Watch(Office):
    """The call that tells what happens."""

    async def watch(self, call: Call, message: wire.WatchRequest) -> AsyncIterator[wire.WatchedEvent]:
        """Tell what happens from now on, as far as the caller's scopes let them know of it.

        The first message has the code `WATCHING`. Where events were left out because they came faster than
        they were taken, a message with the code `EVENTS_LEFT_OUT` tells how many.
        """
        self.tenant(call)
        stream = f"{call.principal.tenant}/"
        if message.project_id:
            stream = self.place(call, message.project_id).stream
        watcher = Watcher(stream, _kinds(call, message.codes))
        group = self._group

        engine = group.where.engine(stream) if message.project_id else self.home(call)
        end = group.subscribe(watcher.note)
        try:
            yield wire.WatchedEvent(
                sequence=engine.loop.commits.sequence,
                shard=engine.shard.number,
                at=timestamp(group.now_us()),
                code=WATCHING,
                text="What happens from now on is told.",
            )
            while True:
                for happened in await watcher.take():
                    yield told(group, happened)
                left_out = watcher.take_left_out()
                if left_out:
                    yield wire.WatchedEvent(
                        sequence=engine.loop.commits.sequence,
                        shard=engine.shard.number,
                        at=timestamp(group.now_us()),
                        code=EVENTS_LEFT_OUT,
                        text=f"{left_out} events were left out: they came faster than they were taken.",
                        details={"count": str(left_out)},
                    )
                self._require_going_on(call)
        finally:
            end()

    def _require_going_on(self, call: Call) -> None:
        if self._group.state is not EngineState.SERVING:
            raise ShuttingDown("this process is about to stop: watch again")
        if not self._gate.still_good(call):
            raise NotAuthenticated("the token expired or was revoked: watch again with another")


def _kinds(call: Call, codes: Iterable[str]) -> frozenset[type[Fact]]:
    """Give what is to be told.

    Raises:
        InvalidCommand: there is no such code.
        PermissionRefused: the caller may not know of such things.
    """
    asked = set(codes)
    for code in asked:
        if code not in KINDS:
            raise InvalidCommand(
                f"there is no code {code[:64]!r}; the codes are: {', '.join(sorted(KINDS))}",
                {"field": "codes"},
            )
        call.principal.require(NEWS[KINDS[code]].scope)
    if asked:
        return frozenset(KINDS[code] for code in asked)
    return frozenset(kind for kind, news in NEWS.items() if news.scope.value in call.principal.scopes)


def told(group: ShardGroup, happened: Happened) -> wire.WatchedEvent:
    """Put one event into words."""
    shard, sequence, entry, event = happened
    news = NEWS[type(event)]
    kind, _, project = entry.stream.partition("/")[2].partition("/")
    watched = wire.WatchedEvent(
        sequence=sequence,
        shard=shard,
        at=timestamp(entry.at_us),
        code=code_of(type(event)),
        text=news.text(event),
        project_id=f"{Kind.PROJECT.value}_{project}" if kind == "project" else "",
        caused_by=entry.cause.principal,
        details={name: value for name, value in news.details(event).items() if value},
    )
    worker: Id | None = getattr(event, "worker", None)
    task: Id | None = getattr(event, "task", None)
    assignment: Id | None = getattr(event, "assignment", None)
    if isinstance(event, WorkerUpserted):
        worker = event.facts.worker
    if assignment is not None and any(assignment):
        watched.assignment_id = to_text(Kind.ASSIGNMENT, assignment)
        task, worker = _behind(group, entry.stream, assignment)
    if task is not None:
        watched.task_id = to_text(Kind.TASK, task)
    if worker is not None and any(worker):
        watched.worker_id = to_text(Kind.WORKER, worker)
    return watched


def _behind(group: ShardGroup, stream: str, assignment: Id) -> tuple[Id | None, Id | None]:
    """Give the task and the worker of an assignment."""
    try:
        state = group.where.engine(stream).shard.project_state(stream)
        row = state.assignment(assignment)
    except (NotFound, Moved, NotReady):
        return None, None
    table = state.assignments
    return state.tasks.id_of(table.task[row]), state.workers.id_of(table.worker[row])
