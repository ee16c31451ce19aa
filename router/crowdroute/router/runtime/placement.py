"""Which shard a stream lives in, and who serves that shard.

Where a stream lives is recorded once, in the log: a project's place stands in its organisation's stream
(`ProjectRegistered`, `ProjectAwaited`), an organisation's is where its stream began. Who serves a shard
changes, and whoever decides it (settings, a supervisor) says so with a generation that only rises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.state.organisation import OrganisationState

FIRST_SHARD = 0
"""Where an organisation's stream begins."""


class Place(NamedTuple):
    """Where a stream lives, for good."""

    shard: int
    lane: int = 0
    """0 until a project outgrows one shard and is split."""


class Owner(NamedTuple):
    """A group that serves a shard."""

    peers: str
    """host:port where the other groups reach it."""
    public: str
    """host:port where clients reach it; empty when they are not to be told."""


class ShardMap(NamedTuple):
    """Who serves each shard of the installation, as one process knows it."""

    shards: int = 1
    """How many there are; they are numbered from 0."""
    generation: int = 1
    """Rises with each change of who serves what."""
    others: Mapping[int, Owner] = {}
    """By shard: the groups of other processes."""


def place_of(organisation: OrganisationState, project: Id) -> Place | None:
    """Give the place that was recorded for a project, or None when the organisation has no such project."""
    row = organisation.projects.get(project) or organisation.awaited.get(project)
    return None if row is None else Place(row.shard, row.lane)


def choose(organisation: OrganisationState, shards: int) -> int:
    """Give the shard for a new project: one with fewest of the organisation's projects, the lowest of them.

    Args:
        organisation: whose project it will be.
        shards: how many shards there are.
    """
    taken = Counter(row.shard for row in organisation.projects.values())
    taken.update(row.shard for row in organisation.awaited.values())
    return min(range(shards), key=lambda shard: (taken[shard], shard))


def require_in_place(organisation: OrganisationState, shard: int, streams: frozenset[str]) -> None:
    """See that a shard's log holds the projects that are placed in it and no other's.

    Args:
        organisation: whose projects are looked at.
        shard: number of the shard.
        streams: names of the streams in its log.

    Raises:
        ConfigurationError: it is the log of another shard.
    """
    for row in organisation.projects.values():
        here = project_stream(organisation.tenant, row.project) in streams
        if here != (row.shard == shard):
            raise ConfigurationError(
                f"project {row.name} is placed in shard {row.shard}, but the log of shard {shard}"
                f" {'holds it' if here else 'lacks it'}: the logs of shards were exchanged, or one is of"
                " another time; put each back in its place",
                {"project": row.project.hex(), "shard": str(shard)},
            )
