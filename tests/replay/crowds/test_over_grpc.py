"""Small crowds through a real engine: gRPC, SQLite, a session per worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crowdroute.router.replay.over_grpc import play_over_grpc
from crowdroute.router.replay.recorded import RecordedCrowd, default_rules
from crowdroute.router.replay.report import summarise
from crowdroute.router.replay.temporary import temporary_engine


@pytest.mark.parametrize(
    ("name", "least_accuracy", "most_labels"),
    [("rte", 0.89, 0.62), ("weather_amt", 0.75, 0.25), ("wsd", 0.97, 0.35)],
)
async def test_a_crowd_plays_to_its_end(
    name: str, least_accuracy: float, most_labels: float, recorded: Callable[[str], RecordedCrowd]
) -> None:
    crowd = recorded(name)
    async with temporary_engine() as connection:
        outcome = await play_over_grpc(
            crowd, default_rules(crowd), seed=1, concurrency=16, connection=connection
        )
    summary = summarise(crowd, outcome, seed=1)
    assert summary["finalised"] + summary["escalated"] + summary["exhausted"] == len(crowd.tasks)
    assert len(outcome.labels) == len(crowd.tasks)
    # Which lease comes first is up to the machine, so these bounds leave room.
    assert summary["accuracy"] >= least_accuracy
    assert summary["labels_used"] <= most_labels * summary["labels_recorded"]
