"""What the checker says of leases between grant and answer."""

from typing import Any

import pytest
from tests.checker import check
from tests.unit.checker.story import (
    HOUR,
    LEASE,
    MINUTE,
    TASK,
    Story,
    answered,
    begun,
    broken,
    finalised,
    last,
    lease,
    submitted,
)

ENDINGS = {
    "released": [13, lease(1)],
    "skipped": [14, lease(1), "unclear"],
    "revoked": [15, lease(1), "operator"],
    "submitted": submitted(1),
}
USES = {
    "LeaseExtended": [11, lease(1), 2**60],
    "LeaseExpired": [12, lease(1)],
    "LeaseReleased": [13, lease(1)],
    "AssignmentSkipped": [14, lease(1), "unclear"],
    "LeaseRevoked": [15, lease(1), "operator"],
    "DraftSaved": [20, lease(1), b"digest"],
    "ProblemReported": [35, lease(1), "blurred"],
}


def free() -> Story:
    """Tell of a lease without pay, so that only leases are in question."""
    story = begun()
    story.grant(1, 1)
    return story


@pytest.mark.parametrize("name", [name for name in USES if name != "LeaseExpired"])
def test_a_live_lease_may_be_used(name: str) -> None:
    assert broken(free().tell(USES[name])) == []


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_lease_that_is_over_is_not_used_any_more(name: str, ending: str) -> None:
    story = free()
    if ending == "submitted":
        story.answer(1, 1)
    else:
        story.tell(ENDINGS[ending])
    story.tell(USES[name], after=HOUR)
    assert broken(story) == [("lease-over", last(story), name)]
    assert f"although it is {ending}" in str(check(story.batches))


@pytest.mark.parametrize("name", USES)
def test_an_expired_lease_is_not_used_any_more(name: str) -> None:
    story = free().tell([12, lease(1)], after=LEASE).tell(USES[name])
    assert broken(story) == [("lease-over", last(story), name)]


@pytest.mark.parametrize("name", USES)
def test_using_a_lease_that_was_never_granted_is_reported(name: str) -> None:
    assert broken(begun().tell(USES[name])) == [("unknown-thing", 4, name)]


def test_an_expiry_at_the_deadline_is_clean_and_counted() -> None:
    story = free().tell([12, lease(1)], after=LEASE)
    assert broken(story) == []
    assert check(story.batches).counters["LeaseExpired"] == 1


def test_an_expiry_before_the_deadline_is_reported() -> None:
    story = free().tell([12, lease(1)], after=LEASE - 1)
    assert broken(story) == [("expired-early", last(story), "LeaseExpired")]
    assert "expires 1 us too early" in str(check(story.batches))


def test_an_extension_moves_the_deadline() -> None:
    story = free()
    story.tell([11, lease(1), story.now_us + LEASE + MINUTE]).tell([12, lease(1)], after=LEASE)
    assert broken(story) == [("expired-early", last(story), "LeaseExpired")]
    story = free()
    story.tell([11, lease(1), story.now_us + LEASE + MINUTE]).tell([12, lease(1)], after=LEASE + MINUTE)
    assert broken(story) == []


def test_an_extension_that_shortens_the_lease_is_reported() -> None:
    story = free()
    story.tell([11, lease(1), story.now_us + LEASE - 1])
    assert broken(story) == [("lease-shortened", last(story), "LeaseExtended")]


def test_an_outage_moves_the_deadline_of_live_leases() -> None:
    story = free().tell([34, MINUTE]).tell([12, lease(1)], after=LEASE)
    assert broken(story) == [("expired-early", last(story), "LeaseExpired")]
    assert broken(free().tell([34, MINUTE]).tell([12, lease(1)], after=LEASE + MINUTE)) == []


def test_an_outage_before_the_grant_moves_nothing() -> None:
    assert broken(begun().tell([34, HOUR]).grant(1, 1).tell([12, lease(1)], after=LEASE)) == []


def test_an_outage_of_negative_length_is_reported() -> None:
    assert broken(free().tell([34, -1])) == [("lease-shortened", 5, "OutageNoted")]


def test_a_lease_past_its_deadline_is_overdue_once_nothing_is_under_way() -> None:
    story = free().tell([3, "lunch"], after=LEASE)
    assert broken(story) == []
    assert broken(story, quiescent=True) == [("overdue", last(story), "")]
    assert "default/project/a" in str(check(story.batches, quiescent=True))


def test_an_open_task_that_nobody_holds_or_could_be_given_is_stuck_once_nothing_is_under_way() -> None:
    story = answered(0, 1, 2)
    assert broken(story) == []
    assert broken(story, quiescent=True) == [("stuck", last(story), "")]
    assert TASK.hex()[:12] in str(check(story.batches, quiescent=True))


@pytest.mark.parametrize(
    "way_out",
    [
        [8, TASK, 0, 1, "disagreement"],
        [8, TASK, 1, 1, "review"],
        [23, TASK, 2, "maximum", 0.4, 3],
        finalised(counted=3),
        [27, TASK, "attempts", 8],
    ],
)
def test_a_task_that_has_a_way_out_is_not_stuck(way_out: list[Any]) -> None:
    assert broken(answered(0, 1, 2).tell(way_out), quiescent=True) == []


def test_a_lease_before_its_deadline_is_not_overdue() -> None:
    assert broken(free().tell([3, "lunch"], after=LEASE - 1), quiescent=True) == []


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS.values() if ending[0] != 16])
def test_a_lease_that_ended_is_not_overdue(ending: list[Any]) -> None:
    assert broken(free().tell(ending).tell([3, "lunch"], after=HOUR), quiescent=True) == []
