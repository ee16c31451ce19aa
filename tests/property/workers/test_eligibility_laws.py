"""More to show never excludes, more to ask never admits, and the quick answer is the full one."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crowdroute.workers.eligibility import (
    AccuracyNeed,
    Eligible,
    Ineligible,
    Requirements,
    SkillNeed,
    is_eligible,
    judge,
)
from crowdroute.workers.profile import Stage, WorkerKind, WorkerProfile
from crowdroute.workers.reliability import AccuracyInterval, accuracy_interval
from crowdroute.workers.skill import Skill, SkillSource, with_skill
from crowdroute.workers.status import WorkerStatus

# Few values each, so that needs and possessions often meet.
NAMES = st.sampled_from(["audio", "german", "law"])
LEVELS = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
IDENTITIES = st.sampled_from([b"a" * 16, b"b" * 16, b"c" * 16])
LANGUAGES = st.sampled_from(["de", "de-at", "en", "fr"])


def ascending(values: st.SearchStrategy[Any], at_least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, min_size=at_least, max_size=3, unique=True).map(lambda each: tuple(sorted(each)))


@st.composite
def skill_sets(draw: st.DrawFn) -> tuple[Skill, ...]:
    return tuple(Skill(name, draw(LEVELS)) for name in draw(ascending(NAMES)))


def sometimes(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Mostly nothing, so that about a quarter of all workers meet what all requirements ask together."""
    return st.just(()) | st.just(()) | ascending(values)


PROFILES = st.builds(
    WorkerProfile,
    worker=IDENTITIES,
    status=st.sampled_from(WorkerStatus),
    kind=st.sampled_from(WorkerKind),
    vendor=IDENTITIES,
    pool=IDENTITIES,
    stages=ascending(st.sampled_from(Stage), at_least=1),
    skills=skill_sets(),
    languages=ascending(LANGUAGES, at_least=1),
)
REQUIREMENTS = st.builds(
    Requirements,
    stage=st.sampled_from(Stage),
    kinds=sometimes(st.sampled_from(WorkerKind)),
    vendors=sometimes(IDENTITIES),
    pools=sometimes(IDENTITIES),
    languages=sometimes(LANGUAGES),
    skills=sometimes(NAMES).flatmap(
        lambda names: st.tuples(*(st.builds(SkillNeed, st.just(name), LEVELS) for name in names))
    ),
    accuracy=st.none() | st.none() | st.builds(AccuracyNeed, LEVELS, st.integers(1, 6)),
)
INTERVALS = st.none() | st.integers(0, 8).flatmap(
    lambda count: st.builds(accuracy_interval, st.integers(0, count), st.just(count))
)


@given(PROFILES, REQUIREMENTS, INTERVALS)
def test_the_quick_answer_is_the_full_one(
    profile: WorkerProfile, requirements: Requirements, accuracy: AccuracyInterval | None
) -> None:
    verdict = judge(profile, requirements, accuracy)
    assert is_eligible(profile, requirements, accuracy) == isinstance(verdict, Eligible)
    assert verdict == judge(profile, requirements, accuracy)
    if isinstance(verdict, Ineligible):
        assert verdict.reasons
        assert len(set(verdict.reasons)) == len(verdict.reasons)


@given(PROFILES, REQUIREMENTS, INTERVALS, NAMES, LEVELS)
def test_a_skill_more_or_a_higher_level_never_excludes(
    profile: WorkerProfile,
    requirements: Requirements,
    accuracy: AccuracyInterval | None,
    name: str,
    level: float,
) -> None:
    known = {skill.name: skill.level for skill in profile.skills}
    higher = Skill(name, max(level, known.get(name, 0.0)), SkillSource.EXAM, count=1)
    raised = replace(profile, skills=with_skill(profile.skills, higher))
    if is_eligible(profile, requirements, accuracy):
        assert is_eligible(raised, requirements, accuracy)


@given(PROFILES, REQUIREMENTS, INTERVALS, LANGUAGES, st.sampled_from(Stage))
def test_a_language_or_a_stage_more_never_excludes(
    profile: WorkerProfile,
    requirements: Requirements,
    accuracy: AccuracyInterval | None,
    language: str,
    stage: Stage,
) -> None:
    more = replace(
        profile,
        languages=tuple(sorted({*profile.languages, language})),
        stages=tuple(sorted({*profile.stages, stage})),
    )
    if is_eligible(profile, requirements, accuracy):
        assert is_eligible(more, requirements, accuracy)


@given(PROFILES, REQUIREMENTS, st.integers(0, 8), st.integers(0, 8))
def test_a_checked_answer_that_was_right_never_excludes(
    profile: WorkerProfile, requirements: Requirements, right: int, wrong: int
) -> None:
    if is_eligible(profile, requirements, accuracy_interval(right, right + wrong)):
        assert is_eligible(profile, requirements, accuracy_interval(right + 1, right + 1 + wrong))


@given(PROFILES, REQUIREMENTS, INTERVALS)
def test_every_requirement_alone_is_met_exactly_when_all_are(
    profile: WorkerProfile, requirements: Requirements, accuracy: AccuracyInterval | None
) -> None:
    """The filter is a conjunction: no requirement changes what another means."""
    stage = requirements.stage
    parts = [
        Requirements(stage=stage),
        Requirements(stage=stage, kinds=requirements.kinds),
        Requirements(stage=stage, vendors=requirements.vendors),
        Requirements(stage=stage, pools=requirements.pools),
        Requirements(stage=stage, languages=requirements.languages),
        Requirements(stage=stage, accuracy=requirements.accuracy),
        *(Requirements(stage=stage, skills=(need,)) for need in requirements.skills),
    ]
    assert is_eligible(profile, requirements, accuracy) == all(
        is_eligible(profile, part, accuracy) for part in parts
    )
