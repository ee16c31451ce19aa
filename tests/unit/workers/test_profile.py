from typing import Any

import pytest

from crowdroute.workers.errors import InvalidProfile
from crowdroute.workers.profile import NO_ID, Stage, WorkerKind, WorkerProfile
from crowdroute.workers.skill import Skill, SkillSource
from crowdroute.workers.status import WorkerStatus

WORKER = b"w" * 16


def test_a_skill_is_added_as_a_later_version_and_the_old_profile_stays() -> None:
    old = WorkerProfile(WORKER, version=3, skills=(Skill("german", 0.5),))
    new = old.with_skill(Skill("german", 0.8, SkillSource.EXAM, count=9), version=4)
    assert (new.version, new.skills[0].level) == (4, 0.8)
    assert (old.version, old.skills[0].level) == (3, 0.5)


def test_a_status_is_changed_as_a_later_version() -> None:
    assert WorkerProfile(WORKER).with_status(WorkerStatus.BANNED, 2).status is WorkerStatus.BANNED


def test_a_change_that_is_not_later_is_refused() -> None:
    profile = WorkerProfile(WORKER, version=3)
    with pytest.raises(InvalidProfile, match="not later than 3"):
        profile.with_status(WorkerStatus.BANNED, 3)
    with pytest.raises(InvalidProfile, match="not later than 3"):
        profile.with_skill(Skill("german", 0.5), 3)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("worker", {"worker": b"short"}),
        ("worker", {"worker": NO_ID}),
        ("person", {"person": b""}),
        ("person", {"kind": WorkerKind.MODEL, "person": b"p" * 16}),
        ("vendor", {"vendor": b"v"}),
        ("pool", {"pool": b"p" * 17}),
        ("version", {"version": 0}),
        ("stages", {"stages": ()}),
        ("stages", {"stages": (Stage.SENIOR, Stage.CROWD)}),
        ("skills", {"skills": (Skill("b", 0.1), Skill("a", 0.1))}),
        ("skills", {"skills": (Skill("a", 0.1), Skill("a", 0.2))}),
        ("languages", {"languages": ("en", "de")}),
        ("languages", {"languages": ("en", "en")}),
        ("languages", {"languages": ("EN",)}),
        ("languages", {"languages": ("english language",)}),
    ],
)
def test_a_profile_not_in_its_one_form_is_refused(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidProfile) as refused:
        WorkerProfile(**({"worker": WORKER} | change))
    assert refused.value.details == {"field": field}
