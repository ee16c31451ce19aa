"""What indexed policies are held to: a walk over all tasks, by the words of the contract."""

from __future__ import annotations

from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import may_be_given
from crowdroute.router.quality.eligibility import misses
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project


def fitting(state: Project, worker: int, stage: Stage) -> set[int]:
    """Every task of unknown answer that the worker may be given at the stage."""
    return {
        task
        for task in range(state.tasks.count)
        if state.tasks.purpose[task] not in WITH_KNOWN_ANSWER
        and may_be_given(state, worker, task, stage)
        and not misses(state, worker, state.tasks.signature[task], stage)
    }


class PlainFifo:
    """Keeps (turn, task) of everything wanted, per stage: a task gets its turn when it becomes wanted."""

    def __init__(self, state: Project) -> None:
        self._state = state
        self._turns: dict[Stage, dict[int, None]] = {stage: {} for stage in Stage}

    def rebuild(self) -> None:
        for queue in self._turns.values():
            queue.clear()
        for task in range(self._state.tasks.count):
            self.touch(task)

    def touch(self, task: int) -> None:
        for stage, queue in self._turns.items():
            if self._state.wanted(task, stage):
                queue.setdefault(task)
            else:
                queue.pop(task, None)

    def pick(self, worker: int, stage: Stage) -> int | None:
        fits = fitting(self._state, worker, stage)
        waiting = [task for task in self._turns[stage] if task in fits]
        return max(waiting, key=lambda task: self._state.tasks.priority[task], default=None)
