import gzip
from pathlib import Path

import numpy as np
import pytest

from crowdroute.aggregation.errors import RepeatedAnnotationError, UnreadableFileError
from crowdroute.aggregation.files import read_annotations, read_gold


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def test_columns_may_come_in_any_order_beside_others(file: Path) -> None:
    annotations = read_annotations(written(file, "label,note,worker,task\nyes,,w1,t1\nno,hm,w2,t1\n"))
    assert annotations.task_ids == ("t1",)
    assert annotations.worker_ids == ("w1", "w2")
    assert annotations.labels.tolist() == [1, 0]
    assert annotations.timestamps is None
    assert annotations.seconds is None


def test_a_compressed_file_reads_as_the_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b"task,worker,label\nt,w,x\n"))
    assert read_annotations(path).label_ids == ("x",)


def test_a_byte_order_mark_and_quoted_commas_are_understood(file: Path) -> None:
    annotations = read_annotations(written(file, '\ufefftask,worker,label\n"a, b",w,"say ""x"""\n'))
    assert annotations.task_ids == ("a, b",)
    assert annotations.label_ids == ('say "x"',)


def test_blank_lines_are_passed_over_and_counted(file: Path) -> None:
    text = "\n \ntask,worker,label\n\nt,w,x\n\t\r\nu,w,y\n\n"
    annotations = read_annotations(written(file, text))
    assert (annotations.task_ids, annotations.label_ids) == (("t", "u"), ("x", "y"))

    with pytest.raises(UnreadableFileError, match="line 10: 2 fields"):
        read_annotations(written(file, text + "\nt,w\n"))
    with pytest.raises(RepeatedAnnotationError, match="lines 5 and 10"):
        read_annotations(written(file, text + "\nt,w,x\n"))
    with pytest.raises(UnreadableFileError, match="line 4: no column 'worker'"):
        read_annotations(written(file, "\n\n\ntask,label\n"))
    assert read_gold(written(file, "task,label\n\na,1\n\n")) == {"a": "1"}


def test_a_line_of_separators_is_not_blank(file: Path) -> None:
    with pytest.raises(UnreadableFileError, match="line 3: task is empty"):
        read_annotations(written(file, "task,worker,label\n\n,,\n"))


def test_times_are_kept_in_utc_and_may_be_missing(file: Path) -> None:
    annotations = read_annotations(
        written(
            file,
            "task,worker,label,timestamp,seconds\n"
            "a,w,x,2020-01-01T02:00:00+02:00,1.5\n"
            "b,w,x,2020-01-01T00:00:01,\n"
            "c,w,x,,3\n",
        )
    )
    assert annotations.timestamps is not None
    assert annotations.timestamps.astype(str).tolist() == [
        "2020-01-01T00:00:00.000",
        "2020-01-01T00:00:01.000",
        "NaT",
    ]
    np.testing.assert_array_equal(annotations.seconds, [1.5, np.nan, 3.0])


def test_a_repeated_pair_is_refused_with_both_lines(file: Path) -> None:
    written(file, "task,worker,label\nt,w,x\nu,w,x\nt,w,y\n")
    with pytest.raises(RepeatedAnnotationError, match=r"labels\.csv, lines 2 and 4 are both of worker 'w'"):
        read_annotations(file)
    assert read_annotations(file, repeats="first").labels.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("task,label\nt,x\n", "line 1: no column 'worker'"),
        ("task,worker,label,label\nt,w,x,x\n", "line 1: a column is named twice"),
        ("task,worker,label\nt,w,x\nt,w\n", "line 3: 2 fields where the first line names 3"),
        ("task,worker,label\nt,w,x\n,w,x\n", "line 3: task is empty"),
        ("task,worker,label\nt,w,\n", "line 2: label is empty"),
        ('task,worker,label\nt,w,x\n"t,w,y\n', "after line 2: not CSV"),
        ("task,worker,label,timestamp\nt,w,x,yesterday\n", "line 2: 'yesterday' is not an ISO 8601 time"),
        ("task,worker,label,seconds\nt,w,x,fast\n", "line 2: 'fast' is not a number"),
        ("task,worker,label,seconds\nt,w,x,-1\n", "line 2: '-1' seconds is negative"),
        ("task,worker,label,seconds\nt,w,x,nan\n", "line 2: 'nan' seconds is negative or not finite"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(file: Path, text: str, message: str) -> None:
    with pytest.raises(UnreadableFileError, match=message) as refusal:
        read_annotations(written(file, text))
    assert str(file) in str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"task,worker,label\n" + b"t,w,x\n" * 9999)[:-40], b"task,worker,label\nt,w,x\n"],
    ids=["cut off", "not compressed"],
)
def test_a_damaged_archive_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        read_annotations(path)


def test_a_missing_file_and_one_that_is_not_text_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nowhere\.csv.*No such file"):
        read_annotations(tmp_path / "nowhere.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(b"task,worker,label\n\xff\xfe,w,x\n")
    with pytest.raises(UnreadableFileError, match="decode"):
        read_annotations(path)


def test_gold_is_read_and_may_repeat_itself(file: Path) -> None:
    assert read_gold(written(file, "task,label\na,1\nb,2\na,1\n")) == {"a": "1", "b": "2"}


def test_gold_that_contradicts_itself_is_refused(file: Path) -> None:
    with pytest.raises(UnreadableFileError, match="line 3: task 'a' has gold '2' here, '1' above"):
        read_gold(written(file, "task,label\na,1\na,2\n"))
