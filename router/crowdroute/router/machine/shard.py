"""The one door of the core: every stream of a shard, commands in, entries and replies out.

What this adds to the streams' own machines: logged time that never goes back, idempotency keys, and the
deliveries between streams (worker facts to projects, balances to the organisation), which go into the same
batch as their cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from crowdroute.router.commands import Command, InputStep, Reply, Request
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands.project import BeginProject, CreateProject, RequestNext
from crowdroute.router.errors import InvalidCommand, InvariantBroken, NotFound, Refusal
from crowdroute.router.events import Batch, Cause, Entry, Event, InputOffset
from crowdroute.router.events.project import EntryPosted
from crowdroute.router.machine import crossing, saving
from crowdroute.router.machine.balances import UntoldBalances
from crowdroute.router.machine.idempotency import Key, Remembered
from crowdroute.router.machine.inputs import InputMarks
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.stream import (
    Decision,
    organisation_stream,
    project_stream,
    tenant_of,
)
from crowdroute.router.machine.streams import Stream, Streams, new_stream
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.state.project import Project

_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


class Shard:
    """All streams that live in one shard; implements `ports.Core`."""

    def __init__(self, shard: int = 0) -> None:
        """Make a shard without streams, with a number that it records in the placements it decides."""
        self.number = shard
        self._streams = Streams()
        # Entries of deliveries whose command was refused after them; they lead the next entries given out,
        # but never go alone with a command that may have contents, which would be stored though it did
        # nothing.
        self._owed: list[Entry] = []
        self._untold = UntoldBalances(self._streams)
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
            repeated = self._repeated(request, now_us)
            if repeated is not None:
                return (), repeated
        entries, reply = self._execute(request, now_us)
        if self._owed and (entries or type(request.command) is RequestNext):
            owed, self._owed = self._owed, []
            entries = (*owed, *entries)
        return entries, reply

    def remembers(self, stream: str, key: Key, digest: bytes, now_us: int) -> bool:
        """Say whether a request was decided before under its key, for those whose command costs work to make.

        Raises:
            KeyReused: another request was.
        """
        found = self._streams.get(stream)
        return found is not None and found.replies.find(key, digest, now_us) is not None

    def take_in(self, step: InputStep, request: Request | None, now_us: int) -> tuple[Entry, ...]:
        """Decide what records of an input ask for, if anything, and advance the input, both or neither.

        Raises:
            Refusal: nothing changed; `WrongState` when the step does not begin where the last one ended.
        """
        self._inputs.check(step)
        entries = self.handle(request, now_us)[0] if request is not None else ()
        self._inputs.reach(InputOffset(step.topic, step.partition, step.next_offset, step.lane))
        return entries

    def _repeated(self, request: Request, now_us: int) -> Reply | None:
        stream = self._streams.get(request.stream)
        if stream is None:
            return None
        key = (request.principal, type(request.command).__name__, request.key)
        raw = stream.replies.find(key, _digest(request), now_us)
        return None if raw is None else _replies.decode(raw)

    def _execute(self, request: Request, now_us: int) -> tuple[tuple[Entry, ...], Reply]:
        command = request.command
        if type(command) is RequestNext:
            self._bring_facts(request.stream, command.worker, now_us)
        elif type(command) is CreateProject:
            return self._create_project(request, command, now_us)
        entry, reply = self._run(request, now_us)
        if entry is None:
            return (), reply
        if self._streams[request.stream].is_organisation:
            return (entry, *self._deliver(request.stream, entry, now_us)), reply
        return (entry,), reply

    def _run(self, request: Request, now_us: int) -> tuple[Entry | None, Reply]:
        """Decide one command on one stream."""
        stream = self._streams.get(request.stream) or self._begin(request)
        moment = now_us if now_us > stream.last_us else stream.last_us
        events, reply = self._drive(stream, stream.machine.decide(request, moment), moment)
        if not events:
            return None, reply
        return self._entry(request, stream, events, reply, moment), reply

    def _begin(self, request: Request) -> Stream:
        if isinstance(request.command, organisation_wishes.CreateOrganisation):
            return Stream(OrganisationMachine())
        if isinstance(request.command, BeginProject):
            return Stream(ProjectMachine())
        kind = "organisation" if request.stream.endswith("/organisation") else "project"
        raise NotFound(f"there is no {kind} of that name here")

    def _drive(
        self, stream: Stream, decision: Decision, now_us: int, first: Event | None = None
    ) -> tuple[list[Event], Reply]:
        """Apply each event of a decision before the next is asked for."""
        events: list[Event] = []
        apply = stream.machine.apply
        try:
            event = next(decision) if first is None else first
            while True:
                apply(event, now_us)
                events.append(event)
                event = next(decision)
        except StopIteration as end:
            reply: Reply = end.value
            return events, reply
        except Refusal as refusal:
            if events:
                raise InvariantBroken(f"refused after {len(events)} events: {refusal.message}") from refusal
            raise

    def _entry(
        self, request: Request, stream: Stream, events: list[Event], reply: Reply, now_us: int
    ) -> Entry:
        digest = encoded = b""
        if request.key:
            digest, encoded = _digest(request), msgspec.msgpack.encode(reply)
        command = type(request.command).__name__
        cause = Cause(command, request.principal, request.request, request.key, digest)
        entry = Entry(request.stream, now_us, cause, tuple(events), encoded)
        self._note(request.stream, stream, entry)
        return entry

    def _note(self, name: str, stream: Stream, entry: Entry) -> None:
        """Keep what the shard itself folds of an entry: the stream, its time, the reply, untold balances."""
        if name not in self._streams:
            self._streams.begin(name, stream)
        stream.last_us = entry.at_us
        cause = entry.cause
        if cause.key:
            stream.replies.remember(
                Remembered(
                    (cause.principal, cause.command, cause.key), cause.digest, entry.reply, entry.at_us
                )
            )
        for event in entry.events:
            if type(event) is EntryPosted:
                self._untold.note(name, event.worker, stream.apart, entry.at_us)

    # Deliveries between streams

    def _create_project(
        self, request: Request, command: CreateProject, now_us: int
    ) -> tuple[tuple[Entry, ...], Reply]:
        """Register a project with its organisation and begin its stream, both or neither."""
        tenant = tenant_of(request.stream)
        if request.stream != project_stream(tenant, command.project):
            raise InvalidCommand(
                f"{to_text(Kind.PROJECT, command.project)} cannot begin in the stream {request.stream!r}: "
                f"send the command to {project_stream(tenant, command.project)!r}",
                {"field": "project"},
            )
        if request.stream in self._streams:
            stream = self._streams[request.stream]
        else:
            stream = Stream(ProjectMachine())
        decision = stream.machine.decide(request, now_us)
        first = next(decision)
        register = organisation_wishes.RegisterProject(command.project, command.name, self.number)
        registered, _ = self._run(
            Request(
                organisation_stream(tenant), register, principal=request.principal, request=request.request
            ),
            now_us,
        )
        events, reply = self._drive(stream, decision, now_us, first)
        entry = self._entry(request, stream, events, reply, now_us)
        return ((registered, entry) if registered else (entry,)), reply

    def _bring_facts(self, name: str, worker: Id, now_us: int) -> None:
        """Deliver what the organisation knows of a worker, be it their erasure, to a project that is about to
        use them."""
        stream = self._streams.get(name)
        if stream is None or not isinstance(stream.machine, ProjectMachine):
            return
        organisation = stream.organisation
        if organisation is None:
            organisation = stream.organisation = self._streams.organisation_of(name)
            if organisation is None:
                return
        command = crossing.unheard(stream.machine.state, organisation.state, worker)
        if command is not None:
            entry, _ = self._run(Request(name, command), now_us)
            if entry is not None:
                self._owed.append(entry)

    def _deliver(self, name: str, entry: Entry, now_us: int) -> list[Entry]:
        """Tell the projects that know a worker what just changed about them."""
        organisation = self._streams[name].machine
        assert isinstance(organisation, OrganisationMachine)
        entries: list[Entry] = []
        for worker, command in crossing.told_by(entry.events, organisation.state):
            entries += self._tell(name, worker, command, now_us)
        return entries

    def _tell(self, name: str, worker: Id, command: Command, now_us: int) -> list[Entry]:
        tenant = tenant_of(name)
        entries = []
        for stream_name, stream in list(self._streams.items()):
            machine = stream.machine
            if tenant_of(stream_name) != tenant or not isinstance(machine, ProjectMachine):
                continue
            if crossing.knows(machine.state, worker):
                try:
                    entry, _ = self._run(Request(stream_name, command), now_us)
                except Refusal:
                    # What the organisation logged stands. The project holds facts about that worker which
                    # contradict it (they came from elsewhere), and says so when the worker asks for work.
                    continue
                if entry is not None:
                    entries.append(entry)
        return entries

    def _tell_balances(self, now_us: int) -> list[Entry]:
        """Tell organisations the totals that are old enough."""
        entries = []
        for name, command in self._untold.due(now_us):
            try:
                entry, _ = self._run(Request(organisation_stream(tenant_of(name)), command), now_us)
            except NotFound:
                continue  # a worker whom the organisation does not have, as tests of one stream alone do
            if entry is not None:
                entries.append(entry)
        return entries

    def outgoing(self, now_us: int) -> list[tuple[str, organisation_wishes.NoteBalance]]:
        """Give the totals that organisations in other shards do not know and that are old enough.

        Returns:
            Name of the project's stream, and the command for its organisation; `told` once it is durable
            there.
        """
        return self._untold.outgoing(now_us)

    def told(self, name: str, balance: organisation_wishes.NoteBalance, now_us: int) -> None:
        """Learn that the organisation of a project knows a total; a newer one is told a minute later."""
        self._untold.told(name, balance, now_us)

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
                self._note(name, stream, entry)
                entries.append(entry)
                if name.endswith("/organisation"):
                    entries += self._deliver(name, entry, moment)
        owed, self._owed = self._owed, []
        return (*owed, *entries, *self._tell_balances(now_us))

    def next_due_us(self) -> int | None:
        """Give the moment at which `due` has something to do, or None."""
        moments = [
            moment
            for stream in self._streams.values()
            if (moment := stream.machine.next_due_us()) is not None
        ]
        if self._owed:
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
            self._note(entry.stream, stream, entry)
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


def _digest(request: Request) -> bytes:
    """Give the hash that tells one request under an idempotency key from another."""
    return request.digest or blake2b(msgspec.msgpack.encode(request.command), digest_size=16).digest()
