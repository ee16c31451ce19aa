"""Boxes, keypoints and spans: distances, and what several answers make together."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation import AggregationError, AnswerSet
from crowdroute.aggregation.answer_json import read_boxes, read_points, read_spans, write_list
from crowdroute.aggregation.nearest import MergedAnswer, NearestAnswer
from crowdroute.aggregation.shapes import (
    box_distance,
    box_overlap,
    merge_boxes,
    merge_points,
    merge_spans,
    point_distance,
    span_distance,
)

places = st.integers(0, 9)
boxes = st.lists(
    st.tuples(
        places.map(float), places.map(float), st.integers(1, 5).map(float), st.integers(1, 5).map(float)
    ),
    max_size=3,
).map(tuple)
points = st.lists(st.none() | st.tuples(places.map(float), places.map(float)), min_size=3, max_size=3).map(
    tuple
)
spans = st.lists(
    st.tuples(places, st.integers(1, 4), st.sampled_from(["", "A"])).map(lambda s: (s[0], s[0] + s[1], s[2])),
    max_size=3,
).map(tuple)

KINDS: dict[str, tuple[Any, Callable[..., float], Callable[..., Any], Callable[[Any], Any]]] = {
    "boxes": (boxes, box_distance, merge_boxes, read_boxes),
    "points": (points, point_distance, merge_points, read_points),
    "spans": (spans, span_distance, merge_spans, read_spans),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_distances_lie_between_the_same_and_one_either_way(kind: str, data: st.DataObject) -> None:
    answers, distance, _, read = KINDS[kind]
    one, other = data.draw(answers), data.draw(answers)
    assert distance(one, one) == pytest.approx(0.0)
    assert 0.0 <= distance(one, other) <= 1.0
    assert distance(one, other) == pytest.approx(distance(other, one))
    assert read(write_list(one)) == one


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_an_answer_that_outweighs_the_others_is_what_they_make_and_equal_ones_make_themselves(
    kind: str, data: st.DataObject
) -> None:
    answers, distance, merge, _ = KINDS[kind]
    one, other = data.draw(answers), data.draw(answers)
    assert distance(merge([one, other], np.array([5.0, 1.0])), one) == pytest.approx(0.0)
    assert distance(merge([one, one, other], np.ones(3)), one) == pytest.approx(0.0)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_model_gives_an_answer_and_the_names_of_workers_decide_nothing(
    kind: str, data: st.DataObject
) -> None:
    answers, distance, merge, _ = KINDS[kind]
    given = data.draw(st.lists(answers, min_size=1, max_size=4))
    for model in (MergedAnswer(distance, merge), NearestAnswer(distance)):
        results = [
            model.fit(AnswerSet[Any].from_sequences(["t"] * len(given), names, given)).predict()["t"]
            for names in (list("abcd")[: len(given)], list("dcba")[: len(given)])
        ]
        assert results[0] == results[1]


def test_boxes_of_an_object_are_found_together_and_a_lone_one_is_left_out() -> None:
    answers = [
        ((0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 10.0, 10.0)),
        ((51.0, 50.0, 10.0, 10.0), (1.0, 0.0, 10.0, 10.0)),
        ((2.0, 0.0, 10.0, 10.0), (80.0, 0.0, 5.0, 5.0)),
    ]
    assert merge_boxes(answers, np.ones(3)) == ((1.0, 0.0, 10.0, 10.0), (50.0, 50.0, 10.0, 10.0))
    assert box_overlap((0.0, 0.0, 2.0, 2.0), (1.0, 0.0, 2.0, 2.0)) == pytest.approx(1 / 3)
    assert box_distance(answers[0], ()) == 1.0
    assert box_distance((), ()) == 0.0


def test_points_stand_at_the_median_and_are_hidden_where_half_saw_none() -> None:
    answers = [((0.0, 0.0), None), ((1.0, 5.0), (9.0, 9.0)), ((50.0, 2.0), None)]
    assert merge_points(answers, np.ones(3)) == ((1.0, 2.0), None)
    with pytest.raises(AggregationError, match=r"have \[1, 2\] points"):
        point_distance(((0.0, 0.0),), ((0.0, 0.0), None))


def test_spans_are_voted_on_place_by_place() -> None:
    answers = [((0, 5, "A"), (8, 9, "B")), ((2, 6, "A"),), ((3, 7, "A"), (8, 9, "C"))]
    assert merge_spans(answers, np.ones(3)) == ((2, 6, "A"),)
    assert span_distance(((0, 4, "A"),), ((2, 6, "A"),)) == pytest.approx(0.5)
    assert span_distance(((0, 4, "A"),), ((0, 4, "B"),)) == 1.0


def test_workers_who_are_near_the_others_elsewhere_weigh_more() -> None:
    rng = np.random.default_rng(0)
    tasks, workers, given = [], [], []
    for number in range(20):
        corner = rng.uniform(0, 50, 2)
        for worker, off in (("u", 0.5), ("v", 0.5), ("x", 15.0), ("y", 15.0)):
            left, top = corner + rng.normal(0, off, 2)
            tasks.append(f"t{number}")
            workers.append(worker)
            given.append(((left, top, 20.0, 20.0),))
    answers = AnswerSet[Any].from_sequences(
        [*tasks, "last", "last"],
        [*workers, "x", "u"],
        [*given, ((0.0, 0.0, 5.0, 5.0),), ((9.0, 9.0, 5.0, 5.0),)],
    )
    found = MergedAnswer(box_distance, merge_boxes).fit(answers)
    assert found.predict()["last"] == ((9.0, 9.0, 5.0, 5.0),)
    closeness = dict(zip(answers.worker_ids, found.nearest_.closeness_.tolist(), strict=True))
    assert min(closeness["u"], closeness["v"]) > max(closeness["x"], closeness["y"]) + 0.1


@pytest.mark.parametrize(
    ("read", "value", "said"),
    [
        (read_boxes, None, "is empty"),
        (read_boxes, "[", "is not JSON"),
        (read_boxes, {"a": 1}, "must be a list"),
        (read_boxes, [[1, 2, 3]], "a box is"),
        (read_boxes, [[1, 2, 3, True]], "a box is"),
        (read_boxes, "[[1, 2, 3, NaN]]", "a box is"),
        (read_boxes, [[1, 2, 0, 1]], "not above 0"),
        (read_points, [[1]], "a point is"),
        (read_spans, [[3, 3]], "a span is"),
        (read_spans, [[-1, 3]], "a span is"),
        (read_spans, [[1, 3, 4]], "a span is"),
        (read_spans, [[1.0, 3]], "a span is"),
    ],
)
def test_what_is_no_answer_is_refused(read: Callable[[Any], Any], value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(value)


def test_one_box_alone_and_spans_without_labels_are_read() -> None:
    assert read_boxes(json.dumps([1, 2, 3, 4])) == ((1.0, 2.0, 3.0, 4.0),)
    assert read_boxes([]) == ()
    assert read_spans([[1, 3]]) == ((1, 3, ""),)
