"""One shard as its callers see it: commands in, durable replies out, state to look at, content beside it.

The wire, the console and the command line all stand on this object; in a cluster each shard process has one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Protocol

from crowdroute.router.adapters.archive_standing import ArchiveStanding
from crowdroute.router.adapters.codec import keyed_digest
from crowdroute.router.commands import Command, InputStep, Reply, Request
from crowdroute.router.commands.project import NoteOutage
from crowdroute.router.errors import NotFound, RouterError
from crowdroute.router.events import Entry
from crowdroute.router.machine.erasure import contents_to_delete
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import project_stream, tenant_of
from crowdroute.router.model.ids import NO_ID, Id, Kind
from crowdroute.router.ports import Clock, ContentChange, ContentStore, EventLog, Ids
from crowdroute.router.runtime.refit_outcomes import no_outcomes
from crowdroute.router.runtime.shard_loop import ShardLoop
from crowdroute.router.runtime.snapshot_feed import SnapshotFeed
from crowdroute.router.runtime.waiting import Waiting
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.project import Project


class EngineState(StrEnum):
    """Whether the engine takes commands."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    FAILED = "failed"


class Contents(ContentStore, Protocol):
    """A content store that can also be read without blocking the loop."""

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist."""


class Engine:
    """A recovered shard with its log, contents, clock and ids; make it inside a running event loop."""

    def __init__(
        self,
        shard: Shard,
        log: EventLog,
        contents: Contents,
        clock: Clock,
        ids: Ids,
        *,
        content_key: bytes,
        last_us: int | None = None,
        snapshot: int = 0,
    ) -> None:
        """Take over a shard that has folded `log` to its head.

        Args:
            shard: ready to decide (settled).
            log: opened by this process.
            contents: what lies beside the log.
            clock: logged time, at least `last_us`.
            ids: where entropy comes from.
            content_key: 32 secret bytes that key the digests in the log.
            last_us: logged time of the last entry or sign of life; None for an empty log.
            snapshot: sequence of the snapshot that the shard was recovered from; 0 for none.
        """
        self.shard = shard
        self.log = log
        self.contents = contents
        self.clock = clock
        self._ids = ids
        self._content_key = content_key
        self.loop = ShardLoop(
            shard,
            log,
            clock,
            last_us=last_us,
            erasures=self._erasures,
            outages=self._outages,
            matters=self._leases_are_live,
        )
        self.waiting = Waiting(shard)
        self.loop.commits.subscribe(self.waiting.on_durable)
        self._started = False
        self._draining = False
        self._snapshot = snapshot
        self.archive: ArchiveStanding | None = None
        """How the archive of its log stands; None: the log has none."""
        self.scheduled_refits = no_outcomes()
        """How the refits ended that rules made due, since this process serves the shard."""
        self._feed: SnapshotFeed | None = None

    # Life

    @property
    def state(self) -> EngineState:
        """Whether commands are taken."""
        if self.loop.commits.failed.done():
            return EngineState.FAILED
        if self._draining:
            return EngineState.DRAINING
        return EngineState.SERVING if self._started else EngineState.STARTING

    @property
    def failed(self) -> asyncio.Future[RouterError]:
        """Done, with the reason, once the engine can never go on; the process must then exit."""
        return self.loop.commits.failed

    def start(self) -> None:
        """Begin to append, to bring about what is due, and to take commands."""
        self.loop.start()
        self._started = True

    def stop(self, error: RouterError) -> None:
        """Go on no more, for a reason that the engine itself cannot see; everybody who waits is told."""
        self.loop.commits.stop(error)

    async def drain(self) -> None:
        """Send away who waits for work, take nothing new, and answer what was taken.

        Raises:
            AppendFailed: not everything that was taken became durable.
        """
        self._draining = True
        self.waiting.close()
        await self.loop.drain()

    # Snapshots

    def feed_snapshotter(self, feed: SnapshotFeed) -> None:
        """Have each durable batch handed to a snapshotter."""
        self._feed = feed
        self.loop.commits.feed(feed.offer)

    @property
    def snapshot_sequence(self) -> int:
        """Sequence of the newest snapshot that this process knows of; 0 for none."""
        return max(self._snapshot, self._feed.saved if self._feed is not None else 0)

    @property
    def snapshot_at(self) -> float | None:
        """When this process last wrote a snapshot, in seconds since 1970; None: it has not."""
        return self._feed.saved_at if self._feed is not None else None

    @property
    def snapshotter_restarts(self) -> int:
        """How often the snapshotter ended by itself and was started again."""
        return self._feed.deaths if self._feed is not None else 0

    # Commands

    def request(
        self,
        stream: str,
        command: Command,
        *,
        principal: str = "",
        request: str = "",
        key: str = "",
        digest: bytes = b"",
    ) -> Request:
        """Put a command into its envelope, with fresh random bytes.

        Args:
            stream: name of the stream (`organisation_stream`, `project_stream`).
            command: what is asked.
            principal: text id of the token that asks; empty for the engine itself.
            request: the caller's request id.
            key: idempotency key; empty for none.
            digest: hash of the request as the caller sent it; needed with a key when the command holds fresh
                ids.
        """
        return Request(stream, command, self._ids.entropy(), principal, request, key, digest)

    async def submit(self, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Decide a command and answer when its effect is durable; see `ShardLoop.submit`."""
        return await self.loop.submit(request, contents)

    async def take_in(
        self, step: InputStep, request: Request | None, contents: Sequence[ContentChange] = ()
    ) -> None:
        """Take in records of an input; see `ShardLoop.take_in`."""
        await self.loop.take_in(step, request, contents)

    def decide(self, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Decide a command now; nobody may learn of the reply before `observe` returned."""
        return self.loop.decide(request, contents)

    async def observe(self) -> None:
        """Return when everything decided so far is durable; every query awaits this before it answers.

        Raises:
            AppendFailed: it never will be; the answer must not be given.
        """
        await self.loop.commits.observe()

    def subscribe(self, on_durable: Callable[[Sequence[Entry]], None]) -> Callable[[], None]:
        """Have the entries of each batch told once they are durable; gives what ends it.

        A follower must not raise.
        """
        return self.loop.commits.subscribe(on_durable)

    # State; look, do not touch, and `observe` before telling anybody

    def organisation(self, tenant: str) -> OrganisationState:
        """Give a tenant's workers, suppliers, tokens, projects and balances.

        Raises:
            NotFound: there is no such tenant.
        """
        machine: OrganisationMachine = self.shard.organisation(tenant)
        return machine.state

    def project(self, tenant: str, project: Id) -> Project:
        """Give a project's state.

        Raises:
            NotFound: the tenant has no such project.
        """
        return self.shard.project_state(project_stream(tenant, project))

    def projects(self) -> Iterable[tuple[str, Project]]:
        """Yield stream name and state of every project of every tenant."""
        for name in self.shard.streams():
            if not name.endswith("/organisation"):
                yield name, self.shard.project_state(name)

    def organisations(self) -> Iterator[tuple[str, OrganisationMachine]]:
        """Yield tenant and machine of every organisation that lives in this shard."""
        for name in self.shard.streams():
            if name.endswith("/organisation"):
                yield tenant_of(name), self.shard.organisation(tenant_of(name))

    def has_tenant(self, tenant: str) -> bool:
        """Say whether a tenant's organisation exists."""
        try:
            return bool(self.shard.organisation(tenant).state.tenant)
        except NotFound:
            return False

    # Content, digests, ids, time

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist and are durable; keys are made by `model.content`."""
        return await self.contents.fetch(keys)

    def digest(self, content: bytes) -> bytes:
        """Give the 16 bytes that stand in the log for content."""
        return keyed_digest(self._content_key, content)

    def external(self, tenant: str, kind: Kind, text: str) -> Id:
        """Give the keyed digest that stands in the log for an external id; NO_ID for the empty text."""
        if not text:
            return NO_ID
        return keyed_digest(self._content_key, f"{tenant}\0{kind.value}\0{text}".encode())

    def new_id(self) -> Id:
        """Give a fresh id."""
        return self._ids.entropy()

    def now_us(self) -> int:
        """Give logged time."""
        return self.clock.now_us()

    def _erasures(self, entries: Sequence[Entry]) -> Sequence[ContentChange]:
        return [ContentChange(key, None) for key in contents_to_delete(self.shard, entries)]

    def _leases_are_live(self) -> bool:
        return any(state.deadlines.earliest() is not None for _, state in self.projects())

    def _outages(self, length_us: int) -> Iterable[Request]:
        for name, state in self.projects():
            if state.deadlines.earliest() is not None:
                yield self.request(name, NoteOutage(length_us))
