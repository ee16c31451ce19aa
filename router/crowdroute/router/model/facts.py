"""What a project stream knows of a worker, and what a task may ask of one, in the shape the log keeps."""

from __future__ import annotations

import msgspec

from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import Stage, WorkerKind, WorkerStatus


class SkillFact(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A named skill of a worker, its level in 0..1, and how many observations stand behind it."""

    name: str
    level: float
    evidence: int = 0


class WorkerFacts(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One version of a worker's facts, as the organisation stream handed them over."""

    worker: Id
    person: Id
    version: int
    status: WorkerStatus = WorkerStatus.NEW
    kind: WorkerKind = WorkerKind.HUMAN
    vendor: Id = NO_ID
    pool: Id = NO_ID
    stages: tuple[Stage, ...] = (Stage.CROWD,)
    skills: tuple[SkillFact, ...] = ()
    languages: tuple[str, ...] = ()
    capacity: int = 0
    """Live leases the worker may hold; 0 leaves it to the project's rules."""


class SkillNeed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The least level of one skill."""

    name: str
    level: float


class Requirement(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A hard filter: a worker who misses one part is never given the task."""

    skills: tuple[SkillNeed, ...] = ()
    languages: tuple[str, ...] = ()
    pools: tuple[Id, ...] = ()
    vendors: tuple[Id, ...] = ()
    humans_only: bool = False
