from fractions import Fraction
from itertools import permutations

from hypothesis import assume, given
from hypothesis import strategies as st

from crowdroute.workers.errors import ConflictingEvidence
from crowdroute.workers.skill import Skill, SkillSource, pooled, stronger, with_skill

OBSERVED = st.sampled_from([SkillSource.EXAM, SkillSource.MEASURED])
EVIDENCE = st.builds(
    Skill, st.just("german"), st.floats(0, 1), OBSERVED, st.integers(1, 50), st.integers(1, 4)
) | st.builds(Skill, st.just("german"), st.floats(0, 1), version=st.integers(1, 4))


@given(st.lists(EVIDENCE, min_size=3, max_size=3))
def test_evidence_may_arrive_in_any_order_and_repeatedly(evidence: list[Skill]) -> None:
    issues = {(skill.source, skill.version) for skill in evidence}
    assume(len(issues) == len(set(evidence)))
    outcomes = set()
    for order in permutations([*evidence, evidence[0]]):
        skills: tuple[Skill, ...] = ()
        for skill in order:
            skills = with_skill(skills, skill)
        outcomes.add(skills)
    assert len(outcomes) == 1
    assert outcomes.pop()[0] in evidence


@given(EVIDENCE, EVIDENCE)
def test_two_contents_of_one_issue_never_pass_unnoticed(one: Skill, other: Skill) -> None:
    is_conflict = one != other and (one.source, one.version) == (other.source, other.version)
    try:
        assert stronger(one, other) == stronger(other, one)
        assert not is_conflict
    except ConflictingEvidence:
        assert is_conflict


@given(OBSERVED, st.lists(st.tuples(st.integers(1, 500), st.integers(0, 500)), min_size=1, max_size=6))
def test_pooling_counts_every_observation_once(source: SkillSource, batches: list[tuple[int, int]]) -> None:
    """The level is the share of right ones over all batches, to rounding, in whatever batches they came."""
    shares = [(count, min(right, count)) for count, right in batches]
    first, *rest = (
        Skill("german", right / count, source, count, version)
        for version, (count, right) in enumerate(shares, start=1)
    )
    together = first
    for batch in rest:
        together = pooled(together, batch, version=max(together.version, batch.version) + 1)
    exact = Fraction(sum(right for _, right in shares), sum(count for count, _ in shares))
    assert together.count == sum(count for count, _ in shares)
    assert abs(together.level - float(exact)) < 1e-12


@given(OBSERVED, st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10**6))
def test_pooling_equal_levels_keeps_the_level(
    source: SkillSource, level: float, one: int, other: int
) -> None:
    pool = pooled(Skill("german", level, source, one), Skill("german", level, source, other), version=2)
    assert pool.level == level
