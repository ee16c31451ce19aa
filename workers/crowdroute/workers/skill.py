"""A skill is a named level with the evidence behind it; one piece of evidence replaces or joins another.

Levels lie in 0..1. Nothing here changes in place: a set of skills is a tuple in the order of names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from crowdroute.workers.errors import ConflictingEvidence, InvalidSkill

LONGEST_NAME = 128
"""Characters: a name is a key in every log record that carries the skill, not a description."""


class SkillSource(IntEnum):
    """Where a level comes from; what is higher outweighs what is lower, whatever its age."""

    DECLARED = 0
    """The worker or the vendor says so; nothing was observed."""
    EXAM = 1
    """Answers to a qualification."""
    MEASURED = 2
    """Checked answers from real work."""


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill of one worker."""

    name: str
    level: float
    """In 0..1."""
    source: SkillSource = SkillSource.DECLARED
    count: int = 0
    """Observations behind the level: none for a declaration, at least one otherwise."""
    version: int = 1
    """Rises with each issue from the same source; names this piece of evidence together with the source."""

    def __post_init__(self) -> None:
        """Refuse what cannot be a skill."""
        check_name(self.name)
        if not 0.0 <= self.level <= 1.0:
            raise _invalid(self.name, "level", f"level {self.level} lies outside 0..1")
        if (self.count == 0) != (self.source is SkillSource.DECLARED) or self.count < 0:
            raise _invalid(
                self.name,
                "count",
                f"{self.source.name} with {self.count} observations: a declaration has none, all else some",
            )
        if self.version < 1:
            raise _invalid(self.name, "version", f"version {self.version} is below 1")


def check_name(name: str) -> None:
    """Refuse a name that is empty, too long, or could be mistaken for another.

    Raises:
        InvalidSkill: the name is unusable.
    """
    if not 1 <= len(name) <= LONGEST_NAME or name != name.strip() or not name.isprintable():
        raise _invalid(
            name, "name", f"a name has 1 to {LONGEST_NAME} printable characters and no space around it"
        )


def stronger(one: Skill, other: Skill) -> Skill:
    """Give the one of two pieces of evidence for a skill that stands.

    A higher source outweighs a lower one; within a source the later version replaces the earlier. The order
    in which evidence arrives therefore does not matter, nor does its repetition.

    Raises:
        InvalidSkill: they are different skills.
        ConflictingEvidence: same source and version, yet not the same evidence.
    """
    _check_same_name(one, other)
    if (one.source, one.version) == (other.source, other.version) and one != other:
        raise ConflictingEvidence(
            f"skill {one.name!r}: version {one.version} from {one.source.name} was issued twice, "
            f"as {one.level} of {one.count} observations and {other.level} of {other.count}; "
            f"issue one of them as version {one.version + 1}",
            {"skill": one.name, "field": "version"},
        )
    return max(one, other, key=lambda skill: (skill.source, skill.version))


def pooled(one: Skill, other: Skill, version: int) -> Skill:
    """Give the level that two disjoint sets of observations support together, as a new version.

    The level is the mean weighted by observations: what one count over both sets would have given.

    Raises:
        InvalidSkill: they are different skills, from different sources, declarations, or `version` is not
            later than both.
    """
    _check_same_name(one, other)
    if one.source is not other.source or one.source is SkillSource.DECLARED:
        raise _invalid(
            one.name,
            "source",
            f"cannot pool {one.source.name} with {other.source.name}: only observations of one kind add up",
        )
    if version <= max(one.version, other.version):
        raise _invalid(one.name, "version", f"version {version} is not later than those it pools")
    count = one.count + other.count
    level = (one.level * one.count + other.level * other.count) / count
    # Rounding may carry the mean of two equal levels past them by one unit in the last place.
    level = min(max(level, min(one.level, other.level)), max(one.level, other.level))
    return Skill(one.name, level, one.source, count, version)


def find_skill(skills: tuple[Skill, ...], name: str) -> Skill | None:
    """Give the skill of that name, or None."""
    for skill in skills:
        if skill.name == name:
            return skill
    return None


def with_skill(skills: tuple[Skill, ...], skill: Skill) -> tuple[Skill, ...]:
    """Give the skills with one piece of evidence added; the stronger one stands where the name is there.

    Raises:
        ConflictingEvidence: as `stronger` says.
    """
    current = find_skill(skills, skill.name)
    standing = skill if current is None else stronger(current, skill)
    others = tuple(other for other in skills if other.name != skill.name)
    return tuple(sorted((*others, standing), key=lambda each: each.name))


def _check_same_name(one: Skill, other: Skill) -> None:
    if one.name != other.name:
        raise _invalid(one.name, "name", f"{one.name!r} and {other.name!r} are different skills")


def _invalid(name: str, field: str, what: str) -> InvalidSkill:
    return InvalidSkill(
        f"skill {name[:LONGEST_NAME]!r}: {what}", {"skill": name[:LONGEST_NAME], "field": field}
    )
