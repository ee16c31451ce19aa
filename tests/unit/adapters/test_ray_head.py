"""Questions to Ray's head, one at a time, without Ray."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from crowdroute.router.adapters import ray_store
from crowdroute.router.adapters.ray_store import Head
from crowdroute.router.errors import FleetUnavailable


class RayError(Exception):
    """As Ray's own."""


@pytest.fixture(autouse=True)
def ray(monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(exceptions=SimpleNamespace(RayError=RayError))
    monkeypatch.setattr(ray_store, "load_ray", lambda: library)


class Question:
    """Waits until it is let, and ends as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.goes_on = threading.Event()
        self._error = error

    def __call__(self) -> str:
        self.goes_on.wait()
        if self._error is not None:
            raise self._error
        return "answer"


@pytest.mark.parametrize("error", [ValueError("no such actor"), RayError("lost")])
async def test_what_becomes_of_a_question_is_told_to_whoever_asked_it_and_nobody_else(
    error: Exception,
) -> None:
    head, first, second = Head(), Question(error), Question()
    second.goes_on.set()
    asked = [asyncio.ensure_future(head.ask(question)) for question in (first, second)]
    await asyncio.sleep(0)
    first.goes_on.set()
    failed, answered = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(failed, ValueError if isinstance(error, ValueError) else FleetUnavailable)
    assert answered == "answer"


async def test_a_head_that_does_not_answer_is_waited_for_no_longer_than_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_store, "HEAD_S", 0.02)
    head, hanging = Head(), Question()
    for _ in range(2):  # the second waits for its turn
        with pytest.raises(FleetUnavailable, match="has not answered"):
            await head.ask(hanging)
    hanging.goes_on.set()
