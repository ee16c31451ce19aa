"""What is known of a worker, at one version."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

from crowdroute.workers.capacity import UNLIMITED, Capacity
from crowdroute.workers.errors import InvalidProfile
from crowdroute.workers.skill import Skill, with_skill
from crowdroute.workers.status import WorkerStatus

Id = bytes
"""16 bytes."""

ID_BYTES = 16
NO_ID: Id = bytes(ID_BYTES)
"""Stands for "none": a worker of no vendor, in no pool, or whose person was erased."""

_Ordered = TypeVar("_Ordered", int, str)
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*", re.ASCII)


class WorkerKind(IntEnum):
    """A person at work, or a model that labels like one; the numbers are written to logs."""

    HUMAN = 0
    MODEL = 1


class Stage(IntEnum):
    """Who answers at this point of a task's life; the numbers are written to logs."""

    CROWD = 0
    SENIOR = 1
    EXPERT = 2


@dataclass(frozen=True, slots=True)
class WorkerProfile:
    """One version of what is known of a worker."""

    worker: Id
    person: Id = NO_ID
    """The human behind the worker; one person may have several workers. NO_ID: a model, or erased."""
    version: int = 1
    """Rises with every change; of two profiles of a worker the higher stands."""
    kind: WorkerKind = WorkerKind.HUMAN
    status: WorkerStatus = WorkerStatus.NEW
    vendor: Id = NO_ID
    pool: Id = NO_ID
    stages: tuple[Stage, ...] = (Stage.CROWD,)
    """Ascending, each once, at least one."""
    skills: tuple[Skill, ...] = ()
    """In the order of names, each name once; `with_skill` keeps it so."""
    languages: tuple[str, ...] = ()
    """Language tags (BCP 47) in lower case, ascending, each once."""
    capacity: Capacity = UNLIMITED

    def __post_init__(self) -> None:
        """Refuse what is not in the one form that equality and storage count on."""
        for field, identity in (
            ("worker", self.worker),
            ("person", self.person),
            ("vendor", self.vendor),
            ("pool", self.pool),
        ):
            _check_id(field, identity)
        if self.worker == NO_ID:
            raise _invalid("worker", "an all-zero id means nobody")
        if self.kind is WorkerKind.MODEL and self.person != NO_ID:
            raise _invalid("person", "a model is nobody's working identity: leave the person out")
        if self.version < 1:
            raise _invalid("version", f"version {self.version} is below 1")
        if not self.stages or not _ascending(self.stages):
            raise _invalid("stages", f"{self.stages!r} must be ascending, each once, and at least one")
        names = tuple(skill.name for skill in self.skills)
        if not _ascending(names):
            raise _invalid("skills", f"{names!r} must be in the order of names, each once; use with_skill")
        for tag in self.languages:
            check_language(tag)
        if not _ascending(self.languages):
            raise _invalid("languages", f"{self.languages!r} must be ascending, each once")

    def with_skill(self, skill: Skill, version: int) -> WorkerProfile:
        """Give the profile with one piece of evidence added, as a later version.

        Raises:
            InvalidProfile: `version` is not later.
            ConflictingEvidence: the same issue of a skill is known with another content.
        """
        self._check_later(version)
        return replace(self, skills=with_skill(self.skills, skill), version=version)

    def with_status(self, status: WorkerStatus, version: int) -> WorkerProfile:
        """Give the profile with another status, as a later version.

        Raises:
            InvalidProfile: `version` is not later.
        """
        self._check_later(version)
        return replace(self, status=status, version=version)

    def _check_later(self, version: int) -> None:
        if version <= self.version:
            raise _invalid("version", f"version {version} is not later than {self.version}")


def check_language(tag: str) -> None:
    """Refuse what is not a language tag (BCP 47) in lower case, such as `de` or `pt-br`.

    Raises:
        InvalidProfile: it is not.
    """
    if _LANGUAGE.fullmatch(tag) is None:
        raise _invalid(
            "languages", f"{tag[:64]!r} is not a language tag in lower case, such as 'de' or 'pt-br'"
        )


def _check_id(field: str, identity: Id) -> None:
    if len(identity) != ID_BYTES:
        raise _invalid(field, f"an id has {ID_BYTES} bytes, not {len(identity)}")


def _ascending(values: tuple[_Ordered, ...]) -> bool:
    return all(before < after for before, after in pairwise(values))


def _invalid(field: str, what: str) -> InvalidProfile:
    return InvalidProfile(f"worker profile, {field}: {what}", {"field": field})
