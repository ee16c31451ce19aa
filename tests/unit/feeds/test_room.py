"""When a project is full, and when it takes more again."""

from __future__ import annotations

import asyncio
from typing import cast

import numpy as np
import pytest

from crowdroute.router.feeds import room
from crowdroute.router.feeds.room import Room
from crowdroute.router.model.states import Purpose, TaskState
from crowdroute.router.state.project import Project


class Tasks:
    """A table with as many open tasks as the test wants, and how often it was counted."""

    def __init__(self) -> None:
        self.rows = np.zeros(100, [("state", "i1"), ("purpose", "i1")])
        self.count = 0

    def hold(self, open_tasks: int, decided: int = 0, gold: int = 0) -> None:
        self.count = open_tasks + decided + gold
        self.rows["state"][: self.count] = TaskState.OPEN
        self.rows["state"][:decided] = TaskState.FINALISED
        self.rows["purpose"][:] = Purpose.PRODUCTION
        self.rows["purpose"][decided : decided + gold] = Purpose.GOLD


class State:
    def __init__(self) -> None:
        self.tasks = Tasks()


@pytest.fixture
def state() -> State:
    return State()


async def asked(known: Room, state: State) -> bool:
    return await known.has_room("p", cast(Project, state))


async def test_a_project_is_full_at_its_limit_of_undecided_tasks(state: State) -> None:
    state.tasks.hold(19, decided=30, gold=10)
    known = Room(20)
    assert await asked(known, state)
    state.tasks.hold(20, decided=30, gold=10)
    assert not await asked(known, state)


async def test_a_full_project_takes_more_when_a_tenth_is_decided(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "RECOUNT_SECONDS", 0.0)
    state.tasks.hold(20)
    known = Room(20)
    assert not await asked(known, state)
    state.tasks.hold(18, decided=2)
    assert not await asked(known, state)
    state.tasks.hold(17, decided=3)
    assert await asked(known, state)


async def test_nothing_is_counted_while_the_answer_cannot_have_changed(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = 0

    async def counting(project: Project) -> int:
        nonlocal counted
        counted += 1
        await asyncio.sleep(0)
        return project.tasks.count

    monkeypatch.setattr(room, "open_tasks", counting)
    known = Room(20)
    for open_tasks in (5, 10, 19):
        state.tasks.hold(open_tasks)
        assert await asked(known, state)
    assert counted == 1
    state.tasks.hold(20)
    for _ in range(3):
        assert not await asked(known, state)
    assert counted == 2
