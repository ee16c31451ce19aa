"""What every part of the service stands on: finding things in the caller's tenant, having commands decided.

`tenant` and `place` refuse a credential that is bound to a vendor or pool. A call that such a credential may
make uses `reachable` or `reachable_place` and filters what it gives by the `Reach`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

from google.protobuf.message import Message

from crowdroute.router.commands import Command, Reply
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.ports import ContentChange, Jobs
from crowdroute.router.rpc.calls import Call, checked_key
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.convert.schema import Schema
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.reach import Reach, reach_of, require_whole
from crowdroute.router.rpc.schemas import Schemas
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.project import Project

LONGEST_REASON = 200
LONGEST_EXTERNAL_ID = 200


class Place(NamedTuple):
    """One project of the caller's tenant."""

    tenant: str
    stream: str
    state: Project
    engine: Engine
    """Of the shard that the project lives in."""
    schemas: Schemas

    @property
    def schema(self) -> Schema:
        """The schema that holds now."""
        return self.schemas.current(self.stream, self.state)

    def schema_at(self, version: int) -> Schema:
        """Give the schema of an earlier version."""
        return self.schemas.at(self.stream, self.state, version)


class Office:
    """The common ground of the service's parts."""

    def __init__(self, group: ShardGroup, gate: Gate, jobs: Jobs, backups: Path | None = None) -> None:
        """Serve a group.

        Args:
            group: started.
            gate: lets calls in, and knows whether the credential of a call that lasts is still good.
            jobs: what does batch work outside this process.
            backups: where copies of the log go; None: beside the log.
        """
        self._group = group
        self._gate = gate
        self._jobs = jobs
        self._backups = backups
        self._schemas = Schemas()
        self._under_way: WeakValueDictionary[tuple[str, str, str, str], asyncio.Lock] = WeakValueDictionary()
        """By stream, principal, call and idempotency key: held while long work for such a request is done."""
        self._copies: set[asyncio.Task[dict[int, int]]] = set()
        """Copies of the log under way; kept here, since the event loop alone would forget them."""

    def tenant(self, call: Call) -> OrganisationState:
        """Give the caller's whole organisation.

        Raises:
            PermissionRefused: the credential is bound to a vendor or pool.
        """
        require_whole(call.principal)
        return self._group.where.organisation(call.principal.tenant)

    def home(self, call: Call) -> Engine:
        """Give the engine of the shard that the caller's organisation lives in."""
        return self._group.where.engine_of(call.principal.tenant)

    def reachable(self, call: Call) -> tuple[OrganisationState, Reach]:
        """Give the caller's organisation, and how much of it the caller may see."""
        return self._group.where.organisation(call.principal.tenant), reach_of(call.principal)

    def place(self, call: Call, project_id: str) -> Place:
        """Find a project.

        Raises:
            PermissionRefused: the credential is bound to a vendor or pool.
            NotFound: the tenant has no such project.
        """
        require_whole(call.principal)
        return self._place(call.principal.tenant, id_of(Kind.PROJECT, project_id, "project_id"))

    def reachable_place(self, call: Call, project_id: str) -> tuple[Place, Reach]:
        """Find a project, and how much of it the caller may see.

        Raises:
            NotFound: the tenant has no such project.
        """
        place = self._place(call.principal.tenant, id_of(Kind.PROJECT, project_id, "project_id"))
        return place, reach_of(call.principal)

    def _place(self, tenant: str, project: Id) -> Place:
        stream = project_stream(tenant, project)
        engine = self._group.where.engine(stream)
        return Place(tenant, stream, engine.shard.project_state(stream), engine, self._schemas)

    async def others(self, call: Call, message: Message) -> Sequence[bytes]:
        """Give the answers of the other groups to a call that concerns what lives in all of them.

        Raises:
            RouterError: one of them did not answer.
        """
        if self._gate.elsewhere is None or call.part:
            return ()
        return await self._gate.elsewhere.gather(call, call.name, message.SerializeToString())

    async def act(
        self,
        call: Call,
        stream: str,
        command: Command,
        message: Message,
        contents: Sequence[ContentChange] = (),
    ) -> Reply:
        """Have a command decided, under the message's idempotency key if it has one, and wait until it is
        durable.

        Raises:
            Refusal: nothing changed.
        """
        key = checked_key(getattr(message, "idempotency_key", ""))
        request = self._group.request(
            stream,
            command,
            principal=call.principal.name,
            request=call.request,
            key=key,
            digest=request_digest(message) if key else b"",
        )
        return await self._group.submit(request, contents)

    def replied(self, call: Call, place: Place, command: type[Command], message: Message) -> Reply | None:
        """Give the reply to a message whose command was decided before under its idempotency key; `observe`
        before anybody learns of it.

        Raises:
            KeyReused: the key was used for another request.
        """
        key = checked_key(getattr(message, "idempotency_key", ""))
        if not key:
            return None
        known = (call.principal.name, command.__name__, key)
        return place.engine.shard.replied(place.stream, known, request_digest(message), place.engine.now_us())

    def alone(self, call: Call, place: Place, message: Message) -> asyncio.Lock:
        """Give what a request with long work holds meanwhile: a retry that comes before it is over waits."""
        key = checked_key(getattr(message, "idempotency_key", ""))
        if not key:
            return asyncio.Lock()
        return self._under_way.setdefault((place.stream, call.principal.name, call.name, key), asyncio.Lock())

    def decide(
        self, call: Call, stream: str, command: Command, contents: Sequence[ContentChange] = ()
    ) -> Reply:
        """Have a command decided now; `observe` before anybody learns of the reply or the refusal.

        Raises:
            Refusal: nothing changed.
        """
        engine = self._group.where.engine(stream)
        request = engine.request(stream, command, principal=call.principal.name, request=call.request)
        return engine.decide(request, contents)

    async def observe(self) -> None:
        """Wait until everything that an answer may rest on is durable."""
        await self._group.observe()


def organisation_of(call: Call) -> str:
    """Name the stream of the caller's organisation."""
    return organisation_stream(call.principal.tenant)


def request_digest(message: Message) -> bytes:
    """Give the hash by which a retry of a request is told from another request."""
    return blake2b(message.SerializeToString(deterministic=True), digest_size=16).digest()


def checked_text(text: str, field: str, longest: int, least: int = 0) -> str:
    """Give a text back if its length is as it should be.

    Raises:
        InvalidCommand: it is too short or too long.
    """
    if not least <= len(text) <= longest:
        raise InvalidCommand(
            f"{field} has {len(text)} characters: give {least} to {longest}", {"field": field}
        )
    return text
