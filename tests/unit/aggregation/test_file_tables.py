"""Tables of every format, and what is wrong with them told with file and line."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from crowdroute.aggregation import read_annotations, read_gold
from crowdroute.aggregation.errors import UnreadableFileError
from crowdroute.aggregation.file_tables import as_text, read_table

CSV = "task,worker,label,seconds\nt1,u,a,3\nt1,v,b,\nt2,u,a,5\n"
LINES = (
    '{"task": "t1", "worker": "u", "label": "a", "seconds": 3}\n\n'
    '{"task": "t1", "worker": "v", "label": "b"}\n'
    '{"worker": "u", "task": "t2", "label": "a", "seconds": 5.0}\n'
)


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Path]:
    """The same labels in every format."""
    files = {name: tmp_path / f"labels{name}" for name in (".csv", ".tsv", ".csv.gz", ".jsonl", ".jsonl.gz")}
    files[".csv"].write_text(CSV)
    files[".tsv"].write_text(CSV.replace(",", "\t"))
    files[".csv.gz"].write_bytes(gzip.compress(CSV.encode()))
    files[".jsonl"].write_text(LINES)
    files[".jsonl.gz"].write_bytes(gzip.compress(LINES.encode()))
    files[".parquet"] = tmp_path / "labels.parquet"
    rows = {"task": ["t1", "t1", "t2"], "worker": ["u", "v", "u"], "label": ["a", "b", "a"]}
    parquet.write_table(pyarrow.table({**rows, "seconds": [3.0, None, 5.0]}), files[".parquet"])
    return files


def test_every_format_gives_the_same_annotations(written: dict[str, Path]) -> None:
    for path in written.values():
        found = read_annotations(path)
        assert (found.task_ids, found.worker_ids, found.label_ids) == (("t1", "t2"), ("u", "v"), ("a", "b"))
        assert found.labels.tolist() == [0, 1, 0]
        assert found.seconds is not None
        assert found.seconds[[0, 2]].tolist() == [3.0, 5.0]


def test_numbers_are_ids_as_csv_has_them(tmp_path: Path) -> None:
    lines, file = tmp_path / "labels.jsonl", tmp_path / "labels.parquet"
    lines.write_text('{"task": 1, "worker": 7, "label": true}\n{"task": 2, "worker": 7, "label": false}\n')
    parquet.write_table(pyarrow.table({"task": [1.0, 2.0], "worker": [7, 7], "label": [True, False]}), file)
    for path in (lines, file):
        found = read_annotations(path)
        assert (found.task_ids, found.worker_ids, found.label_ids) == (("1", "2"), ("7",), ("false", "true"))
    assert [as_text(value) for value in (None, "", 2.5, float("nan"), {"b": 1, "a": [2]})] == [
        "", "", "2.5", "", '{"a": [2], "b": 1}',
    ]  # fmt: skip


def test_times_of_parquet_are_times(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    columns = {"task": ["t"], "worker": ["w"], "label": ["x"], "timestamp": [moment]}
    parquet.write_table(pyarrow.table(columns), path)
    found = read_annotations(path).timestamps
    assert found is not None
    assert str(found[0]) == "2026-01-02T03:04:05.000"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b"\n", "is empty; each of its lines"),
        ("a.jsonl", b'{"task": 1}\n[1]\n', "line 2: an object is needed"),
        ("a.jsonl", b'{"task": 1}\n{"task": \n', "line 2: not JSON"),
        ("a.jsonl", b'{"task": NaN}\n', "line 1: not JSON"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "line 1: not JSON"),
        ("a.jsonl", b'{"task": 1, "worker": 2}\n', "no column 'label'"),
        ("a.jsonl", b'{"task": 1, "worker": 2, "label": 3}\n{"task": 1, "worker": 3}\n', "line 2: label is"),
        ("a.jsonl", b"\xff\xfe\n", "decode .* save it as UTF-8"),
        ("a.jsonl.gz", b"{}", "cannot be read"),
        ("a.parquet", b"PAR1", "cannot be read as Parquet"),
        ("a.xlsx", b"", r"none of \.csv"),
        ("a.csv", b"task,worker,label\nt,w,a b, c\n", "line 2: 4 fields .* needs quotes"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=told) as refusal:
        read_annotations(path)
    assert str(path) in str(refusal.value)


def test_a_row_of_parquet_is_told_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "gold.parquet"
    parquet.write_table(pyarrow.table({"task": ["a", "a"], "label": [1, 2]}), path)
    with pytest.raises(UnreadableFileError, match="row 2: task 'a' has gold '2' here, '1' above"):
        read_gold(path)


def test_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("task\n" + "t\n" * 45_000)
    told: list[int] = []
    assert len(read_table(path, told.append)) == 45_000
    assert told == [20_000, 40_000]
