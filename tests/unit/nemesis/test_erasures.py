"""Erased items whose content can be read are told, whenever it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from tests.faults.nemesis import erasures
from tests.faults.nemesis.erasures import AT_ONCE, Erasures
from tests.faults.nemesis.operator import Operator

from crowdroute.api.v1 import tasks_pb2


class Office:
    """An operator of a project that is a set of contents."""

    def __init__(self) -> None:
        self.expected = 0
        self.contents: set[str] = set()

    async def add(self, prefix: str, numbers: Sequence[int]) -> Sequence[tasks_pb2.AddedItem]:
        self.contents |= {f"{prefix}-{number}" for number in numbers}
        return [
            tasks_pb2.AddedItem(item_id=f"{prefix}-{number}", task_id=f"{prefix}-{number}")
            for number in numbers
        ]

    async def erase(self, item: str) -> None:
        self.contents.remove(item)

    async def can_read(self, task: str) -> bool:
        return task in self.contents


@pytest.fixture
async def worked() -> tuple[Office, Erasures]:
    """Some items brought in and erased."""
    office, stopping = Office(), asyncio.Event()
    items = Erasures(cast("Operator", office))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasures, "PAUSE_S", 0.0)
        keeping = asyncio.create_task(items.keep(stopping))
        while len(items.gone) < 3 * AT_ONCE:
            await asyncio.sleep(0)
        stopping.set()
        await keeping
    return office, items


async def test_everything_that_was_brought_in_is_erased_in_the_end(worked: tuple[Office, Erasures]) -> None:
    office, items = worked
    assert len(items.gone) == items.brought == office.expected
    assert await items.readable() == set()


async def test_content_that_is_back_is_told(worked: tuple[Office, Erasures]) -> None:
    office, items = worked
    office.contents.add(items.gone[0])
    assert await items.readable() == {items.gone[0]}
