"""Which kind of answers a file holds, and comparisons as labels."""

from pathlib import Path

import pytest

from crowdroute.aggregation.errors import UnreadableFileError
from crowdroute.aggregation.file_tables import Table, read_table
from crowdroute.aggregation.kinds import kind_of
from crowdroute.aggregation.pairs import comparisons_of, gold_of_pairs


def read(path: Path, text: str) -> Table:
    file = path / "answers.csv"
    file.write_text(text)
    return read_table(file)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("task,worker,label", "choice"),
        ("task,worker,text,seconds", "text"),
        ("task,worker,value", "numeric"),
        ("task,worker,labels,label", "multi-label"),
        ("worker,left,right,label", "pairwise"),
        ("task,worker,left,right,label", "pairwise"),
    ],
)
def test_the_columns_tell_the_kind(tmp_path: Path, header: str, kind: str) -> None:
    assert kind_of(read(tmp_path, header + "\n" + ",".join("abcde"[: header.count(",") + 1]))) == kind


def test_columns_of_no_kind_are_told_with_those_of_every_kind(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"line 1: no column 'worker'.*left,right"):
        kind_of(read(tmp_path, "task,label\na,b\n"))


def test_a_pair_is_the_same_whichever_way_it_is_shown(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "worker,left,right,label\nu,x,y,x\nv,y,x,right\nw,y,x,y\nu,x,z,equal\nv,x,z,Tie\nu,x,y,y\n",
    )
    found = comparisons_of(table)
    assert found.pairs == (("x", "y"), ("x", "z"))
    names = [found.annotations.label_ids[code] for code in found.annotations.labels]
    assert names == ["first", "first", "second", "equal", "equal"]
    # The same answers with their sides, and the pairs numbered and turned alike.
    items = found.shown.item_ids
    assert found.shown.outcomes.tolist() == [1.0, 0.0, 1.0, 0.5, 0.5]
    assert tuple((items[one], items[other]) for one, other in found.shown.pairs) == found.pairs
    assert found.shown.pair_of.tolist() == found.annotations.tasks.tolist()
    assert found.chose_left is not None
    assert found.chose_left.value == pytest.approx(2 / 4)


def test_gold_of_pairs_follows_the_pairs(tmp_path: Path) -> None:
    found = comparisons_of(read(tmp_path, "worker,left,right,label\nu,x,y,x\nv,x,z,x\n"))
    gold = gold_of_pairs(found, read(tmp_path, "left,right,label\ny,x,x\nz,x,z\nq,r,q\n"))
    assert gold == {"0": "first", "1": "second"}
    with pytest.raises(UnreadableFileError, match="line 3: this pair has another gold"):
        gold_of_pairs(found, read(tmp_path, "left,right,label\ny,x,x\nx,y,y\n"))
    with pytest.raises(UnreadableFileError, match="line 2: gold 'q'"):
        gold_of_pairs(found, read(tmp_path, "left,right,label\ny,x,q\n"))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("u,x,x,x", "line 2: 'x' is compared with itself"),
        ("u,x,y,z", "line 2: label 'z' is neither 'x' nor 'y'"),
    ],
)
def test_comparisons_that_cannot_be_are_told(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(UnreadableFileError, match=told):
        comparisons_of(read(tmp_path, f"worker,left,right,label\n{row}\n"))
    with pytest.raises(UnreadableFileError, match="holds no comparisons"):
        comparisons_of(read(tmp_path, "worker,left,right,label\n"))
