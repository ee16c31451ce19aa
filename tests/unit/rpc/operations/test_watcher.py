"""What a watch has not told yet is kept up to a bound, and what is left out is counted."""

from __future__ import annotations

import pytest

from crowdroute.router.events import Cause, Entry
from crowdroute.router.events import project as facts
from crowdroute.router.rpc.operations import watch
from crowdroute.router.rpc.operations.watch import Watcher


def entry(stream: str, *events: object) -> Entry:
    return Entry(stream, 1, Cause("test"), events)  # type: ignore[arg-type]


def paused(number: int = 0) -> facts.ProjectPaused:
    return facts.ProjectPaused(str(number))


def watcher(stream: str = "acme/") -> Watcher:
    return Watcher(stream, frozenset({facts.ProjectPaused}))


async def test_events_come_in_order_with_the_batch_they_stand_in() -> None:
    watched = watcher()
    watched.note(0, 4, [entry("acme/project/a", paused(1), paused(2)), entry("acme/project/b", paused(3))])
    watched.note(0, 5, [entry("acme/project/a", paused(4))])

    found = await watched.take()

    assert [(one.sequence, one.event.reason) for one in found] == [  # type: ignore[attr-defined]
        (4, "1"),
        (4, "2"),
        (4, "3"),
        (5, "4"),
    ]
    assert watched.take_left_out() == 0


async def test_other_streams_and_kinds_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.001)
    watched = watcher("acme/project/a")

    watched.note(0, 1, [entry("acme/project/b", paused()), entry("other/project/a", paused())])
    watched.note(0, 2, [entry("acme/project/a", facts.ProjectResumed())])

    assert await watched.take() == []


async def test_a_watch_that_nothing_happens_in_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.001)

    assert await watcher().take() == []


async def test_what_does_not_fit_is_counted_and_told_after_what_came_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "MOST_EVENTS", 100)
    watched = watcher()
    watched.note(0, 1, [entry("acme/project/a", *(paused(number) for number in range(250)))])
    kept = []
    while some := await watched.take():
        kept += some
        if watched.take_left_out():
            break
        watched.note(0, 2, [entry("acme/project/a", paused(-1))])

    assert [one.event.reason for one in kept] == [str(number) for number in range(100)]  # type: ignore[attr-defined]


async def test_after_a_gap_was_told_events_are_kept_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_EVENTS", 2)
    watched = watcher()
    watched.note(0, 1, [entry("acme/project/a", *(paused(number) for number in range(5)))])
    await watched.take()
    assert watched.take_left_out() == 3

    watched.note(0, 2, [entry("acme/project/a", paused(9))])

    (again,) = await watched.take()
    assert again.event.reason == "9"  # type: ignore[attr-defined]
    assert watched.take_left_out() == 0
