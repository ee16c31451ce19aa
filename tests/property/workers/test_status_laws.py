from hypothesis import given
from hypothesis import strategies as st

from crowdroute.workers.errors import TransitionRefused
from crowdroute.workers.status import (
    Actor,
    Standing,
    StatusReason,
    WorkerStatus,
    change_status,
    is_pause_over,
)

CHANGES = st.tuples(st.sampled_from(StatusReason), st.sampled_from(Actor), st.none() | st.integers(0, 9))


@given(st.lists(CHANGES, max_size=60))
def test_the_rules_alone_never_ban_nor_stop_for_ever(
    changes: list[tuple[StatusReason, Actor, int | None]],
) -> None:
    """In any history: what only the policy did since a manager last spoke leaves a way back to work."""
    standing, manager_spoke = Standing(), False
    for reason, actor, until_us in changes:
        try:
            after = change_status(standing, reason, actor, until_us=until_us)
        except TransitionRefused:
            continue
        manager_spoke = manager_spoke or actor is Actor.MANAGER
        if actor is Actor.POLICY:
            assert after.status is not WorkerStatus.BANNED
            assert after.status is not WorkerStatus.PAUSED or is_pause_over(after, 9)
        standing = after
    if not manager_spoke:
        assert standing.rank is not WorkerStatus.BANNED
        if standing.status is WorkerStatus.PAUSED:
            back = change_status(standing, StatusReason.PAUSE_ENDED, Actor.POLICY)
            assert back.status is standing.rank


@given(st.lists(st.sampled_from(StatusReason), max_size=40))
def test_trust_is_only_ever_reached_through_qualification(reasons: list[StatusReason]) -> None:
    standing, passed = Standing(), False
    for reason in reasons:
        try:
            standing = change_status(
                standing,
                reason,
                Actor.MANAGER,
                until_us=5 if reason is StatusReason.PREVENTIVE_STOP else None,
            )
        except TransitionRefused:
            continue
        passed = passed or reason in (
            StatusReason.QUALIFICATION_PASSED,
            StatusReason.ACCURACY_RECOVERED,
        )
        if standing.rank in (WorkerStatus.QUALIFIED, WorkerStatus.TRUSTED):
            assert passed
