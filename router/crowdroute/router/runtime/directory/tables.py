"""What of a shard's state stands in the directory: keyspaces, and their rows as JSON for any program.

No row holds a name, a contact, an external id or a person: whoever reads them learns ids, codes and numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from crowdroute.router.events import Entry
from crowdroute.router.events.organisation import (
    PersonErased,
    ProjectRegistered,
    WorkerStatusChanged,
    WorkerUpserted,
)
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import NO_ID, Id, Kind, from_text, to_text
from crowdroute.router.runtime.directory.work import Work
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.state.organisation import ProjectRow, WorkerRow

ADDRESS = "address"
"""The one row of a shard's keyspace."""


class Table(Protocol):
    """One keyspace, as it follows from the state."""

    keyspace: str

    def keys(self) -> Sequence[str]:
        """Give the keys of all rows."""

    def row(self, key: str) -> bytes | None:
        """Give a row as it is now; None when there is none."""

    def touched(self, entries: Sequence[Entry]) -> Iterable[str]:
        """Yield the keys of rows that these entries changed."""


class Profiles:
    """Workers of a tenant by id: status, stages, skills, languages, capacity."""

    def __init__(self, engine: Engine, tenant: str) -> None:
        self._engine = engine
        self._tenant = tenant
        self.keyspace = profiles_of(tenant)

    def keys(self) -> Sequence[str]:
        """Give the ids of all workers."""
        return [to_text(Kind.WORKER, worker) for worker in self._engine.organisation(self._tenant).workers]

    def row(self, key: str) -> bytes | None:
        """Give a worker's profile."""
        found = self._engine.organisation(self._tenant).workers.get(from_text(Kind.WORKER, key))
        return None if found is None else _profile(found)

    def touched(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Yield the workers that changed."""
        stream = organisation_stream(self._tenant)
        for entry in entries:
            if entry.stream == stream:
                for event in entry.events:
                    match event:
                        case WorkerUpserted():
                            yield to_text(Kind.WORKER, event.facts.worker)
                        case WorkerStatusChanged():
                            yield to_text(Kind.WORKER, event.worker)
                        case PersonErased():
                            yield from (to_text(Kind.WORKER, worker) for worker in event.workers)
                        case _:
                            pass


class Places:
    """Projects of a tenant by id: which shard decides for each."""

    def __init__(self, engine: Engine, tenant: str) -> None:
        self._engine = engine
        self._tenant = tenant
        self.keyspace = placement_of(tenant)

    def keys(self) -> Sequence[str]:
        """Give the ids of all projects."""
        projects = self._engine.organisation(self._tenant).projects
        return [to_text(Kind.PROJECT, project) for project in projects]

    def row(self, key: str) -> bytes | None:
        """Give a project's place."""
        found = self._engine.organisation(self._tenant).projects.get(from_text(Kind.PROJECT, key))
        return None if found is None else _place(found)

    def touched(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Yield the projects that are new; none ever moves to another shard."""
        stream = organisation_stream(self._tenant)
        for entry in entries:
            if entry.stream == stream:
                for event in entry.events:
                    if isinstance(event, ProjectRegistered):
                        yield to_text(Kind.PROJECT, event.project)


class ShardAddress:
    """Where clients reach a shard."""

    def __init__(self, shard: int, address: str, epoch: int) -> None:
        self.keyspace = shard_of(shard)
        self._row = _json({"address": address, "epoch": epoch})

    def keys(self) -> Sequence[str]:
        """Give the one key."""
        return (ADDRESS,)

    def row(self, key: str) -> bytes | None:
        """Give the address, and the ownership of the log under which it is served."""
        return self._row if key == ADDRESS else None

    def touched(self, entries: Sequence[Entry]) -> Sequence[str]:
        """Nothing in a log moves a shard."""
        return ()


def tables_of(shard: int, engine: Engine, address: str) -> list[Table]:
    """Give what a shard keeps: where it is, what its projects know of workers, its organisations' facts.

    Args:
        shard: its number.
        engine: started.
        address: where clients reach it.
    """
    tables: list[Table] = [ShardAddress(shard, address, engine.log.epoch), Work(shard, engine)]
    for tenant, _ in engine.organisations():
        tables += [Profiles(engine, tenant), Places(engine, tenant)]
    return tables


def profiles_of(tenant: str) -> str:
    """Name the keyspace of a tenant's workers."""
    return f"profiles/{tenant}"


def placement_of(tenant: str) -> str:
    """Name the keyspace of a tenant's projects."""
    return f"placement/{tenant}"


def shard_of(shard: int) -> str:
    """Name the keyspace of a shard's address."""
    return f"shards/{shard}"


def _profile(row: WorkerRow) -> bytes:
    facts = row.facts
    return _json(
        {
            "id": to_text(Kind.WORKER, facts.worker),
            "version": facts.version,
            "status": facts.status.name.lower(),
            "kind": facts.kind.name.lower(),
            "vendor": _id(Kind.VENDOR, facts.vendor),
            "pool": _id(Kind.POOL, facts.pool),
            "stages": [stage.name.lower() for stage in facts.stages],
            "skills": {skill.name: [skill.level, skill.evidence] for skill in facts.skills},
            "languages": facts.languages,
            "capacity": facts.capacity,
            "paused_until_us": row.until_us,
        }
    )


def _place(row: ProjectRow) -> bytes:
    return _json({"shard": row.shard, "lane": row.lane})


def _id(kind: Kind, identity: Id) -> str | None:
    return None if identity == NO_ID else to_text(kind, identity)


_json = msgspec.json.encode
