"""Deliveries between streams of one shard, in the same batch as their cause: worker facts and erasures to
projects, balances to the organisation, a project to the stream that it begins."""

from __future__ import annotations

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands.project import CreateProject
from crowdroute.router.errors import InvalidCommand, NotFound, Refusal
from crowdroute.router.events import Entry
from crowdroute.router.machine import crossing
from crowdroute.router.machine.balances import UntoldBalances
from crowdroute.router.machine.deciding import Deciding
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.stream import organisation_stream, project_stream, tenant_of
from crowdroute.router.machine.streams import Stream, Streams
from crowdroute.router.model.ids import Id, Kind, to_text


class Delivering:
    """Has what one stream decided told to others of the same shard."""

    def __init__(self, shard: int, streams: Streams, untold: UntoldBalances, deciding: Deciding) -> None:
        """Owe nothing yet.

        Args:
            shard: number of the shard, for the placements of projects that begin here.
            streams: of the shard.
            untold: totals that organisations do not know.
            deciding: decides what a delivery brings about.
        """
        self._shard = shard
        self._streams = streams
        self._untold = untold
        self._deciding = deciding
        # Entries of deliveries whose command was refused after them; they lead the next entries given out,
        # but never go alone with a command that may have contents, which would be stored though it did
        # nothing.
        self.owed: list[Entry] = []

    def create_project(
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
        register = organisation_wishes.RegisterProject(command.project, command.name, self._shard)
        registered, _ = self._deciding.run(
            Request(
                organisation_stream(tenant), register, principal=request.principal, request=request.request
            ),
            now_us,
        )
        events, reply = self._deciding.drive(stream, decision, now_us, first)
        entry = self._deciding.entry(request, stream, events, reply, now_us)
        return ((registered, entry) if registered else (entry,)), reply

    def bring_facts(self, name: str, worker: Id, now_us: int) -> None:
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
            entry, _ = self._deciding.run(Request(name, command), now_us)
            if entry is not None:
                self.owed.append(entry)

    def deliver(self, name: str, entry: Entry, now_us: int) -> list[Entry]:
        """Tell the projects that know a worker what just changed about them."""
        organisation = self._streams[name].machine
        assert isinstance(organisation, OrganisationMachine)
        entries: list[Entry] = []
        for worker, command in crossing.told_by(entry.events, organisation.state):
            entries += self._tell(name, worker, command, now_us)
        return entries

    def _tell(self, name: str, worker: Id, command: Command, now_us: int) -> list[Entry]:
        """Have each project of an organisation that knows a worker decide a command."""
        tenant = tenant_of(name)
        entries = []
        for stream_name, stream in list(self._streams.items()):
            machine = stream.machine
            if tenant_of(stream_name) != tenant or not isinstance(machine, ProjectMachine):
                continue
            if crossing.knows(machine.state, worker):
                try:
                    entry, _ = self._deciding.run(Request(stream_name, command), now_us)
                except Refusal:
                    # What the organisation logged stands. The project holds facts about that worker which
                    # contradict it (they came from elsewhere), and says so when the worker asks for work.
                    continue
                if entry is not None:
                    entries.append(entry)
        return entries

    def tell_balances(self, now_us: int) -> list[Entry]:
        """Tell organisations the totals that are old enough."""
        entries = []
        for name, command in self._untold.due(now_us):
            try:
                entry, _ = self._deciding.run(Request(organisation_stream(tenant_of(name)), command), now_us)
            except NotFound:
                continue  # a worker whom the organisation does not have, as tests of one stream alone do
            if entry is not None:
                entries.append(entry)
        return entries
