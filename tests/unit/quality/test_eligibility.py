"""Which signatures a worker may be given, and every reason why not."""

from __future__ import annotations

import pytest
from tests.support.desk import Desk

from crowdroute.router.commands.project import RequestNext
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.facts import Requirement, SkillFact, SkillNeed, WorkerFacts
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.states import Stage, WorkerKind
from crowdroute.router.quality.eligibility import (
    misses,
    profile_of,
    requirements_of,
)
from crowdroute.workers.eligibility import ReasonCode

LAW = SkillNeed("law", 0.5)


def test_facts_become_a_profile_in_the_one_form_that_can_be_compared() -> None:
    facts = WorkerFacts(
        b"w" * 16,
        b"p" * 16,
        3,
        stages=(Stage.EXPERT, Stage.CROWD, Stage.CROWD),
        skills=(SkillFact("law", 0.5, 2), SkillFact("art", 0.1)),
        languages=("pt-br", "de", "de"),
        capacity=4,
    )
    profile = profile_of(facts)
    assert profile.stages == (Stage.CROWD, Stage.EXPERT)
    assert [skill.name for skill in profile.skills] == ["art", "law"]
    assert profile.languages == ("de", "pt-br")
    assert profile.capacity.max_leases == 4


def test_a_model_is_nobodys_profile() -> None:
    assert profile_of(WorkerFacts(b"w" * 16, b"p" * 16, 1, kind=WorkerKind.MODEL)).person == NO_ID


@pytest.mark.parametrize(
    "requirement",
    [Requirement((LAW, LAW)), Requirement(languages=("German",)), Requirement(vendors=(NO_ID,))],
)
def test_a_requirement_that_nobody_could_meet_is_refused(requirement: Requirement) -> None:
    with pytest.raises(InvalidCommand):
        requirements_of(requirement, Stage.CROWD)


def test_every_reason_is_told_once_the_projects_first() -> None:
    desk = Desk(requirement=Requirement(languages=("de",)))
    desk.task(requirement=Requirement((LAW,), ("de",), humans_only=True))
    ann = desk.worker()
    assert desk.send(RequestNext(ann)).reason == "NO_TASK"
    row = desk.state.worker(ann)
    reasons = misses(desk.state, row, 0, Stage.EXPERT)
    assert [reason.code for reason in reasons] == [
        ReasonCode.STAGE,
        ReasonCode.LANGUAGE,
        ReasonCode.SKILL_MISSING,
    ]
    assert [reason.code for reason in misses(desk.state, row, 0, Stage.CROWD)] == [
        ReasonCode.LANGUAGE,
        ReasonCode.SKILL_MISSING,
    ]
