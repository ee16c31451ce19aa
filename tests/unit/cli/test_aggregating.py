"""`crowdroute aggregate` as its user sees it: every kind, every format, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from crowdroute.router.cli import DONE, MISUSED, run

CHOICE = "task,worker,label\n" + "".join(
    f"t{t},w{w},{'ab'[(t + (w == t % 4)) % 2]}\n" for t in range(12) for w in range(4)
)
TEXT = (
    "task,worker,text\nt1,u,The cat sat.\nt1,v,the cat sat\nt1,w,a dog ran\n"
    "t2,u,hello there\nt2,v,hello there\nt2,w,hallo\n"
)
PAIRS = "worker,left,right,label\nu,x,y,x\nv,y,x,x\nw,x,y,equal\nu,x,z,z\nv,z,x,z\n"


def told(capsys: pytest.CaptureFixture[str], words: list[str]) -> dict[str, Any]:
    assert run([*words, "--json"]) == DONE
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("choice", CHOICE), ("text", TEXT), ("pairs", PAIRS)):
        (tmp_path / f"{name}.csv").write_text(text)
    (tmp_path / "gold.csv").write_text("task,label\n" + "".join(f"t{t},{'ab'[t % 2]}\n" for t in range(12)))
    (tmp_path / "pair_gold.csv").write_text("left,right,label\ny,x,x\n")
    return tmp_path


def test_a_program_gets_labels_workers_agreement_and_the_choice(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, ["aggregate", str(files / "choice.csv"), "--gold", str(files / "gold.csv")])
    assert found["kind"] == "choice"
    assert found["accuracy"] == 1.0
    assert found["selection"]["chosen"] == found["model"]
    assert found["agreement"]["Krippendorff's alpha"]["interval"][0] < 1.0
    assert found["probabilities"]["t0"].keys() == {"a", "b"}
    worker = found["by_worker"][0]
    low, high = worker["accuracy_interval"]
    assert low < worker["accuracy"] < high
    row = worker["confusion"]["a"]
    assert sum(cell["probability"] for cell in row.values()) == pytest.approx(1.0)
    assert all(cell["interval"][0] <= cell["probability"] <= cell["interval"][1] for cell in row.values())
    assert found["most_disputed"][0]["votes"]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl", ".parquet"])
def test_results_are_written_as_their_ending_says_and_read_back(
    files: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    out = files / f"results{ending}"
    assert run(["aggregate", str(files / "choice.csv"), "--out", str(out)]) == DONE
    assert f"results written to {out}" in capsys.readouterr().out
    if ending == ".parquet":
        rows = parquet.read_table(out).to_pylist()
        assert (rows[0]["task"], rows[0]["label"]) == ("t0", "a")
        return
    from crowdroute.aggregation import read_gold

    assert read_gold(out)["t0"] == "a"


@pytest.mark.parametrize("name", ["choice", "pairs"])
@pytest.mark.parametrize("ending", [".html", ".md"])
def test_every_kind_has_a_report(
    files: Path, capsys: pytest.CaptureFixture[str], name: str, ending: str
) -> None:
    path = files / f"report{ending}"
    assert run(["aggregate", str(files / f"{name}.csv"), "--report", str(path)]) == DONE
    text = path.read_text(encoding="utf-8")
    assert f"{name}.csv" in text
    assert text.startswith("<!doctype html>" if ending == ".html" else "# ")
    assert "<script" not in text


def test_pairs_get_a_winner_each_and_the_side_is_watched(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = files / "pairs_out.csv"
    words = ["aggregate", str(files / "pairs.csv"), "--gold", str(files / "pair_gold.csv"), "--out", str(out)]
    found = told(capsys, words)
    assert (found["kind"], found["accuracy"]) == ("pairwise", 1.0)
    assert found["chose_left"]["value"] == 0.5
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["left"], row["right"], row["label"]) for row in rows] == [("x", "y", "x"), ("x", "z", "z")]
    assert sum(float(rows[0][name]) for name in ("p_left", "p_right", "p_equal")) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "model", ["pair-consensus", "bradley-terry", "worker-bradley-terry", "majority-vote"]
)
def test_preferences_have_models_of_their_own(
    files: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    found = told(capsys, ["aggregate", str(files / "pairs.csv"), "--model", model])
    assert found["model"] == model
    assert found["results"] == {"x | y": "first", "x | z": "second"}
    assert all(sum(row.values()) == pytest.approx(1.0) for row in found["probabilities"].values())
    if "bradley" in model:
        # The greatest first.
        assert list(found["scores"]) == ["z", "x", "y"]
    else:
        assert "scores" not in found
    assert ("heed" in found["by_worker"][0]) == (model == "worker-bradley-terry")


def test_pairs_whose_names_would_be_the_same_are_kept_apart(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "bars.csv").write_text("worker,left,right,label\nu,a | b,c,c\nu,a,b | c,a\n")
    found = told(capsys, ["aggregate", str(files / "bars.csv")])
    assert found["results"] == {"'a | b' | 'c'": "second", "'a' | 'b | c'": "first"}


def test_a_label_that_only_gold_knows_counts_as_wrong(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "foreign.csv").write_text("task,label\nt0,a\nt1,never\n")
    found = told(capsys, ["aggregate", str(files / "choice.csv"), "--gold", str(files / "foreign.csv")])
    assert (found["gold_tasks"], found["accuracy"]) == (2, 0.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{files}/choice.csv", "--kind", "video"], "choose one of choice, pairwise, text"),
        (["{files}/choice.csv", "--kind", "text"], "no column 'text'"),
        (["{files}/text.csv", "--model", "dawid-skene"], "no model for text"),
        (
            ["{files}/pairs.csv", "--model", "rover"],
            "no model for pairwise; choose one of auto, majority-vote",
        ),
        (["{files}/choice.csv", "--out", "{files}/results.xlsx"], "end its name in one of .csv"),
        (["{files}/choice.csv", "--report", "{files}/report.pdf"], "end its name in one of .html"),
        (["{files}/choice.csv", "--report", "{files}/none/report.html"], "make it first"),
        (["{files}/gold.csv"], "expected one of: task,worker,label"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(
    files: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run(["aggregate", *(word.format(files=files) for word in words)]) == MISUSED
    told_of = capsys.readouterr()
    assert said in told_of.err
    assert told_of.out == ""
