"""The work streams of a process: opened, told of leases that end, sent away together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crowdroute.api.v1 import work_pb2
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.events import Entry, Event
from crowdroute.router.events import project as facts
from crowdroute.router.model.ids import Id
from crowdroute.router.rpc.actions import Desk
from crowdroute.router.rpc.calls import Call, Stream
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.work_stream import SHUTTING_DOWN, WorkStream
from crowdroute.router.runtime.group import ShardGroup

LEASE_ENDS = (
    facts.LeaseExpired,
    facts.LeaseRevoked,
    facts.AnswerSubmitted,
    facts.AssignmentSkipped,
    facts.LeaseReleased,
)

FindDesk = Callable[[Call, str], Desk]


class WorkStreams:
    """All work streams of a group, and which of them holds what."""

    def __init__(self, group: ShardGroup, gate: Gate) -> None:
        self._gate = gate
        self._open: set[WorkStream] = set()
        self._holders: dict[Id, WorkStream] = {}
        group.subscribe(self._on_durable)

    def __len__(self) -> int:
        """Give how many are open."""
        return len(self._open)

    async def serve(self, call: Call, messages: Stream[work_pb2.WorkRequest], find: FindDesk) -> None:
        """Serve one stream until it ends.

        Args:
            call: the stream's.
            messages: to and from the client.
            find: finds the caller's place in a project.

        Raises:
            InvalidCommand: the first message is no hello, or a later one is nothing that a client may send.
            AppendFailed: the engine stopped.
        """
        first = await messages.read()
        if first is None:
            return
        if first.WhichOneof("action") != "hello":
            raise InvalidCommand("the first message must be a hello", {"field": "hello"})
        stream = WorkStream(self._gate, call, find(call, first.hello.project_id), messages, self._holders)
        self._open.add(stream)
        try:
            stream.greet(first.hello)
            await stream.serve()
        finally:
            self._open.discard(stream)

    def go_away(self) -> None:
        """End every stream because the process is about to stop."""
        for stream in self._open:
            stream.go_away(SHUTTING_DOWN)

    def _on_durable(self, _shard: int, _sequence: int, entries: Sequence[Entry]) -> None:
        if not self._holders:
            return
        for entry in entries:
            for event in entry.events:
                if isinstance(event, LEASE_ENDS):
                    stream = self._holders.get(event.assignment)
                    if stream is not None:
                        stream.ended(event.assignment, _told_reason(event))


def _told_reason(event: Event) -> str:
    """Say why a lease ended, empty when its worker ended it."""
    if isinstance(event, facts.LeaseExpired):
        return "LEASE_EXPIRED"
    return event.reason if isinstance(event, facts.LeaseRevoked) else ""
