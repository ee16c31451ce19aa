"""Every recorded crowd of single choices, through the core under its default rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crowdroute.router.events.project import LeaseGranted
from crowdroute.router.replay.in_process import InProcessReplay
from crowdroute.router.replay.recorded import RecordedCrowd, default_rules

# The large ones first, so that two processes are done at about the same time.
CROWDS = (
    "s_rel",
    "fact_eval",
    "adult2",
    "sentiment_sp",
    "zencrowd_us",
    "barzan",
    "bluebird",
    "d_possent",
    "ducks",
    "music_genre",
    "person_video",
    "quiz_english",
    "quiz_medicine",
    "quiz_science",
    "rte",
    "sentiment_sp_amt",
    "weather_amt",
    "wsd",
)


def grants(replay: InProcessReplay) -> list[tuple[int, int]]:
    """Give task and worker of every lease, as places in the record."""
    tasks = {identity: place for place, identity in enumerate(replay.tasks)}
    workers = {identity: place for place, identity in enumerate(replay.workers)}
    return [
        (tasks[event.task], workers[event.worker])
        for entry in replay.entries
        for event in entry.events
        if isinstance(event, LeaseGranted)
    ]


def play(crowd: RecordedCrowd) -> None:
    replay = InProcessReplay(crowd, default_rules(crowd), seed=1, concurrency=16)
    outcome = replay.play()
    given = grants(replay)
    assert len(outcome.endings) == len(outcome.labels) == len(crowd.tasks)
    assert len(given) == outcome.used <= len(crowd.answers)
    assert len(set(given)) == len(given), "somebody was given a task twice"
    assert set(given) <= crowd.answers.keys(), "somebody was given a task that they never labelled"
    bought = [0] * len(crowd.tasks)
    for task, _ in given:
        bought[task] += 1
    assert outcome.used_per_task == bought


def test_no_crowd_of_single_choices_is_left_out(datasets: Path) -> None:
    readmes = datasets.glob("*/README.md")
    found = {one.parent.name for one in readmes if "- kind: categorical\n" in one.read_text("utf-8")}
    assert found == set(CROWDS)


@pytest.mark.parametrize("name", CROWDS)
def test_a_crowd_plays_to_its_end_and_nobody_gets_what_they_never_labelled(
    name: str, recorded: Callable[[str], RecordedCrowd]
) -> None:
    play(recorded(name))
