"""The textual entailment crowd in depth: accuracy and cost, and that gold and time decide nothing."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from statistics import fmean

import pytest

from crowdroute.router.replay.baselines import fixed_overlap_curve
from crowdroute.router.replay.in_process import InProcessReplay
from crowdroute.router.replay.recorded import RecordedCrowd, default_rules
from crowdroute.router.replay.report import score_of, summarise

LEAST_ACCURACY = 0.915
MOST_LABELS = 0.60
SEEDS = 10


@pytest.fixture
def crowd(recorded: Callable[[str], RecordedCrowd]) -> RecordedCrowd:
    return recorded("rte")


def played(crowd: RecordedCrowd, seed: int, concurrency: int = 1) -> InProcessReplay:
    replay = InProcessReplay(crowd, default_rules(crowd), seed, concurrency)
    replay.play()
    return replay


def test_under_default_rules_accuracy_holds_with_three_fifths_of_the_labels(crowd: RecordedCrowd) -> None:
    shares, accuracies = [], []
    for seed in range(SEEDS):
        outcome = InProcessReplay(crowd, default_rules(crowd), seed, concurrency=16).play()
        accuracy = score_of(crowd, outcome)
        assert accuracy is not None
        shares.append(outcome.used / len(crowd.answers))
        accuracies.append(accuracy)
    assert fmean(accuracies) >= LEAST_ACCURACY, accuracies
    assert fmean(shares) <= MOST_LABELS, shares


def test_shuffled_gold_leaves_the_log_as_it_was(crowd: RecordedCrowd) -> None:
    labels = list(crowd.gold.values())
    random.Random(7).shuffle(labels)
    shuffled = dataclasses.replace(crowd, gold=dict(zip(crowd.gold, labels, strict=True)))
    assert shuffled.gold != crowd.gold
    without = dataclasses.replace(crowd, gold={})

    log = played(crowd, seed=3).entries

    assert played(shuffled, seed=3).entries == log
    assert played(without, seed=3).entries == log


def test_one_seed_gives_one_log_and_another_another(crowd: RecordedCrowd) -> None:
    log = played(crowd, seed=5, concurrency=8).entries
    assert played(crowd, seed=5, concurrency=8).entries == log
    assert played(crowd, seed=6, concurrency=8).entries != log


def test_the_curve_of_fixed_overlap_rises_to_what_all_labels_give(crowd: RecordedCrowd) -> None:
    curve = fixed_overlap_curve(crowd, seed=1)
    assert [point.overlap for point in curve] == list(range(1, 11))
    assert [point.labels for point in curve] == [800 * overlap for overlap in range(1, 11)]
    first, last = curve[0], curve[-1]
    assert first.majority_vote is not None
    assert last.majority_vote is not None
    assert last.dawid_skene is not None
    # One label per task is right as often as the labels are (0.729); all ten as the set's README says.
    assert first.majority_vote == pytest.approx(0.729, abs=0.04)
    assert last.majority_vote == pytest.approx(0.897, abs=0.025)
    assert last.dawid_skene == pytest.approx(0.9275, abs=0.005)


def test_the_summary_tells_what_was_used_and_how_sure_the_accuracy_is(crowd: RecordedCrowd) -> None:
    outcome = InProcessReplay(crowd, default_rules(crowd), seed=2).play()
    summary = summarise(crowd, outcome, seed=2)
    assert (summary["tasks"], summary["workers"], summary["labels_recorded"]) == (800, 164, 8000)
    assert summary["finalised"] + summary["escalated"] + summary["exhausted"] == 800
    low, high = summary["accuracy_interval"]
    assert low < summary["accuracy"] < high
    assert high - low < 0.05
