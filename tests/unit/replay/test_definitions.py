"""What the numbers of a replay's report mean, counted again from what happened."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.api.v1 import tasks_pb2
from crowdroute.router.events.project import (
    AnswerSubmitted,
    LeaseGranted,
    ReviewRequested,
    TaskEscalated,
    TaskFinalised,
)
from crowdroute.router.replay import over_grpc
from crowdroute.router.replay.in_process import InProcessReplay
from crowdroute.router.replay.outcome import Outcome
from crowdroute.router.replay.over_grpc import play_over_grpc
from crowdroute.router.replay.recorded import RecordedCrowd, read_crowd
from crowdroute.router.replay.report import summarise
from crowdroute.router.replay.temporary import temporary_engine
from crowdroute.router.rules.compile import compile_rules

WANTED = """\
schema: crowdroute.rules/v1
labels: [a, b]
people:
  skills: {law: 0.5}
  languages: [de]
quality:
  overlap: {minimum: 2, maximum: 4}
  stopping: {target: 0.95, at_maximum: escalate}
  review: {mode: enforce, threshold: 0.9, share: 10%}
"""
"""Much that a recorded crowd has not: seniors to review, skills, experts."""


@pytest.fixture
def crowd(tmp_path: Path) -> RecordedCrowd:
    """Three sorts of tasks: easy ones, ones that split the crowd, and ones with fewer labels than wanted."""
    draw = random.Random(3)
    rows, gold = ["task,worker,label"], ["task,label"]
    for task in range(60):
        truth = draw.choice("ab")
        gold.append(f"t{task},{truth}")
        for worker in range(1 if task % 6 == 5 else 6):
            right = draw.random() < (0.5 if task % 3 == 0 else 0.95)
            rows.append(f"t{task},w{worker},{truth if right else 'ab'.replace(truth, '')}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "gold.csv").write_text("\n".join(gold) + "\n")
    return read_crowd(tmp_path / "labels.csv", tmp_path / "gold.csv")


def test_every_number_is_what_the_log_says(crowd: RecordedCrowd) -> None:
    replay = InProcessReplay(crowd, compile_rules(WANTED, 1), seed=2, concurrency=5)
    outcome = replay.play()
    summary = summarise(crowd, outcome, seed=2)

    events = [event for entry in replay.entries for event in entry.events]
    submitted = [event for event in events if isinstance(event, AnswerSubmitted)]
    finalised = {event.task: event for event in events if isinstance(event, TaskFinalised)}
    escalated = {event.task for event in events if isinstance(event, TaskEscalated)}
    assert summary["tasks"] == 60
    assert summary["workers"] == 6
    assert summary["labels_recorded"] == 50 * 6 + 10
    assert summary["labels_used"] == len(submitted)
    assert any(event.receipt.name == "SURPLUS" for event in submitted), "the record must buy some too many"
    assert summary["finalised"] == len(finalised) > 0
    assert summary["escalated"] == len(escalated - finalised.keys()) > 0
    assert summary["exhausted"] == 60 - len(finalised) - len(escalated - finalised.keys()) > 0
    assert summary["reviews_decided"] == sum(isinstance(event, ReviewRequested) for event in events) > 0

    right = 0
    for number, name in enumerate(crowd.tasks):
        published = finalised.get(replay.tasks[number])
        if published is not None:
            assert crowd.labels[outcome.labels[number]] == "ab"[published.results[0].label]
        right += crowd.labels[outcome.labels[number]] == crowd.gold[name]
    assert summary["accuracy"] == right / 60
    low, high = summary["accuracy_interval"]
    assert low < summary["accuracy"] < high


def test_nobody_is_given_what_they_never_labelled(crowd: RecordedCrowd) -> None:
    replay = InProcessReplay(crowd, compile_rules(WANTED, 1), seed=2, concurrency=5)
    replay.play()
    workers, tasks = replay.workers, replay.tasks
    grants = [event for entry in replay.entries for event in entry.events if isinstance(event, LeaseGranted)]
    pairs = [(tasks.index(event.task), workers.index(event.worker)) for event in grants]
    assert len(pairs) == len(set(pairs)) > 0
    assert set(pairs) <= crowd.answers.keys()


def test_fixed_overlap_with_every_label_is_the_whole_record(crowd: RecordedCrowd) -> None:
    summary = summarise(crowd, Outcome([], [0] * 60), seed=1)
    *_, whole = summary["fixed_overlap"]
    votes = MajorityVote().fit(crowd.annotations).predict()
    right = sum(str(votes[task]) == label for task, label in crowd.gold.items())
    assert (whole["overlap"], whole["labels"]) == (6, summary["labels_recorded"])
    assert whole["majority_vote"] == pytest.approx(right / 60)
    assert [one["labels"] for one in summary["fixed_overlap"]] == [
        50 * overlap + 10 for overlap in range(1, 7)
    ]


async def test_over_grpc_what_somebody_cancelled_meanwhile_is_set_aside(
    crowd: RecordedCrowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    conclude = over_grpc._GrpcReplay.conclude

    async def meddled(replay: over_grpc._GrpcReplay) -> None:
        client, project = replay._client, replay._project.id
        request = tasks_pb2.ListTasksRequest(project_id=project, state=tasks_pb2.TASK_STATE_OPEN)
        some = (await client.operations.ListTasks(request)).tasks[:2]
        for task in some:
            cancel = tasks_pb2.CancelTaskRequest(project_id=project, task_id=task.id, reason="not needed")
            await client.operations.CancelTask(cancel)
        await client.operations.EraseItem(
            tasks_pb2.EraseItemRequest(project_id=project, item_id=some[0].item_id, reason="asked for")
        )
        await conclude(replay)

    monkeypatch.setattr(over_grpc._GrpcReplay, "conclude", meddled)
    async with temporary_engine() as connection:
        outcome = await play_over_grpc(crowd, compile_rules(WANTED, 1), 2, 5, connection)

    summary = summarise(crowd, outcome, seed=2)
    assert summary["set_aside"] == 2
    ended = sum(summary[name] for name in ("finalised", "escalated", "exhausted", "set_aside"))
    assert ended == len(outcome.labels) == 60


async def test_over_grpc_seniors_and_skills_are_not_waited_for_either(crowd: RecordedCrowd) -> None:
    async with temporary_engine() as connection:
        outcome = await play_over_grpc(crowd, compile_rules(WANTED, 1), 2, 5, connection)
    summary = summarise(crowd, outcome, seed=2)
    assert summary["finalised"] > 0
    assert summary["escalated"] > 0
    assert summary["reviews_decided"] > 0
    assert summary["finalised"] + summary["escalated"] + summary["exhausted"] == 60
    assert summary["labels_used"] < summary["labels_recorded"]
