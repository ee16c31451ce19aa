"""Where a worker stands, and every way that may change, as a table.

A worker's word for it is `Standing`; `TRANSITIONS` says which reason leads where and who may give it. A pair
that is not in the table is refused. Measured accuracy may raise and lower a worker and stop new leases for a
while; only a manager may ban, because a ban ends somebody's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType

from crowdroute.workers.errors import TransitionRefused


class WorkerStatus(IntEnum):
    """What a worker is trusted with; the numbers are written to logs and never change."""

    NEW = 0
    QUALIFIED = 1
    TRUSTED = 2
    PROBATION = 3
    PAUSED = 4
    BANNED = 5


class Actor(StrEnum):
    """Who may change a status: the rules by themselves, or a person who answers for it."""

    POLICY = "policy"
    MANAGER = "manager"


class StatusReason(StrEnum):
    """Why a status changes."""

    QUALIFICATION_PASSED = "qualification_passed"
    TRUST_EARNED = "trust_earned"
    TRUST_LOST = "trust_lost"
    ACCURACY_LOW = "accuracy_low"
    ACCURACY_RECOVERED = "accuracy_recovered"
    DRIFT_DETECTED = "drift_detected"
    PREVENTIVE_STOP = "preventive_stop"
    PAUSED_BY_MANAGER = "paused_by_manager"
    PAUSE_ENDED = "pause_ended"
    PROBATION_FAILED = "probation_failed"
    MISCONDUCT = "misconduct"
    APPEAL_UPHELD = "appeal_upheld"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a reason leads, and who may give it."""

    to: WorkerStatus | None
    """None: back to the status before the pause."""
    actors: frozenset[Actor]
    needs_end: bool = False
    """True: holds only until a moment that must be named."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A worker's status together with what a pause gives back when it ends."""

    rank: WorkerStatus = WorkerStatus.NEW
    """The status without the pause; never PAUSED."""
    is_paused: bool = False
    until_us: int | None = None
    """The moment a pause ends by itself, in microseconds; None: it does not."""

    def __post_init__(self) -> None:
        """Refuse a standing that no sequence of transitions leads to."""
        if self.rank is WorkerStatus.PAUSED or (self.is_paused and self.rank is WorkerStatus.BANNED):
            raise TransitionRefused(
                f"{self.rank.name} cannot be what a pause gives back: name the status before the pause",
                {"status": self.rank.name},
            )
        if self.until_us is not None and not self.is_paused:
            raise TransitionRefused(
                f"{self.rank.name} has no end: only a pause takes until_us", {"status": self.rank.name}
            )

    @property
    def status(self) -> WorkerStatus:
        """The status as everybody else sees it."""
        return WorkerStatus.PAUSED if self.is_paused else self.rank


_ANYBODY = frozenset({Actor.POLICY, Actor.MANAGER})
_MANAGER = frozenset({Actor.MANAGER})
_WORKING = (WorkerStatus.NEW, WorkerStatus.QUALIFIED, WorkerStatus.TRUSTED, WorkerStatus.PROBATION)


def _table() -> dict[tuple[WorkerStatus, StatusReason], Transition]:
    s, r = WorkerStatus, StatusReason
    table = {
        (s.NEW, r.QUALIFICATION_PASSED): Transition(s.QUALIFIED, _ANYBODY),
        (s.QUALIFIED, r.TRUST_EARNED): Transition(s.TRUSTED, _ANYBODY),
        (s.TRUSTED, r.TRUST_LOST): Transition(s.QUALIFIED, _ANYBODY),
        (s.PROBATION, r.ACCURACY_RECOVERED): Transition(s.QUALIFIED, _ANYBODY),
        (s.PROBATION, r.PROBATION_FAILED): Transition(s.BANNED, _MANAGER),
        (s.PAUSED, r.PAUSE_ENDED): Transition(None, _ANYBODY),
        # A manager confirms or prolongs a pause; what it goes back to stays what it was.
        (s.PAUSED, r.PAUSED_BY_MANAGER): Transition(s.PAUSED, _MANAGER),
        (s.PAUSED, r.MISCONDUCT): Transition(s.BANNED, _MANAGER),
        (s.BANNED, r.APPEAL_UPHELD): Transition(s.PROBATION, _MANAGER),
    }
    for status in (s.NEW, s.QUALIFIED, s.TRUSTED):
        table[status, r.ACCURACY_LOW] = Transition(s.PROBATION, _ANYBODY)
        table[status, r.DRIFT_DETECTED] = Transition(s.PROBATION, _ANYBODY)
    for status in _WORKING:
        table[status, r.PREVENTIVE_STOP] = Transition(s.PAUSED, _ANYBODY, needs_end=True)
        table[status, r.PAUSED_BY_MANAGER] = Transition(s.PAUSED, _MANAGER)
        table[status, r.MISCONDUCT] = Transition(s.BANNED, _MANAGER)
    return table


TRANSITIONS: Mapping[tuple[WorkerStatus, StatusReason], Transition] = MappingProxyType(_table())
"""Every legal change; whatever is not here is refused."""


def may_lease(status: WorkerStatus) -> bool:
    """Say whether a worker of this status may be given work at all."""
    return status in _WORKING


def change_status(
    standing: Standing, reason: StatusReason, actor: Actor, *, until_us: int | None = None
) -> Standing:
    """Give the standing that follows.

    `until_us` is the moment at which a pause ends by itself; a preventive stop must have one, so that it
    expires unless somebody confirms it.

    Raises:
        TransitionRefused: the table has no such change, or not for this actor; the end is missing, or given
            for what has none; or the policy would end a pause that has no end.
    """
    details = {"status": standing.status.name, "reason": reason.value, "actor": actor.value}
    transition = TRANSITIONS.get((standing.status, reason))
    if transition is None:
        allowed = ", ".join(sorted(r for s, r in TRANSITIONS if s is standing.status))
        raise TransitionRefused(
            f"a worker who is {standing.status.name} cannot change for {reason.value}; "
            f"from here the reasons are: {allowed}",
            details,
        )
    if actor not in transition.actors:
        raise TransitionRefused(
            f"{reason.value} from {standing.status.name} is not for {actor.value} to decide; "
            f"ask for: {', '.join(sorted(transition.actors))}",
            details,
        )
    if transition.needs_end and until_us is None:
        raise TransitionRefused(f"{reason.value} needs the moment at which it ends: give until_us", details)
    if transition.to is None and actor is Actor.POLICY and standing.until_us is None:
        raise TransitionRefused("a pause without an end is for a manager to end; ask for: manager", details)
    if transition.to is WorkerStatus.PAUSED:
        return Standing(standing.rank, is_paused=True, until_us=until_us)
    if until_us is not None:
        raise TransitionRefused(
            f"{reason.value} starts no pause, so it has no end: leave until_us out", details
        )
    return Standing(standing.rank if transition.to is None else transition.to)


def is_pause_over(standing: Standing, now_us: int) -> bool:
    """Say whether a pause with an end has reached it, so that `PAUSE_ENDED` is due."""
    return standing.until_us is not None and now_us >= standing.until_us
