"""The contract of a policy.

A policy never decides what is allowed: it picks among tasks that want a worker at a stage (`Project.wanted`),
whose signature the worker satisfies (`EligibleSignatures`), whose lists do not exclude them, and that their
person never saw (`Project.has_seen`). It must find such a task whenever one exists. Its indexes are derived
from the state and not saved.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import Stage
from crowdroute.router.state.project import Project


class Pick(msgspec.Struct, frozen=True, gc=False):
    """A task for a worker, and the numbers that the grant will record."""

    task: int
    policy: str
    value: float
    propensity: float


class Policy(Protocol):
    """Chooses tasks of purposes without a known answer."""

    name: str

    def rebuild(self) -> None:
        """Build every index from the state, after a replay or a change of rules."""

    def touch(self, task: int) -> None:
        """Note that one task's standing changed (slots, state, posterior), after every event that did so."""

    def pick(self, worker: int, stage: Stage, entropy: Id) -> Pick | None:
        """Give a task for the worker at a stage, or None when there is none; changes nothing that is
        logged."""


def may_be_given(state: Project, worker: int, task: int, stage: Stage) -> bool:
    """Say whether slots, lists and history allow this worker on this task (the signature apart)."""
    if not state.wanted(task, stage) or worker in state.denied(task):
        return False
    allowed = state.allowed(task)
    return (not allowed or worker in allowed) and not state.has_seen(worker, task)
