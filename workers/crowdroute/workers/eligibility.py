"""Whether a worker may be given a task, and every reason why not.

A hard filter: what a policy prefers among the eligible is the policy's business. All reasons are found by one
generator, `find_reasons`, in one order, so the quick answer and the full explanation cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from crowdroute.workers.errors import InvalidProfile, InvalidRequirements, InvalidSkill
from crowdroute.workers.profile import ID_BYTES, NO_ID, Id, Stage, WorkerKind, WorkerProfile, check_language
from crowdroute.workers.reliability import AccuracyInterval
from crowdroute.workers.skill import check_name, find_skill
from crowdroute.workers.status import WorkerStatus, may_lease


@dataclass(frozen=True, slots=True)
class SkillNeed:
    """The least level of one skill, in 0..1."""

    name: str
    level: float

    def __post_init__(self) -> None:
        """Refuse a need that no skill could meet."""
        try:
            check_name(self.name)
        except InvalidSkill as error:
            raise _invalid("skills", error.message) from error
        if not 0.0 <= self.level <= 1.0:
            raise _invalid("skills", f"level {self.level} of {self.name!r} lies outside 0..1")


@dataclass(frozen=True, slots=True)
class AccuracyNeed:
    """The least that checked answers must prove: a lower bound of the accuracy, from enough of them."""

    lower_bound: float
    least_count: int = 1

    def __post_init__(self) -> None:
        """Refuse a need that means nothing."""
        if not 0.0 <= self.lower_bound <= 1.0:
            raise _invalid("accuracy", f"lower bound {self.lower_bound} lies outside 0..1")
        if self.least_count < 1:
            raise _invalid("accuracy", f"least count {self.least_count}: nothing is measured from no answers")


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a task asks of a worker: every skill, and of the other lists any one (empty: no matter which)."""

    stage: Stage = Stage.CROWD
    kinds: tuple[WorkerKind, ...] = ()
    vendors: tuple[Id, ...] = ()
    pools: tuple[Id, ...] = ()
    languages: tuple[str, ...] = ()
    """Language ranges in lower case: `de` is met by `de` and `de-at`, `de-at` not by `de`."""
    skills: tuple[SkillNeed, ...] = ()
    accuracy: AccuracyNeed | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could meet, or what asks one thing twice."""
        for field, identities in (("vendors", self.vendors), ("pools", self.pools)):
            if any(len(identity) != ID_BYTES or identity == NO_ID for identity in identities):
                raise _invalid(field, f"an id has {ID_BYTES} bytes, not all zero")
        for tag in self.languages:
            try:
                check_language(tag)
            except InvalidProfile as error:
                raise _invalid("languages", error.message) from error
        names = [need.name for need in self.skills]
        if len(set(names)) != len(names):
            raise _invalid("skills", f"{names!r} ask for one skill twice")


class ReasonCode(StrEnum):
    """What a worker misses, in the order in which it is looked at."""

    STATUS = "STATUS"
    STAGE = "STAGE"
    KIND = "KIND"
    VENDOR = "VENDOR"
    POOL = "POOL"
    LANGUAGE = "LANGUAGE"
    SKILL_MISSING = "SKILL_MISSING"
    SKILL_LEVEL = "SKILL_LEVEL"
    CHECKED_ANSWERS = "CHECKED_ANSWERS"
    ACCURACY = "ACCURACY"


Measure = float | tuple[str, ...]
"""A number, or names; ids as hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a worker misses: what was needed, and what there is."""

    code: ReasonCode
    needed: Measure
    has: Measure
    subject: str = ""
    """The skill's name, where it is about one."""


@dataclass(frozen=True, slots=True)
class Eligible:
    """The worker may be given the task."""


@dataclass(frozen=True, slots=True)
class Ineligible:
    """The worker may not be given the task, for each of these reasons."""

    reasons: tuple[Reason, ...]
    """At least one, in the order of `ReasonCode`; about skills, in the order of the requirements."""


def judge(
    profile: WorkerProfile, requirements: Requirements, accuracy: AccuracyInterval | None = None
) -> Eligible | Ineligible:
    """Say whether the worker meets the requirements, with every reason if not.

    `accuracy` is the worker's interval for the capability at hand; None: never checked.
    """
    reasons = tuple(find_reasons(profile, requirements, accuracy))
    return Ineligible(reasons) if reasons else Eligible()


def is_eligible(
    profile: WorkerProfile, requirements: Requirements, accuracy: AccuracyInterval | None = None
) -> bool:
    """Say whether `judge` would find no reason, stopping at the first."""
    return next(find_reasons(profile, requirements, accuracy), None) is None


def find_reasons(
    profile: WorkerProfile, requirements: Requirements, accuracy: AccuracyInterval | None
) -> Iterator[Reason]:
    """Yield whatever the worker misses, in the order of `ReasonCode`."""
    if not may_lease(profile.status):
        working = tuple(status.name for status in WorkerStatus if may_lease(status))
        yield Reason(ReasonCode.STATUS, working, (profile.status.name,))
    if requirements.stage not in profile.stages:
        has_stages = tuple(stage.name for stage in profile.stages)
        yield Reason(ReasonCode.STAGE, (requirements.stage.name,), has_stages)
    if requirements.kinds and profile.kind not in requirements.kinds:
        kinds = tuple(kind.name for kind in requirements.kinds)
        yield Reason(ReasonCode.KIND, kinds, (profile.kind.name,))
    if requirements.vendors and profile.vendor not in requirements.vendors:
        yield Reason(ReasonCode.VENDOR, _hex(requirements.vendors), _hex((profile.vendor,)))
    if requirements.pools and profile.pool not in requirements.pools:
        yield Reason(ReasonCode.POOL, _hex(requirements.pools), _hex((profile.pool,)))
    if requirements.languages and not _speaks_any(profile.languages, requirements.languages):
        yield Reason(ReasonCode.LANGUAGE, requirements.languages, profile.languages)
    for need in requirements.skills:
        skill = find_skill(profile.skills, need.name)
        if skill is None:
            yield Reason(ReasonCode.SKILL_MISSING, need.level, (), need.name)
        elif skill.level < need.level:
            yield Reason(ReasonCode.SKILL_LEVEL, need.level, skill.level, need.name)
    if requirements.accuracy is not None:
        yield from _accuracy_reasons(requirements.accuracy, accuracy)


def _accuracy_reasons(need: AccuracyNeed, accuracy: AccuracyInterval | None) -> Iterator[Reason]:
    count = 0 if accuracy is None else accuracy.count
    if count < need.least_count:
        yield Reason(ReasonCode.CHECKED_ANSWERS, need.least_count, count)
    if accuracy is not None and accuracy.lower < need.lower_bound:
        yield Reason(ReasonCode.ACCURACY, need.lower_bound, accuracy.lower)


def _speaks_any(tags: tuple[str, ...], ranges: tuple[str, ...]) -> bool:
    """Match tags to ranges by whole subtags (RFC 4647, section 3.3.1, basic filtering)."""
    return any(tag == wanted or tag.startswith(wanted + "-") for wanted in ranges for tag in tags)


def _hex(identities: tuple[Id, ...]) -> tuple[str, ...]:
    return tuple(identity.hex() for identity in identities if identity != NO_ID)


def _invalid(field: str, what: str) -> InvalidRequirements:
    return InvalidRequirements(f"requirements, {field}: {what}", {"field": field})
