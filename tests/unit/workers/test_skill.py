import pytest

from crowdroute.workers.errors import ConflictingEvidence, InvalidSkill
from crowdroute.workers.skill import Skill, SkillSource, find_skill, pooled, stronger, with_skill

DECLARED = Skill("german", 0.9)
EXAM = Skill("german", 0.7, SkillSource.EXAM, count=20)
MEASURED = Skill("german", 0.6, SkillSource.MEASURED, count=5)


def test_what_was_measured_outweighs_an_exam_and_an_exam_a_declaration() -> None:
    assert stronger(DECLARED, EXAM) == EXAM
    assert stronger(MEASURED, EXAM) == MEASURED
    assert stronger(MEASURED, Skill("german", 1.0, version=99)) == MEASURED


def test_within_a_source_the_later_version_stands_even_if_it_is_lower() -> None:
    later = Skill("german", 0.4, SkillSource.EXAM, count=3, version=2)
    assert stronger(EXAM, later) == stronger(later, EXAM) == later


def test_one_version_with_two_contents_is_refused() -> None:
    with pytest.raises(ConflictingEvidence, match="version 1 from EXAM was issued twice"):
        stronger(EXAM, Skill("german", 0.8, SkillSource.EXAM, count=20))


def test_pooled_evidence_is_the_share_over_all_observations() -> None:
    """15 of 20 right and 4 of 5 right are 19 of 25 right."""
    one = Skill("german", 15 / 20, SkillSource.MEASURED, count=20, version=3)
    other = Skill("german", 4 / 5, SkillSource.MEASURED, count=5, version=4)
    both = pooled(one, other, version=5)
    assert both.level == pytest.approx(19 / 25, abs=1e-15)
    assert (both.count, both.version, both.source) == (25, 5, SkillSource.MEASURED)


@pytest.mark.parametrize(
    ("one", "other", "version"),
    [
        (EXAM, MEASURED, 2),
        (DECLARED, DECLARED, 2),
        (EXAM, EXAM, 1),
        (EXAM, Skill("french", 0.7, SkillSource.EXAM, count=20), 2),
    ],
)
def test_evidence_that_does_not_add_up_is_not_pooled(one: Skill, other: Skill, version: int) -> None:
    with pytest.raises(InvalidSkill):
        pooled(one, other, version)


def test_skills_stay_in_the_order_of_names_and_the_old_ones_unchanged() -> None:
    old = with_skill(with_skill((), EXAM), Skill("audio", 0.5))
    new = with_skill(old, MEASURED)
    assert [skill.name for skill in new] == ["audio", "german"]
    assert find_skill(new, "german") == MEASURED
    assert find_skill(old, "german") == EXAM
    assert find_skill(new, "latin") is None


@pytest.mark.parametrize("level", [-0.01, 1.01, float("nan")])
def test_a_level_outside_0_to_1_is_refused(level: float) -> None:
    with pytest.raises(InvalidSkill) as refused:
        Skill("german", level)
    assert refused.value.details == {"skill": "german", "field": "level"}


@pytest.mark.parametrize("name", ["", " german", "german ", "ger\nman", "x" * 129])
def test_a_name_that_could_be_mistaken_for_another_is_refused(name: str) -> None:
    with pytest.raises(InvalidSkill):
        Skill(name, 0.5)


@pytest.mark.parametrize(
    ("source", "count", "version"),
    [
        (SkillSource.DECLARED, 3, 1),
        (SkillSource.EXAM, 0, 1),
        (SkillSource.MEASURED, -1, 1),
        (SkillSource.EXAM, 1, 0),
    ],
)
def test_evidence_that_its_source_cannot_have_is_refused(
    source: SkillSource, count: int, version: int
) -> None:
    with pytest.raises(InvalidSkill):
        Skill("german", 0.5, source, count, version)
