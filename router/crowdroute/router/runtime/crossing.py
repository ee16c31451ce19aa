"""Carries facts between streams of different shards, as deduplicated commands; see ADR 13.

Nothing is remembered here that a crash could lose: what is to cross follows from the two states. A project
that is awaited is begun until its stream says that it has; a project that is behind is told when it is seen
to be; a total is told until the organisation has it. A command that was given twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import structlog

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import AwaitProject
from crowdroute.router.commands.project import BeginProject, CreateProject
from crowdroute.router.errors import AtCapacity, InvariantBroken, Refusal, RouterError
from crowdroute.router.events import Entry
from crowdroute.router.machine import crossing
from crowdroute.router.machine.stream import organisation_stream, tenant_of
from crowdroute.router.model import content
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime.carrier import Carrier
from crowdroute.router.runtime.copies import OrganisationCopy, let_go
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.placement import choose, place_of
from crowdroute.router.runtime.totals import tell_totals
from crowdroute.router.state.organisation import AwaitedRow, OrganisationState

LOOK_SECONDS = 1.0
"""Pause between two looks at what did not cross at once: totals that are due, projects still awaited, what
was refused because too much waited for the disk."""

LOOK_ROWS = 100
"""Workers of a project compared with a copy at a stretch: 0.1 ms, and 10 ms where each of them changed."""

_log = structlog.get_logger("crowdroute.crossing")


class Crossing:
    """The crossings that begin or end in the engines of one group."""

    def __init__(
        self,
        engines: Mapping[int, Engine],
        copies: Mapping[str, OrganisationCopy],
        carrier: Carrier,
        shards: int,
    ) -> None:
        """Prepare.

        Args:
            engines: those that serve, by number of their shard; kept up to date by the group.
            copies: by stream: the organisations that live in shards which are not all of the group's.
            carrier: takes commands to other shards.
            shards: how many there are in the installation.
        """
        self._engines = engines
        self._copies = copies
        self._carrier = carrier
        self._shards = shards
        self._refused: deque[tuple[Engine, str, Command]] = deque()
        self._beginning: set[bytes] = set()
        self.held = asyncio.Lock()
        """Taken for what crosses from a project to its organisation, and while a project begins in another
        shard: whoever copies the logs holds both back."""
        self._task: asyncio.Task[None] | None = None
        self._catching_up: dict[str, asyncio.Task[None]] = {}
        """By stream of an organisation: what tells the projects here of a copy that began."""
        self._letting_go: set[asyncio.Task[None]] = set()
        """What gives back the memory of states that were replaced."""

    def start(self) -> None:
        """Begin to look for what did not cross at once."""
        self._task = asyncio.get_running_loop().create_task(self._look_again(), name="crossing")

    async def stop(self) -> None:
        """Carry nothing any more; what did not cross will when the group serves again."""
        beside = [*self._catching_up.values(), *self._letting_go]
        if self._task is not None:
            beside.append(self._task)
        for task in beside:
            task.cancel()
        # Whatever came of them: shards are to be closed next.
        await asyncio.gather(*beside, return_exceptions=True)

    # Projects

    async def create(
        self, request: Request, command: CreateProject, contents: Sequence[ContentChange]
    ) -> Reply:
        """Create a project in the shard that its organisation, which lives here, places it in.

        Raises:
            Refusal: nothing changed.
            RouterError: it may come into being; asked again under the same key, the answer is the same.
        """
        tenant = tenant_of(request.stream)
        number, engine = self._home(tenant)
        organisation = engine.organisation(tenant)
        place = place_of(organisation, command.project)
        shard = choose(organisation, self._shards) if place is None else place.shard
        if shard == number:
            return await engine.submit(request, contents)
        if command.project not in organisation.projects:
            wish = AwaitProject(
                command.project, command.name, shard, command.rules, request.key, request.digest
            )
            await engine.submit(
                engine.request(
                    organisation_stream(tenant), wish, principal=request.principal, request=request.request
                ),
                contents,
            )
            awaited = organisation.awaited.get(command.project)
            if awaited is not None:
                return await self._begin(engine, tenant, awaited)
        begin = BeginProject(command.project, command.name, command.rules)
        again = Request(
            request.stream,
            begin,
            request.entropy,
            request.principal,
            request.request,
            request.key,
            request.digest,
        )
        return await self._carrier.carry(shard, again)

    async def _begin(self, engine: Engine, tenant: str, awaited: AwaitedRow) -> Reply:
        """Have an awaited project's stream begin in its shard, and register it."""
        async with self.held:
            return await self._begin_and_register(engine, tenant, awaited)

    async def _begin_and_register(self, engine: Engine, tenant: str, awaited: AwaitedRow) -> Reply:
        key = content.rules(awaited.project, 1)
        bodies = await engine.fetch((key,))
        reply = await self._carrier.carry(
            awaited.shard,
            crossing.beginning(tenant, awaited),
            [ContentChange(key, body) for body in bodies.values()],
        )
        # The document lies with its project now.
        await engine.submit(crossing.confirmation(tenant, awaited.project), [ContentChange(key, None)])
        return reply

    def _home(self, tenant: str) -> tuple[int, Engine]:
        stream = organisation_stream(tenant)
        for number, engine in self._engines.items():
            if engine.shard.has(stream):
                return number, engine
        raise InvariantBroken(f"a project of {tenant} was to be created where its organisation does not live")

    # Worker facts and erasures

    def begin_copy(self, copy: OrganisationCopy, state: OrganisationState, sequence: int) -> None:
        """Take over an organisation's state from the shard where it lives, and begin to tell the projects
        here."""
        letting_go = asyncio.create_task(let_go(copy.machine.state), name="letting-go")
        self._letting_go.add(letting_go)
        letting_go.add_done_callback(self._letting_go.discard)
        copy.begin(state, sequence)
        before = self._catching_up.get(copy.stream)
        if before is not None:
            before.cancel()
        self._catching_up[copy.stream] = asyncio.create_task(self.catch_up(copy), name="catching-up")

    def fold_into(self, copy: OrganisationCopy, entry: Entry, sequence: int) -> None:
        """Take over a durable entry of an organisation elsewhere, and tell the projects here."""
        copy.fold(entry, sequence)
        self.tell(copy, entry)

    def tell(self, copy: OrganisationCopy, entry: Entry) -> None:
        """Tell the projects here what an entry of an organisation elsewhere, already folded, means."""
        for worker, command in crossing.told_by(entry.events, copy.machine.state):
            for number, engine in self._engines.items():
                if number != copy.shard:
                    for name in engine.shard.knowing(copy.stream, worker):
                        self._decide(engine, name, command)

    async def catch_up(self, copy: OrganisationCopy) -> None:
        """Tell the projects here whatever they have not heard of an organisation elsewhere.

        Others have their turn meanwhile. What they fold into the copy is told as it happens, or found in the
        rows that are still to be looked at; a worker who asks for work brings what is new of them.
        """
        tenant = tenant_of(copy.stream)
        for engine, name in tuple(self._projects_of(copy, tenant)):
            project = engine.shard.project_state(name)
            for first in range(0, project.workers.count, LOOK_ROWS):
                rows = range(first, min(first + LOOK_ROWS, project.workers.count))
                for command in crossing.behind_on_facts(project, copy.machine.state, rows):
                    self._decide(engine, name, command)
                await asyncio.sleep(0)
            for command in crossing.behind_on_erasures(project, copy.machine.state):
                self._decide(engine, name, command)

    def _projects_of(self, copy: OrganisationCopy, tenant: str) -> Iterator[tuple[Engine, str]]:
        for number, engine in self._engines.items():
            if number != copy.shard:
                for name, _ in engine.projects():
                    if tenant_of(name) == tenant:
                        yield engine, name

    def _decide(self, engine: Engine, stream: str, command: Command) -> None:
        try:
            engine.decide(engine.request(stream, command))
        except AtCapacity:
            self._refused.append((engine, stream, command))
        except Refusal:
            # What the organisation logged stands; a project that holds facts which contradict it says so when
            # the worker asks for work, and one that is about to stop is caught up when it serves again.
            pass
        except RouterError:
            pass  # the engine stopped and says so itself

    # What did not cross at once

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Carry once what did not cross at once."""
        for _ in range(len(self._refused)):
            self._decide(*self._refused.popleft())
        for engine in tuple(self._engines.values()):
            await self._begin_awaited(engine)
            async with self.held:
                await tell_totals(engine, self._copies, self._carrier)

    async def _begin_awaited(self, engine: Engine) -> None:
        for tenant, machine in engine.organisations():
            for awaited in tuple(machine.state.awaited.values()):
                if awaited.project in self._beginning:
                    continue
                self._beginning.add(awaited.project)
                try:
                    await engine.observe()
                    await self._begin(engine, tenant, awaited)
                except RouterError as error:
                    _log.warning(
                        "a project is still awaited",
                        project=awaited.project.hex(),
                        shard=awaited.shard,
                        code=error.code,
                        reason=error.message,
                    )
                finally:
                    self._beginning.discard(awaited.project)
