"""The one door of the core: every stream of a shard, commands in, entries and replies out.

`deciding` decides for one stream, `delivering` has what was decided told to others; this says in which order,
and what becomes due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from crowdroute.router.commands import InputStep, Reply, Request
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands.project import CreateProject, RequestNext
from crowdroute.router.events import Batch, Cause, Entry, Event, InputOffset
from crowdroute.router.machine import crossing, saving
from crowdroute.router.machine.balances import UntoldBalances
from crowdroute.router.machine.deciding import Deciding
from crowdroute.router.machine.delivering import Delivering
from crowdroute.router.machine.idempotency import Key
from crowdroute.router.machine.inputs import InputMarks
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.stream import tenant_of
from crowdroute.router.machine.streams import Streams, new_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.state.project import Project


class Shard:
    """All streams that live in one shard; implements `ports.Core`."""

    def __init__(self, shard: int = 0) -> None:
        """Make a shard without streams, with a number that it records in the placements it decides."""
        self.number = shard
        self._streams = Streams()
        self._untold = UntoldBalances(self._streams)
        self._deciding = Deciding(self._streams, self._untold)
        self._delivering = Delivering(shard, self._streams, self._untold, self._deciding)
        self._inputs = InputMarks()

    # Reading

    def organisation(self, tenant: str) -> OrganisationMachine:
        """Give a tenant's organisation.

        Raises:
            NotFound: there is no such tenant.
        """
        return self._streams.organisation(tenant)

    def project(self, tenant: str, project: Id) -> ProjectMachine:
        """Give one project of a tenant.

        Raises:
            NotFound: the tenant has no such project.
        """
        return self._streams.project(tenant, project)

    def project_state(self, stream: str) -> Project:
        """Give the state of the project whose stream has this name.

        Raises:
            NotFound: there is no such stream, or it is not a project's.
        """
        return self._streams.project_at(stream).state

    def input_position(self, topic: str, partition: int, lane: str = "") -> int:
        """Give the first offset of an input partition that is not taken in."""
        return self._inputs.position(topic, partition, lane)

    def has(self, stream: str) -> bool:
        """Say whether a stream lives here."""
        return stream in self._streams

    def knowing(self, organisation: str, worker: Id) -> list[str]:
        """Name the projects here whose organisation lives in another shard and that must hear of changes of a
        worker."""
        tenant = tenant_of(organisation)
        return [
            name
            for name, stream in self._streams.items()
            if stream.apart
            and tenant_of(name) == tenant
            and isinstance(stream.machine, ProjectMachine)
            and crossing.knows(stream.machine.state, worker)
        ]

    def streams(self) -> tuple[str, ...]:
        """Give the names of all streams, in the order in which they began."""
        return tuple(self._streams)

    def look_elsewhere(self, organisations: Mapping[str, OrganisationMachine]) -> None:
        """Go by these, by stream, for worker facts of organisations that live in other shards.

        Who runs the shard keeps them as far as they are durable there; they are never part of this state.
        """
        self._streams.elsewhere = organisations

    # Deciding

    def handle(self, request: Request, now_us: int) -> tuple[tuple[Entry, ...], Reply]:
        """Decide a command and apply what it brings about; no entries when a stored reply is repeated.

        Raises:
            Refusal: nothing changed.
        """
        if request.key:
            repeated = self._deciding.repeated(request, now_us)
            if repeated is not None:
                return (), repeated
        entries, reply = self._execute(request, now_us)
        if self._delivering.owed and (entries or type(request.command) is RequestNext):
            owed, self._delivering.owed = self._delivering.owed, []
            entries = (*owed, *entries)
        return entries, reply

    def replied(self, stream: str, key: Key, digest: bytes, now_us: int) -> Reply | None:
        """Give the reply to a request that was decided before under its key, for those whose command costs
        work to make.

        Raises:
            KeyReused: another request was.
        """
        return self._deciding.replied(stream, key, digest, now_us)

    def take_in(self, step: InputStep, request: Request | None, now_us: int) -> tuple[Entry, ...]:
        """Decide what records of an input ask for, if anything, and advance the input, both or neither.

        Raises:
            Refusal: nothing changed; `WrongState` when the step does not begin where the last one ended.
        """
        self._inputs.check(step)
        entries = self.handle(request, now_us)[0] if request is not None else ()
        self._inputs.reach(InputOffset(step.topic, step.partition, step.next_offset, step.lane))
        return entries

    def _execute(self, request: Request, now_us: int) -> tuple[tuple[Entry, ...], Reply]:
        command = request.command
        if type(command) is RequestNext:
            self._delivering.bring_facts(request.stream, command.worker, now_us)
        elif type(command) is CreateProject:
            return self._delivering.create_project(request, command, now_us)
        entry, reply = self._deciding.run(request, now_us)
        if entry is None:
            return (), reply
        if self._streams[request.stream].is_organisation:
            return (entry, *self._delivering.deliver(request.stream, entry, now_us)), reply
        return (entry,), reply

    # Totals for organisations in other shards

    def outgoing(self, now_us: int) -> Iterator[tuple[str, organisation_wishes.NoteBalances]]:
        """Yield the totals that organisations in other shards do not know and that are old enough.

        Yields:
            Name of the organisation's stream, and a command for it; `told` once it is durable there.
        """
        return self._untold.outgoing(now_us)

    def told(self, stream: str, balances: Sequence[organisation_wishes.NoteBalance], now_us: int) -> None:
        """Learn that an organisation elsewhere knows totals; a newer one is told a minute later."""
        self._untold.told(stream, balances, now_us)

    # Time

    def due(self, now_us: int) -> tuple[Entry, ...]:
        """Bring about what time has made due, in a bounded step; `next_due_us` says whether more is."""
        entries: list[Entry] = []
        for name, stream in list(self._streams.items()):
            moment = max(now_us, stream.last_us)
            due_us = stream.machine.next_due_us()
            if due_us is None or due_us > moment:
                continue
            events: list[Event] = []
            entropy = blake2b(f"{name}@{moment}".encode(), digest_size=16).digest()
            for event in stream.machine.due(moment, entropy):
                stream.machine.apply(event, moment)
                events.append(event)
            if events:
                entry = Entry(name, moment, Cause("due"), tuple(events))
                self._deciding.note(name, stream, entry)
                entries.append(entry)
                if name.endswith("/organisation"):
                    entries += self._delivering.deliver(name, entry, moment)
        owed, self._delivering.owed = self._delivering.owed, []
        return (*owed, *entries, *self._delivering.tell_balances(now_us))

    def next_due_us(self) -> int | None:
        """Give the moment at which `due` has something to do, or None."""
        moments = [
            moment
            for stream in self._streams.values()
            if (moment := stream.machine.next_due_us()) is not None
        ]
        if self._delivering.owed:
            moments.append(0)
        untold_us = self._untold.next_due_us()
        if untold_us is not None:
            moments.append(untold_us)
        return min(moments, default=None)

    # Folding and saving

    def apply(self, batch: Batch) -> None:
        """Fold a batch that was decided before."""
        for entry in batch.entries:
            stream = self._streams.get(entry.stream)
            if stream is None:
                stream = new_stream(entry.stream)
            for event in entry.events:
                stream.machine.apply(event, entry.at_us)
            self._deciding.note(entry.stream, stream, entry)
        for reached in batch.inputs:
            self._inputs.reach(reached)

    def settle(self) -> None:
        """Make ready to decide after a fold: forget balances that the organisation knows, build routing
        indexes."""
        self._untold.forget_known()
        for stream in self._streams.values():
            if isinstance(stream.machine, ProjectMachine) and stream.machine.state.history:
                stream.machine.chooser()

    def pack(self) -> dict[str, bytes]:
        """Give the whole state as named sections."""
        return saving.pack(self._streams, self._untold, self._inputs)

    def unpack(self, sections: Mapping[str, bytes | memoryview]) -> None:
        """Take over a state given by `pack`.

        Raises:
            SnapshotUnusable: the sections are of an unknown version or do not fit together.
        """
        saving.unpack(sections, self._streams, self._untold, self._inputs)

    def digest(self) -> str:
        """Give a hash of all discrete facts of all streams."""
        total = blake2b(digest_size=16)
        for name, stream in self._streams.items():
            total.update(f"{name}@{stream.last_us}:{stream.machine.digest()}".encode())
            total.update(stream.replies.pack())
        total.update(self._inputs.pack() if self._inputs else b"")
        return total.hexdigest()

    def check(self) -> None:
        """Verify every invariant of every stream.

        Raises:
            InvariantBroken: with what does not hold.
        """
        for stream in self._streams.values():
            stream.machine.check()
