"""Which signatures each worker may be given, remembered until something changed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.model.states import Stage
from crowdroute.router.quality.eligibility import profile_of, requirements_of
from crowdroute.router.state.project import Project
from crowdroute.workers.eligibility import Requirements, is_eligible


class _Known(NamedTuple):
    version: int
    """Of the worker's facts."""
    rules: int
    judged: int
    """Signatures that were there, the first so many."""
    codes: NDArray[np.int32]


class EligibleSignatures:
    """Sets of signature codes per (worker, stage); a new signature is judged alone, new facts or rules judge
    all anew.

    The same array comes back as long as the set is the same.
    """

    def __init__(self, state: Project) -> None:
        """Remember nothing yet."""
        self._state = state
        self._known: dict[tuple[int, int], _Known] = {}
        self._needs: tuple[list[Requirements], ...] = tuple([] for _ in Stage)

    def of(self, worker: int, stage: Stage) -> NDArray[np.int32]:
        """Give the codes of the signatures that the worker may be given at a stage, ascending.

        A worker whose facts are not known yet may be given all of them.
        """
        state = self._state
        version, rules = state.workers.version[worker], state.rules.version
        count = len(state.signatures.values)
        known = self._known.get((worker, stage))
        if known is None or known.version != version or known.rules != rules:
            known = _Known(version, rules, 0, np.zeros(0, np.int32))
        elif known.judged == count:
            return known.codes
        more = self._judged(worker, stage, known.judged, count)
        codes = np.concatenate([known.codes, np.array(more, np.int32)]) if more else known.codes
        self._known[worker, stage] = _Known(version, rules, count, codes)
        return codes

    def _judged(self, worker: int, stage: Stage, begin: int, end: int) -> list[int]:
        facts = self._state.facts[worker]
        if facts is None:
            return list(range(begin, end))
        profile = profile_of(facts)
        if not is_eligible(profile, requirements_of(self._state.rules.requirement, stage)):
            return []
        needs = self._needs[stage]
        for requirement, _ in self._state.signatures.values[len(needs) : end]:
            needs.append(requirements_of(requirement, stage))
        return [code for code in range(begin, end) if is_eligible(profile, needs[code])]
