"""Reading recorded crowds: whatever a file holds, it plays or is refused with file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crowdroute.aggregation.errors import AggregationError
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.model.rules import Field, Label, ProjectRules
from crowdroute.router.replay.baselines import EVERY, overlaps
from crowdroute.router.replay.in_process import InProcessReplay
from crowdroute.router.replay.outcome import Outcome
from crowdroute.router.replay.recorded import FILLER, RecordedCrowd, default_rules, imports, read_crowd
from crowdroute.router.replay.report import summarise, wilson
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.describe import describe


def crowd_of(folder: Path, labels: str, gold: str | None = None) -> RecordedCrowd:
    (folder / "labels.csv").write_text(labels, encoding="utf-8", newline="")
    if gold is None:
        return read_crowd(folder / "labels.csv", None)
    (folder / "gold.csv").write_text(gold, encoding="utf-8", newline="")
    return read_crowd(folder / "labels.csv", folder / "gold.csv")


def play(crowd: RecordedCrowd) -> Outcome:
    return InProcessReplay(crowd, default_rules(crowd), seed=1, concurrency=4).play()


@pytest.mark.parametrize(
    "labels",
    [
        "task,worker,label\nt,w,a\n",
        "task,worker,label\nt1,w,a\nt2,w,b\nt3,w,a\n",
        "task,worker,label\nt,w1,a\nt,w2,b\nt,w3,a\n",
        "task,worker,label\nt1,w1,a\nt1,w2,a\nt2,w1,a\nt2,w2,a\n",
        "label,extra,worker,task\na,x,w1,t1\nb,y,w2,t1\n",
        "task,worker,label\r\nt1,w1,a\r\nt1,w2,b\r\n",
        "\ufefftask,worker,label\nt1,w1,a\nt1,w2,b\n",
        'task,worker,label\n"täsk, 1",Zoë,"是"\n"täsk, 1",🦉,否\n',
        "task,worker,label\nt1,w1, a\nt1,w2,a\nt1,w3,a\tb\n",
        "task,worker,label,timestamp,seconds\nt,w1,a,2026-01-01T00:00:00Z,3\nt,w2,b,,\n",
    ],
    ids=[
        "one row",
        "one worker",
        "one task",
        "one label",
        "columns in another order",
        "CRLF",
        "byte order mark",
        "unicode",
        "labels that no rules could name",
        "times",
    ],
)
def test_an_odd_record_plays_to_its_end(labels: str, tmp_path: Path) -> None:
    crowd = crowd_of(tmp_path, labels)
    outcome = play(crowd)
    summary = summarise(crowd, outcome, seed=1)
    assert summary["finalised"] + summary["escalated"] + summary["exhausted"] == len(crowd.tasks)
    assert 0 < summary["labels_used"] <= summary["labels_recorded"] == len(crowd.answers)
    assert summary["accuracy"] is None
    assert summary["accuracy_interval"] is None


def test_a_compressed_file_is_read_whatever_the_case_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "LABELS.CSV.GZ"
    path.write_bytes(gzip.compress(b"task,worker,label\nt,w,a\nt,w,b\n"))
    crowd = read_crowd(path, None)
    assert (crowd.repeats, crowd.answers) == (1, {(0, 0): 0})


def test_a_repeated_pair_keeps_its_first_label_and_is_counted(tmp_path: Path) -> None:
    crowd = crowd_of(tmp_path, "task,worker,label\nt,w,b\nt,v,a\nt,w,a\nt,w,b\n")
    assert crowd.repeats == 2
    assert crowd.labels[crowd.answers[0, crowd.workers.index("w")]] == "b"
    assert summarise(crowd, play(crowd), seed=1)["repeats_dropped"] == 2


def test_a_blank_line_is_no_row(tmp_path: Path) -> None:
    crowd = crowd_of(tmp_path, "task,worker,label\n\nt,w,b\n  \nt,v,a\nt,w,a\n\n", "task,label\n\nt,a\n")
    assert (len(crowd.answers), crowd.repeats, crowd.gold) == (2, 1, {"t": "a"})


@pytest.mark.parametrize(
    ("labels", "where"),
    [
        ("", "labels.csv is empty"),
        ("task,worker\nt,w\n", "line 1: no column 'label'"),
        ("task,worker,label\nt,w,a\nt,w\n", "line 3"),
        ("task,worker,label\nt,,a\n", "line 2: worker is empty"),
        ("task,worker,label\n", "holds no labels"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_line(labels: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(AggregationError, match=where):
        crowd_of(tmp_path, labels)


def test_gold_scores_labelled_tasks_only_and_tells_what_it_could_not_score(tmp_path: Path) -> None:
    crowd = crowd_of(
        tmp_path,
        "task,worker,label\nt1,w1,a\nt1,w2,a\nt2,w1,b\nt2,w2,b\nt3,w1,a\nt3,w2,a\n",
        "task,label\nt1,a\nt2,never given\nt9,a\n",
    )
    summary = summarise(crowd, play(crowd), seed=1)
    assert summary["accuracy"] == 0.5
    assert summary["gold_tasks"] == 2
    assert summary["gold_never_labelled"] == 1
    assert summary["gold_outside_labels"] == 1
    assert summary["fixed_overlap"][-1]["majority_vote"] == 0.5


def test_the_summary_has_the_promised_keys(tmp_path: Path) -> None:
    crowd = crowd_of(tmp_path, "task,worker,label\nt,w1,a\nt,w2,b\n", "task,label\nt,a\n")
    summary = summarise(crowd, play(crowd), seed=1)
    assert summary.keys() >= {
        "tasks",
        "workers",
        "labels_recorded",
        "labels_used",
        "finalised",
        "escalated",
        "exhausted",
        "accuracy",
        "accuracy_interval",
        "fixed_overlap",
        "cycles_per_second",
        "seconds",
    }
    assert [one["overlap"] for one in summary["fixed_overlap"]] == [1, 2]
    assert summary["fixed_overlap"][0].keys() == {"overlap", "labels", "majority_vote", "dawid_skene"}


def test_free_texts_are_told_from_labels(tmp_path: Path) -> None:
    rows = "".join(f"t{number},w,text {number}\n" for number in range(600))
    with pytest.raises(ConfigurationError, match="600 different labels"):
        crowd_of(tmp_path, "task,worker,label\n" + rows)


def test_as_many_labels_as_a_choice_may_have_play_to_their_end(tmp_path: Path) -> None:
    rows = "".join(f"t{number},w{who},label {number}\n" for number in range(512) for who in range(2))
    crowd = crowd_of(tmp_path, "task,worker,label\n" + rows)
    assert play(crowd).used == 1024


def test_every_record_has_rules_that_can_be_written_down(tmp_path: Path) -> None:
    crowd = crowd_of(tmp_path, "task,worker,label\nt1,w1, a\nt2,w1,label-1\nt3,w1,ok\nt4,w1,label-1-\n")
    assert len(set(crowd.names)) == 4
    assert "ok" in crowd.names
    rules = default_rules(crowd)
    assert compile_rules(describe(rules), 1).fields == rules.fields


def test_a_record_of_one_label_has_rules_with_two(tmp_path: Path) -> None:
    crowd = crowd_of(tmp_path, "task,worker,label\nt,w,a\n")
    rules = default_rules(crowd)
    assert [label.id for label in rules.fields[0].labels] == ["a", FILLER]
    assert compile_rules(describe(rules), 1).overlap == rules.overlap


def test_rules_without_a_recorded_label_are_refused_by_its_name(tmp_path: Path) -> None:
    crowd = crowd_of(tmp_path, "task,worker,label\nt,w,owl\nt,v,robin\n")
    known = ProjectRules(1, (Field("label", (Label("owl"), Label("robin", removed=True))),))
    with pytest.raises(ConfigurationError, match="'robin'"):
        crowd.check_labels(known)
    several = ProjectRules(1, (Field("a", (Label("owl"),)), Field("b", (Label("robin"),))))
    with pytest.raises(ConfigurationError, match="2"):
        crowd.check_labels(several)


def test_imports_hold_every_task_once_within_their_limits(tmp_path: Path) -> None:
    rows = "".join(f"t{task},w{who},a\n" for task in range(20) for who in range(1 + task % 7))
    crowd = crowd_of(tmp_path, "task,worker,label\n" + rows)
    parts = imports(crowd, seed=1, rows=4, allowed=6)
    assert sorted(task for part in parts for task in part) == list(range(20))
    for part in parts:
        named = sum(len(crowd.workers_of[task]) for task in part)
        assert len(part) == 1 or (len(part) <= 4 and named <= 6)


def test_the_curve_has_every_small_overlap_and_few_large_ones() -> None:
    assert overlaps(3) == [1, 2, 3]
    found = overlaps(5_000)
    assert found[:EVERY] == list(range(1, EVERY + 1))
    assert found[-1] == 5_000
    assert found == sorted(set(found))
    assert len(found) < EVERY + 50


def test_the_score_interval_is_wilsons() -> None:
    # R: prop.test(9, 10, correct = FALSE)$conf.int
    assert wilson(9, 10) == pytest.approx((0.5958500, 0.9821238), abs=1e-6)
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0
