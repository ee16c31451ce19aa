from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from crowdroute.aggregation import AnnotationSet
from crowdroute.aggregation.errors import InvalidAnnotationsError, RepeatedAnnotationError

COLUMNS: dict[str, list[Any]] = {
    "task": ["t2", "t1", "t2", "t9"],
    "worker": [7, 7, 1, 1],
    "label": ["no", "yes", "maybe", "no"],
}

MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "categories": lambda columns: pd.DataFrame(columns).astype({"task": "category", "label": "category"}),
    "objects": lambda columns: pd.DataFrame(columns).astype(object),
    "arrow": pa.table,
    "arrow of chunks": lambda columns: pa.concat_tables(
        [pa.table({name: values[i : i + 1] for name, values in columns.items()}) for i in range(4)]
    ),
    "arrow dictionaries": lambda columns: pa.table(
        {name: pa.array(values).dictionary_encode() for name, values in columns.items()}
    ),
    "lists": dict,
    "arrays": lambda columns: {name: np.array(values) for name, values in columns.items()},
}

EVERY = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
Make = Callable[[dict[str, Any]], Any]


@EVERY
def test_every_kind_of_table_gives_the_same_set_as_lists(make: Make) -> None:
    from_table = AnnotationSet.from_table(make(COLUMNS))
    expected = AnnotationSet.from_sequences(COLUMNS["task"], COLUMNS["worker"], COLUMNS["label"])
    for name in ("tasks", "workers", "labels"):
        assert getattr(from_table, name).tolist() == getattr(expected, name).tolist()
    for name in ("task_ids", "worker_ids", "label_ids"):
        assert getattr(from_table, name) == getattr(expected, name)
    assert {type(worker) for worker in from_table.worker_ids} == {int}


@EVERY
def test_a_missing_column_is_told_with_those_that_are_there(make: Make) -> None:
    with pytest.raises(
        InvalidAnnotationsError, match=r"no column 'answer' among \['task', 'worker', 'label'\]"
    ):
        AnnotationSet.from_table(make(COLUMNS), label="answer")


@pytest.mark.parametrize("make", [MAKERS[kind] for kind in ("pandas", "objects", "arrow", "lists")])
def test_a_missing_value_is_refused_with_its_row(make: Make) -> None:
    holed = {**COLUMNS, "label": ["no", "yes", None, "no"]}
    with pytest.raises(InvalidAnnotationsError, match="'label' has no value in row 2"):
        AnnotationSet.from_table(make(holed))


def test_other_names_and_further_columns_do_no_harm() -> None:
    frame = pd.DataFrame({"note": ["a"], "item": [5], "annotator": ["w"], "verdict": [True]})
    annotations = AnnotationSet.from_table(frame, task="item", worker="annotator", label="verdict")
    assert annotations.task_ids == (5,)
    assert annotations.label_ids == (True,)


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table])
def test_times_come_along(make: Make) -> None:
    moments = np.array(["2020-01-01", "NaT"], dtype="datetime64[ms]")
    table = make(
        {
            "task": ["a", "b"],
            "worker": ["w", "w"],
            "label": [0, 1],
            "timestamp": moments,
            "seconds": [1.5, np.nan],
        }
    )
    annotations = AnnotationSet.from_table(table)
    assert annotations.timestamps is not None
    assert annotations.seconds is not None
    np.testing.assert_array_equal(annotations.timestamps, moments)
    np.testing.assert_array_equal(annotations.seconds, [1.5, np.nan])


def test_a_time_with_a_zone_is_told_in_utc() -> None:
    frame = pd.DataFrame({**COLUMNS, "timestamp": pd.to_datetime(["2020-01-01T02:00+02:00"] * 4)})
    timestamps = AnnotationSet.from_table(frame).timestamps
    assert timestamps is not None
    assert timestamps[0] == np.datetime64("2020-01-01T00:00")


def test_a_column_of_times_that_holds_none_is_refused() -> None:
    with pytest.raises(InvalidAnnotationsError, match="'seconds' does not hold numbers"):
        AnnotationSet.from_table({**COLUMNS, "seconds": ["fast"] * 4})
    with pytest.raises(InvalidAnnotationsError, match="'timestamp' does not hold times"):
        AnnotationSet.from_table({**COLUMNS, "timestamp": ["soon"] * 4})


@EVERY
def test_repeats_are_refused_or_resolved_as_asked(make: Make) -> None:
    table = make({"task": ["a", "b", "a", "c"], "worker": ["v", "w", "v", "v"], "label": [3, 2, 1, 2]})
    with pytest.raises(RepeatedAnnotationError, match="annotations 0 and 2 are both of worker 'v'"):
        AnnotationSet.from_table(table)
    first = AnnotationSet.from_table(table, repeats="first")
    assert (first.task_ids, first.label_ids, first.labels.tolist()) == (("a", "b", "c"), (2, 3), [1, 0, 0])
    last = AnnotationSet.from_table(table, repeats="last")
    assert (last.task_ids, last.label_ids, last.labels.tolist()) == (("b", "a", "c"), (1, 2), [1, 0, 1])
    assert last.worker_ids == ("w", "v")
    with pytest.raises(InvalidAnnotationsError, match="repeats is 'mean'"):
        AnnotationSet.from_table(table, repeats="mean")  # type: ignore[arg-type]


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(InvalidAnnotationsError, match="no annotations"):
        AnnotationSet.from_table(pd.DataFrame({"task": [], "worker": [], "label": []}))
