"""The whole product of the table is walked: every status, reason and actor, with and without an end."""

from itertools import product

import pytest

from crowdroute.workers.errors import TransitionRefused
from crowdroute.workers.status import (
    TRANSITIONS,
    Actor,
    Standing,
    StatusReason,
    WorkerStatus,
    change_status,
    is_pause_over,
    may_lease,
)

S, R = WorkerStatus, StatusReason
PAUSES = {R.PREVENTIVE_STOP, R.PAUSED_BY_MANAGER}


def standing_of(status: WorkerStatus) -> Standing:
    if status is S.PAUSED:
        return Standing(S.TRUSTED, is_paused=True, until_us=500)
    return Standing(status)


@pytest.mark.parametrize(("status", "reason", "actor", "until_us"), list(product(S, R, Actor, (None, 1_000))))
def test_every_change_is_in_the_table_or_refused(
    status: WorkerStatus, reason: StatusReason, actor: Actor, until_us: int | None
) -> None:
    before = standing_of(status)
    transition = TRANSITIONS.get((status, reason))
    is_legal = (
        transition is not None
        and actor in transition.actors
        and (until_us is not None if transition.needs_end else until_us is None or reason in PAUSES)
    )
    if not is_legal:
        with pytest.raises(TransitionRefused) as refused:
            change_status(before, reason, actor, until_us=until_us)
        assert refused.value.details == {"status": status.name, "reason": reason.value, "actor": actor.value}
        return
    assert transition is not None
    after = change_status(before, reason, actor, until_us=until_us)
    assert after.status is (before.rank if transition.to is None else transition.to)
    assert after.until_us == until_us


def test_the_table_is_what_the_documents_promise() -> None:
    """The reasons by which a worker rises and falls, and who alone may ban."""
    assert {reason for (_, reason), change in TRANSITIONS.items() if change.to is S.BANNED} == {
        R.PROBATION_FAILED,
        R.MISCONDUCT,
    }
    assert all(change.actors == {Actor.MANAGER} for change in TRANSITIONS.values() if change.to is S.BANNED)
    assert {start for (start, _), change in TRANSITIONS.items() if change.to is S.TRUSTED} == {S.QUALIFIED}
    assert [reason for start, reason in TRANSITIONS if start is S.BANNED] == [R.APPEAL_UPHELD]


def test_every_status_can_be_reached_and_left() -> None:
    assert {change.to for change in TRANSITIONS.values()} | {S.NEW} >= set(S)
    assert {start for start, _ in TRANSITIONS} == set(S)


@pytest.mark.parametrize("rank", [S.NEW, S.QUALIFIED, S.TRUSTED, S.PROBATION])
def test_a_pause_gives_back_the_status_before_it(rank: WorkerStatus) -> None:
    paused = change_status(Standing(rank), R.PREVENTIVE_STOP, Actor.POLICY, until_us=10)
    assert paused.status is S.PAUSED
    confirmed = change_status(paused, R.PAUSED_BY_MANAGER, Actor.MANAGER)
    assert change_status(confirmed, R.PAUSE_ENDED, Actor.MANAGER) == Standing(rank)


def test_the_policy_cannot_end_a_pause_that_a_manager_left_open() -> None:
    paused = change_status(Standing(S.QUALIFIED), R.PAUSED_BY_MANAGER, Actor.MANAGER)
    with pytest.raises(TransitionRefused, match="without an end"):
        change_status(paused, R.PAUSE_ENDED, Actor.POLICY)
    assert change_status(paused, R.PAUSE_ENDED, Actor.MANAGER) == Standing(S.QUALIFIED)


def test_a_pause_is_over_from_its_end_on() -> None:
    paused = Standing(S.NEW, is_paused=True, until_us=100)
    assert [is_pause_over(paused, now) for now in (99, 100, 101)] == [False, True, True]
    assert not is_pause_over(Standing(S.NEW, is_paused=True), 10**18)
    assert not is_pause_over(Standing(S.NEW), 10**18)


def test_only_the_paused_and_the_banned_get_no_work() -> None:
    assert {status for status in S if not may_lease(status)} == {S.PAUSED, S.BANNED}


@pytest.mark.parametrize(
    ("rank", "is_paused", "until_us"),
    [(S.PAUSED, False, None), (S.PAUSED, True, None), (S.BANNED, True, None), (S.NEW, False, 5)],
)
def test_a_standing_that_nothing_leads_to_is_refused(
    rank: WorkerStatus, is_paused: bool, until_us: int | None
) -> None:
    with pytest.raises(TransitionRefused):
        Standing(rank, is_paused=is_paused, until_us=until_us)
