"""The life of a lease between its grant and its answer."""

from __future__ import annotations

from typing import Any

from tests.checker.project import (
    EXPIRED,
    RELEASED,
    REVOKED,
    SKIPPED,
    Assignment,
    Project,
    short,
)


def lease_extended(project: Project, event: Any) -> None:
    """A live lease gets a later deadline, never an earlier one."""
    assignment = _of_live_lease(project, event.assignment, "extended")
    if assignment is None:
        return
    if event.deadline_us < assignment.deadline_us:
        project.complain(
            "lease-shortened", f"extending assignment {short(assignment.id)} moves its deadline back"
        )
    assignment.deadline_us = event.deadline_us


def lease_expired(project: Project, event: Any) -> None:
    """A live lease ends, not before its deadline."""
    assignment = _of_live_lease(project, event.assignment, "expired")
    if assignment is None:
        return
    if project.now_us < assignment.deadline_us:
        early = assignment.deadline_us - project.now_us
        project.complain("expired-early", f"assignment {short(assignment.id)} expires {early} us too early")
    project.end_lease(assignment, EXPIRED)


def lease_released(project: Project, event: Any) -> None:
    """A live lease is given back."""
    assignment = _of_live_lease(project, event.assignment, "released")
    if assignment is not None:
        project.end_lease(assignment, RELEASED)


def assignment_skipped(project: Project, event: Any) -> None:
    """A live lease is declined."""
    assignment = _of_live_lease(project, event.assignment, "skipped")
    if assignment is not None:
        project.end_lease(assignment, SKIPPED)


def lease_revoked(project: Project, event: Any) -> None:
    """A live lease is taken away."""
    assignment = _of_live_lease(project, event.assignment, "revoked")
    if assignment is not None:
        project.end_lease(assignment, REVOKED)


def held_lease_used(project: Project, event: Any) -> None:
    """A draft is saved or a problem reported with a live lease."""
    _of_live_lease(project, event.assignment, "used")


def outage_noted(project: Project, event: Any) -> None:
    """Every live lease ends later by the length of the outage."""
    if event.length_us < 0:
        project.complain("lease-shortened", f"an outage of {event.length_us} us takes time from live leases")
    for assignment in project.live.values():
        assignment.deadline_us += event.length_us


def _of_live_lease(project: Project, identity: bytes, what: str) -> Assignment | None:
    assignment = project.assignment(identity)
    if assignment is not None and not assignment.live:
        project.complain(
            "lease-over", f"assignment {short(identity)} is {what} although it is {assignment.state}"
        )
        return None
    return assignment
