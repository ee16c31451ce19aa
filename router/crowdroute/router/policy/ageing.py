"""Which tasks' deadlines have come so near that their priority must be looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.policy.cards import Cards
from crowdroute.router.policy.placing import AGEING_LEASES, MOST_LIFT
from crowdroute.router.state.tables import Tasks

SWEEP = 16
"""Tasks woken per request at most, so that a thousand common deadlines do not make one worker wait."""

NEVER = 1 << 63
"""After every moment."""


class Ageing:
    """Moments at which tasks are to be placed anew, the earliest first.

    Those known at a rebuild lie in a sorted array, later ones in a heap. A task may be woken for nothing,
    because it was closed or lifted meanwhile; nothing comes of it.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._heap: list[tuple[int, int]] = []
        self._moments: NDArray[np.int64] = np.zeros(0, np.int64)
        self._tasks: NDArray[np.int64] = np.zeros(0, np.int64)
        self._next = 0
        self.next_us = NEVER
        """No task is woken before this moment."""

    def rebuild(self, tasks: Tasks, cards: Cards, lease_us: int) -> None:
        """Wait for every open task that can still be lifted."""
        self._heap.clear()
        rows, own = tasks.rows[: tasks.count], cards.rows[: tasks.count]
        waiting = np.flatnonzero((rows["deadline_us"] > 0) & (own["wanted"] > 0) & (own["lift"] < MOST_LIFT))
        lift = own["lift"][waiting]
        own["armed"][waiting] = lift + 1
        spans = np.array([_span(step, lease_us) for step in range(MOST_LIFT)], np.int64)
        moments = rows["deadline_us"][waiting] - spans[lift]
        by_moment = np.argsort(moments, kind="stable")
        self._moments, self._tasks, self._next = moments[by_moment], waiting[by_moment], 0
        self._look_ahead()

    def arm(self, task: int, tasks: Tasks, cards: Cards, lease_us: int) -> None:
        """Wait for the moment at which the task's priority goes up next, unless that is done already."""
        lift = cards.lift[task]
        if lift < MOST_LIFT and cards.armed[task] <= lift and cards.wanted[task]:
            cards.armed[task] = lift + 1
            moment = tasks.deadline_us[task] - _span(lift, lease_us)
            heappush(self._heap, (moment, task))
            self.next_us = min(self.next_us, moment)

    def due(self, now_us: int) -> Iterator[int]:
        """Yield tasks whose moment has come, at most `SWEEP`; go through them to the end."""
        for _ in range(SWEEP):
            if self._heap and self._heap[0][0] <= now_us:
                yield heappop(self._heap)[1]
            elif self._next < len(self._moments) and self._moments[self._next] <= now_us:
                self._next += 1
                yield int(self._tasks[self._next - 1])
            else:
                break
        self._look_ahead()

    def _look_ahead(self) -> None:
        self.next_us = self._heap[0][0] if self._heap else NEVER
        if self._next < len(self._moments):
            self.next_us = min(self.next_us, int(self._moments[self._next]))


def _span(lift: int, lease_us: int) -> int:
    """Give how long before the deadline a task so far lifted is lifted again, in microseconds."""
    return AGEING_LEASES * lease_us >> lift
