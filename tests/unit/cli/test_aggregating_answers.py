"""`crowdroute aggregate` on answers that are more than one label."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from crowdroute.aggregation.answer_kinds import ANSWER_KINDS
from crowdroute.router.cli import DONE, MISUSED, run


def _mask(*counts: int) -> str:
    return json.dumps({"size": [2, 2], "counts": counts})


def _rows(column: str, values: list[str]) -> str:
    """Write the answers of u, v and w to t1, and of u and v to t2."""
    asked = [("t1", "u"), ("t1", "v"), ("t1", "w"), ("t2", "u"), ("t2", "v")]
    quoted = ('"' + value.replace('"', '""') + '"' for value in values)
    rows = (f"{task},{worker},{value}\n" for (task, worker), value in zip(asked, quoted, strict=True))
    return f"task,worker,{column}\n" + "".join(rows)


FILES = {
    "text": "task,worker,text\nt1,u,The cat sat.\nt1,v,the cat sat\nt1,w,a dog ran\nt2,u,hello\nt2,v,hello\n",
    "numeric": "task,worker,value\nt1,u,1.5\nt1,v,2\nt1,w,1e1\nt2,u,3\nt2,v,3\n",
    "multi-label": "task,worker,labels\nt1,u,a|b\nt1,v,b | a\nt1,w,c\nt2,u,c\nt2,v,\n",
    "mask": _rows("mask", [_mask(1, 2, 1), _mask(1, 2, 1), _mask(0, 4), _mask(3, 1), _mask(3, 1)]),
    "boxes": _rows("boxes", ["[[0, 0, 4, 4]]", "[[1, 0, 4, 4]]", "[9, 9, 1, 1]", "[]", "[]"]),
    "keypoints": _rows("keypoints", ["[[0, 0], null]", "[[1, 1], null]", "[[9, 9], [1, 1]]", "[]", "[]"]),
    "spans": _rows("spans", ['[[0, 4, "A"]]', '[[1, 4, "A"]]', '[[7, 9, "B"]]', "[[1, 2]]", "[[1, 2]]"]),
}
GOLD = {
    "text": "task,label\nt1,the cat sat\nt2,hello here\n",
    "numeric": "task,value\nt1,2\n",
    "multi-label": "task,labels\nt1,a|b\nt2,c\n",
    "mask": 'task,mask\nt1,"' + _mask(1, 2, 1).replace('"', '""') + '"\n',
    "boxes": 'task,boxes\nt1,"[[0, 0, 4, 4]]"\n',
    "keypoints": 'task,label\nt1,"[[0, 0], null]"\n',
    "spans": 'task,spans\nt1,"[[0, 4, ""A""]]"\n',
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / f"{name}.csv").write_text(text)
        (tmp_path / f"{name}_gold.csv").write_text(GOLD[name])
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], words: list[str]) -> dict[str, Any]:
    assert run(["aggregate", *words, "--json"]) == DONE
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_every_kind_is_tried_here() -> None:
    assert FILES.keys() == GOLD.keys() == ANSWER_KINDS.keys()


@pytest.mark.parametrize("kind", FILES)
def test_the_columns_tell_the_kind_and_gold_scores_it(
    files: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    gold = ["--gold", str(files / f"{kind}_gold.csv")]
    found = told(capsys, [str(files / f"{kind}.csv"), *gold])
    assert found["kind"] == kind
    assert found["error"]["measure"] == ANSWER_KINDS[kind].measure
    assert found["error"]["interval"][0] <= found["error"]["value"] <= found["error"]["interval"][1]
    assert found["results"].keys() == {"t1", "t2"}
    assert found["by_worker"][0]["closeness"] > found["by_worker"][2]["closeness"]
    assert run(["aggregate", str(files / f"{kind}.csv"), *gold]) == DONE
    assert f"{ANSWER_KINDS[kind].measure} {found['error']['value']:.3f}" in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "model"), [(k, m) for k in FILES for m in ANSWER_KINDS[k].models])
def test_every_model_can_be_asked_for(
    files: Path, capsys: pytest.CaptureFixture[str], kind: str, model: str
) -> None:
    out = files / "out.csv"
    found = told(capsys, [str(files / f"{kind}.csv"), "--model", model, "--out", str(out)])
    assert found["model"] == model
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["task"] for row in rows] == ["t1", "t2"]
    # What was written is read as answers of the same kind.
    read = ANSWER_KINDS[kind].read
    assert [ANSWER_KINDS[kind].write(read(row[ANSWER_KINDS[kind].column] or None)) for row in rows] == [
        found["results"][row["task"]] for row in rows
    ]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("ending", [".html", ".md"])
def test_every_kind_has_a_report(
    files: Path, capsys: pytest.CaptureFixture[str], kind: str, ending: str
) -> None:
    path = files / f"report{ending}"
    assert run(["aggregate", str(files / f"{kind}.csv"), "--report", str(path)]) == DONE
    text = path.read_text(encoding="utf-8")
    assert f"{kind}.csv" in text
    assert ANSWER_KINDS[kind].default(ANSWER_KINDS[kind].answers_of(_table(files / f"{kind}.csv"))) in text
    assert "nan" not in text.casefold().split()


def _table(path: Path) -> Any:
    from crowdroute.aggregation.file_tables import read_table

    return read_table(path)


def test_probabilities_of_labels_and_intervals_of_values_are_written(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, [str(files / "multi-label.csv"), "--model", "multi-label-vote"])
    assert found["further"]["p_a"] == {"t1": pytest.approx(2 / 3), "t2": 0.0}
    found = told(capsys, [str(files / "numeric.csv")])
    assert found["model"] == "bias-and-scatter"
    assert found["further"]["lower"]["t1"] < found["results"]["t1"] < found["further"]["upper"]["t1"]
    assert found["by_worker"][0].keys() >= {"bias", "scatter"}


def test_whole_numbers_are_places_on_a_scale(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "scale.csv").write_text("task,worker,value\nt,u,1\nt,v,3\nt,w,2\n")
    found = told(capsys, [str(files / "scale.csv")])
    assert (found["model"], found["results"]["t"]) == ("weighted-median", 2.0)


def test_lists_of_labels_are_read_from_json_lines(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"task": "t", "worker": w, "labels": labels} for w, labels in (("u", ["x", "y"]), ("v", []))]
    (files / "sets.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert told(capsys, [str(files / "sets.jsonl")])["kind"] == "multi-label"


@pytest.mark.parametrize(
    ("kind", "rows", "said"),
    [
        ("text", "t,u,a\nt,v,\n", "line 3: text is empty"),
        ("numeric", "t,u,1\nt,v,two\n", "line 3: value is 'two', which is no number"),
        ("numeric", "t,u,1\nt,v,\n", "line 3: value is None, which is no number"),
        ("numeric", "t,u,inf\n", "line 2: value is 'inf'; a number must be finite"),
        ("multi-label", "t,u,a||b\n", "line 2: labels is 'a||b', in which a label is empty"),
        ("text", "", "holds no answers"),
        ("mask", 't,u,"{}"\n', "line 2: mask is no"),
        ("boxes", 't,u,"[[1, 2, 3, 4]]"\nt,v,"[[1]]"\n', r"line 3: boxes holds [1]; a box is"),
        ("keypoints", "t,u,[]\nt,v,x\n", "line 3: keypoints is not JSON"),
        ("keypoints", "t,u,[]\nt,v,[null]\n", "answers to one task have [0, 1] points"),
        ("spans", "t,u,\n", "line 2: spans is empty"),
    ],
)
def test_a_bad_answer_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, rows: str, said: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(f"task,worker,{ANSWER_KINDS[kind].column}\n{rows}")
    assert run(["aggregate", str(path)]) == MISUSED
    assert said in capsys.readouterr().err


def test_gold_that_contradicts_itself_is_told_with_its_line(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "twice.csv").write_text("task,value\nt1,2\nt1,2.0\nt1,3\n")
    assert run(["aggregate", str(files / "numeric.csv"), "--gold", str(files / "twice.csv")]) == MISUSED
    assert "line 4: task 't1' has another gold above" in capsys.readouterr().err


def test_gold_of_other_tasks_scores_nothing_and_says_so(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "other.csv").write_text("task,value\nt9,2\n")
    assert run(["aggregate", str(files / "numeric.csv"), "--gold", str(files / "other.csv")]) == DONE
    assert "of the 1 tasks with gold none has an answer" in capsys.readouterr().out
