import numpy as np
import pytest

from crowdroute.aggregation.annotations import UNKNOWN, AnnotationSet
from crowdroute.aggregation.errors import InvalidAnnotationsError, RepeatedAnnotationError


def some() -> AnnotationSet:
    return AnnotationSet.from_sequences(
        ["t2", "t1", "t2", "t9"], ["w7", "w7", "w1", "w1"], ["no", "yes", "maybe", "no"]
    )


def codes(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_tasks_and_workers_are_ordered_by_first_appearance_and_labels_are_sorted() -> None:
    annotations = some()
    assert annotations.task_ids == ("t2", "t1", "t9")
    assert annotations.worker_ids == ("w7", "w1")
    assert annotations.label_ids == ("maybe", "no", "yes")
    assert annotations.tasks.tolist() == [0, 1, 0, 2]
    assert annotations.workers.tolist() == [0, 0, 1, 1]
    assert annotations.labels.tolist() == [1, 2, 0, 1]
    assert (len(annotations), annotations.n_tasks, annotations.n_workers, annotations.n_classes) == (
        4,
        3,
        2,
        3,
    )


def test_integer_arrays_give_the_same_set_as_lists_of_the_same_integers() -> None:
    columns = ([30, 10, 30, 20], [5, 5, 4, 9], [10, 2, 2, 10])
    from_lists = AnnotationSet.from_sequences(*columns)
    from_arrays = AnnotationSet.from_sequences(*(np.array(column) for column in columns))
    for name in ("tasks", "workers", "labels"):
        assert getattr(from_lists, name).tolist() == getattr(from_arrays, name).tolist()
    assert from_arrays.task_ids == from_lists.task_ids == (30, 10, 20)
    assert from_arrays.label_ids == from_lists.label_ids == (2, 10)
    assert all(type(task) is int for task in from_arrays.task_ids)


def test_arrays_of_text_name_things_by_plain_text() -> None:
    annotations = AnnotationSet.from_sequences(np.array(["b", "a"]), ["w", "w"], ["x", "x"])
    assert all(type(task) is str for task in annotations.task_ids)


def test_a_label_nobody_used_yet_takes_its_sorted_place() -> None:
    annotations = AnnotationSet.from_sequences(["t"], ["w"], ["b"], label_ids=["c", "a", "b"])
    assert annotations.label_ids == ("a", "b", "c")
    assert annotations.labels.tolist() == [1]


def test_a_repeated_pair_is_refused_by_default_and_the_error_says_where() -> None:
    with pytest.raises(
        RepeatedAnnotationError, match="annotations 1 and 3 are both of worker 'w' on task 'b'"
    ):
        AnnotationSet.from_sequences(["a", "b", "c", "b"], ["w", "w", "w", "w"], ["x", "x", "x", "y"])


def test_the_first_of_a_repeated_pair_is_kept_with_its_time_when_asked() -> None:
    annotations = AnnotationSet.from_sequences(
        ["b", "a", "b", "a"],
        ["w", "w", "w", "v"],
        ["x", "x", "z", "y"],
        repeats="first",
        seconds=np.array([1.0, 2.0, 3.0, 4.0]),
        timestamps=np.array(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"], dtype="datetime64[ms]"),
    )
    assert annotations.task_ids == ("b", "a")
    assert annotations.label_ids == ("x", "y")
    assert annotations.labels.tolist() == [0, 0, 1]
    assert annotations.seconds is not None
    assert annotations.seconds.tolist() == [1.0, 2.0, 4.0]
    assert annotations.timestamps is not None
    assert annotations.timestamps.astype("datetime64[D]").astype(str).tolist() == [
        "2020-01-01",
        "2020-01-02",
        "2020-01-04",
    ]


def test_nothing_can_be_written_into_a_set() -> None:
    annotations = some()
    with pytest.raises(ValueError, match="read-only"):
        annotations.labels[0] = 2
    with pytest.raises(AttributeError):
        annotations.labels = codes(0)  # type: ignore[misc]


def test_the_callers_own_arrays_stay_writable() -> None:
    mine = codes(0)
    AnnotationSet(mine, codes(0), codes(0), ("t",), ("w",), ("l",))
    mine[0] = 0
    assert mine.flags.writeable


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tasks": codes()}, "no annotations"),
        ({"labels": codes(0)}, "labels has shape"),
        ({"labels": codes(0, 2)}, "2 label_ids"),
        ({"labels": codes(0, -1)}, "from -1"),
        ({"labels": np.array([0, 1])}, "one-dimensional int32"),
        ({"task_ids": ("t", "u", "v")}, "task without annotations"),
        ({"worker_ids": ("w", "w")}, "something twice"),
        ({"seconds": np.zeros(3)}, "seconds has shape"),
    ],
)
def test_a_malformed_set_is_refused_by_name(changed: dict[str, object], message: str) -> None:
    good: dict[str, object] = {
        "tasks": codes(0, 1),
        "workers": codes(0, 1),
        "labels": codes(0, 1),
        "task_ids": ("t", "u"),
        "worker_ids": ("w", "v"),
        "label_ids": ("a", "b"),
    }
    AnnotationSet(**good)  # type: ignore[arg-type]
    with pytest.raises(InvalidAnnotationsError, match=message):
        AnnotationSet(**{**good, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "message"),
    [(["a", 1], "mix numbers and text"), ([0.5, 1.5], "text or integers"), (["a"], "one of each")],
)
def test_columns_that_make_no_labels_are_refused(labels: list[object], message: str) -> None:
    with pytest.raises(InvalidAnnotationsError, match=message):
        AnnotationSet.from_sequences(["t", "u"], ["w", "w"], labels)  # type: ignore[arg-type]


def test_gold_becomes_codes_and_leaves_out_tasks_that_nobody_labelled() -> None:
    annotations = some()
    assert annotations.gold_codes({"t1": "maybe", "t9": "yes", "elsewhere": "perhaps"}).tolist() == [
        UNKNOWN,
        0,
        2,
    ]
    assert annotations.gold_codes(None).tolist() == [UNKNOWN] * 3


def test_gold_with_a_label_outside_the_set_is_refused() -> None:
    with pytest.raises(InvalidAnnotationsError, match="gold label 'perhaps' of task 't1'"):
        some().gold_codes({"t1": "perhaps"})


def test_a_selection_is_a_set_of_its_own_that_keeps_the_labels() -> None:
    annotations = some()
    chosen = annotations.select(np.array([False, True, True, False]))
    assert (chosen.task_ids, chosen.worker_ids) == (("t1", "t2"), ("w7", "w1"))
    assert chosen.label_ids == annotations.label_ids
    assert chosen.labels.tolist() == [2, 0]
    assert annotations.select(np.array([3])).worker_ids == ("w1",)
    with pytest.raises(InvalidAnnotationsError, match="no annotations"):
        annotations.select(np.zeros(4, dtype=bool))


def test_pre_labels_become_log_odds_and_none_is_taken_as_certain() -> None:
    odds = some().log_odds({"t1": {"yes": 0.8}, "t9": {"no": 1.0}, "elsewhere": {"x": 2.0}})
    assert odds[0].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(np.exp(odds[1]), [0.1, 0.1, 0.8])
    np.testing.assert_allclose(np.exp(odds[2]), [1e-6, 1 - 1e-6, 1e-6])


@pytest.mark.parametrize(
    "shares", [{"perhaps": 0.5}, {"yes": 1.5}, {"yes": 0.7, "no": 0.7}, {"yes": float("nan")}]
)
def test_pre_labels_that_are_no_probabilities_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InvalidAnnotationsError, match="of task 't1'"):
        some().log_odds({"t1": shares})
