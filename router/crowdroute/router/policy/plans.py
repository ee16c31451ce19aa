"""Which signatures a worker may be given, in the form that compiled code reads, and with what they are
valued."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.model.states import Stage
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.state.project import Project

NOT_ELIGIBLE = -1


class Plan(NamedTuple):
    """What a worker may be given at a stage."""

    codes: NDArray[np.int32]
    """The signatures, ascending."""
    table_of: NDArray[np.int32]
    """Per signature the table of what its cells are worth to the worker, -1 where they may not be given
    it."""


class Plans:
    """One plan per (worker, stage), made anew when the worker's facts, the rules or the signatures
    changed."""

    def __init__(self, state: Project, eligible: EligibleSignatures) -> None:
        """Remember nothing yet."""
        self._eligible = eligible
        self._state = state
        self._plans: dict[tuple[int, int], Plan] = {}

    def of(self, worker: int, stage: Stage) -> Plan:
        """Give the worker's plan; every signature has table 0."""
        codes = self._eligible.of(worker, stage)
        known = self._plans.get((worker, stage))
        signatures = len(self._state.signatures)
        # The same array comes back until something changed.
        if known is None or known.codes is not codes or len(known.table_of) != signatures:
            known = self._plans[worker, stage] = Plan(codes, marked(codes, signatures))
        return known


def nothing_of(signatures: int) -> Plan:
    """Give the plan of somebody who may be given nothing."""
    codes = np.zeros(0, np.int32)
    return Plan(codes, marked(codes, signatures))


def marked(codes: NDArray[np.int32], signatures: int) -> NDArray[np.int32]:
    """Give an array over all signatures that holds 0 at the codes and `NOT_ELIGIBLE` elsewhere."""
    table_of = np.full(signatures, NOT_ELIGIBLE, np.int32)
    table_of[codes] = 0
    return table_of
