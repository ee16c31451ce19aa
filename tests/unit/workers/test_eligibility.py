from collections.abc import Callable
from dataclasses import replace

import pytest

from crowdroute.workers.eligibility import (
    AccuracyNeed,
    Eligible,
    Ineligible,
    Reason,
    ReasonCode,
    Requirements,
    SkillNeed,
    judge,
)
from crowdroute.workers.errors import InvalidRequirements
from crowdroute.workers.profile import NO_ID, Stage, WorkerKind, WorkerProfile
from crowdroute.workers.reliability import accuracy_interval
from crowdroute.workers.skill import Skill
from crowdroute.workers.status import WorkerStatus

VENDOR, OTHER_VENDOR, POOL, OTHER_POOL = (letter * 16 for letter in (b"v", b"x", b"p", b"q"))
PROFILE = WorkerProfile(
    b"w" * 16,
    status=WorkerStatus.QUALIFIED,
    vendor=VENDOR,
    pool=POOL,
    skills=(Skill("german", 0.8),),
    languages=("de-at", "en"),
)


def test_whoever_is_not_stopped_meets_no_requirements() -> None:
    assert judge(PROFILE, Requirements()) == Eligible()


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        (Requirements(stage=Stage.EXPERT), Reason(ReasonCode.STAGE, ("EXPERT",), ("CROWD",))),
        (Requirements(kinds=(WorkerKind.MODEL,)), Reason(ReasonCode.KIND, ("MODEL",), ("HUMAN",))),
        (
            Requirements(vendors=(OTHER_VENDOR,)),
            Reason(ReasonCode.VENDOR, (OTHER_VENDOR.hex(),), (VENDOR.hex(),)),
        ),
        (Requirements(pools=(OTHER_POOL,)), Reason(ReasonCode.POOL, (OTHER_POOL.hex(),), (POOL.hex(),))),
        (Requirements(languages=("fr",)), Reason(ReasonCode.LANGUAGE, ("fr",), ("de-at", "en"))),
        (
            Requirements(skills=(SkillNeed("latin", 0.0),)),
            Reason(ReasonCode.SKILL_MISSING, 0.0, (), "latin"),
        ),
        (
            Requirements(skills=(SkillNeed("german", 0.81),)),
            Reason(ReasonCode.SKILL_LEVEL, 0.81, 0.8, "german"),
        ),
    ],
)
def test_what_is_missed_is_told_with_what_was_needed(requirements: Requirements, reason: Reason) -> None:
    assert judge(PROFILE, requirements) == Ineligible((reason,))


@pytest.mark.parametrize(
    "requirements",
    [
        Requirements(stage=Stage.CROWD, kinds=(WorkerKind.MODEL, WorkerKind.HUMAN)),
        Requirements(vendors=(OTHER_VENDOR, VENDOR), pools=(POOL,)),
        Requirements(skills=(SkillNeed("german", 0.8),)),
        Requirements(languages=("fr", "en")),
        Requirements(languages=("de",)),
    ],
)
def test_one_of_a_list_is_enough_and_a_level_is_reached_at_its_value(requirements: Requirements) -> None:
    assert judge(PROFILE, requirements) == Eligible()


def test_a_language_is_matched_by_whole_subtags_only() -> None:
    """A range meets its regions; a region does not stand for all, nor a prefix for a language."""
    speaks_german = replace(PROFILE, languages=("de",))
    assert isinstance(judge(speaks_german, Requirements(languages=("de-at",))), Ineligible)
    speaks_dene = replace(PROFILE, languages=("den",))
    assert isinstance(judge(speaks_dene, Requirements(languages=("de",))), Ineligible)


@pytest.mark.parametrize("status", list(WorkerStatus))
def test_the_paused_and_the_banned_are_told_so(status: WorkerStatus) -> None:
    verdict = judge(replace(PROFILE, status=status), Requirements())
    if status in (WorkerStatus.PAUSED, WorkerStatus.BANNED):
        working = ("NEW", "QUALIFIED", "TRUSTED", "PROBATION")
        assert verdict == Ineligible((Reason(ReasonCode.STATUS, working, (status.name,)),))
    else:
        assert verdict == Eligible()


def test_an_accuracy_needs_enough_checked_answers_and_a_high_enough_bound() -> None:
    requirements = Requirements(accuracy=AccuracyNeed(0.7, least_count=20))
    few = Reason(ReasonCode.CHECKED_ANSWERS, 20, 0)
    assert judge(PROFILE, requirements) == Ineligible((few,))
    assert judge(PROFILE, requirements, accuracy_interval(20, 20)) == Eligible()
    low = accuracy_interval(17, 20)
    assert judge(PROFILE, requirements, low) == Ineligible((Reason(ReasonCode.ACCURACY, 0.7, low.lower),))
    both = accuracy_interval(1, 2)
    assert judge(PROFILE, requirements, both) == Ineligible(
        (Reason(ReasonCode.CHECKED_ANSWERS, 20, 2), Reason(ReasonCode.ACCURACY, 0.7, both.lower))
    )


def test_all_reasons_are_told_in_one_order() -> None:
    """The order in which the requirements list their skills is kept, all else is the order of the codes."""
    verdict = judge(
        replace(PROFILE, status=WorkerStatus.BANNED, vendor=NO_ID),
        Requirements(
            stage=Stage.SENIOR,
            kinds=(WorkerKind.MODEL,),
            vendors=(VENDOR,),
            pools=(OTHER_POOL,),
            languages=("fr",),
            skills=(SkillNeed("german", 0.9), SkillNeed("audio", 0.1)),
            accuracy=AccuracyNeed(0.99, 5),
        ),
        accuracy_interval(1, 2),
    )
    assert isinstance(verdict, Ineligible)
    assert [reason.code for reason in verdict.reasons] == [
        ReasonCode.STATUS,
        ReasonCode.STAGE,
        ReasonCode.KIND,
        ReasonCode.VENDOR,
        ReasonCode.POOL,
        ReasonCode.LANGUAGE,
        ReasonCode.SKILL_LEVEL,
        ReasonCode.SKILL_MISSING,
        ReasonCode.CHECKED_ANSWERS,
        ReasonCode.ACCURACY,
    ]
    assert verdict.reasons[3].has == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: SkillNeed("", 0.5),
        lambda: SkillNeed("german", 1.5),
        lambda: AccuracyNeed(1.5),
        lambda: AccuracyNeed(0.5, least_count=0),
        lambda: Requirements(pools=(NO_ID,)),
        lambda: Requirements(vendors=(b"short",)),
        lambda: Requirements(languages=("EN",)),
        lambda: Requirements(skills=(SkillNeed("german", 0.1), SkillNeed("german", 0.2))),
    ],
)
def test_a_requirement_that_means_nothing_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidRequirements):
        make()
