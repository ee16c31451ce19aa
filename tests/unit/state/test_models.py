"""What a project believes: one model per field, one matrix per worker and capability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.model.rules import Field, Label
from crowdroute.router.model.states import Receipt, Revision
from crowdroute.router.state.matrix import Matrix
from crowdroute.router.state.models import SCRATCH, Models
from crowdroute.router.state.tables import Assignments

COLOUR = Field("colour", (Label("red"), Label("green")))
SIZE = Field("size", (Label("small"), Label("middle"), Label("large")))


def models(tasks: int = 2) -> Models:
    """Give models of two fields with some tasks."""
    made = Models()
    made.follow_schema((COLOUR, SIZE))
    for _ in range(tasks):
        made.add_task()
    return made


def test_each_worker_has_a_matrix_of_their_own_per_capability_at_one_row_in_all_fields() -> None:
    made = models()
    rows = [made.matrix(0, 0), made.matrix(1, 0), made.matrix(0, 1), made.matrix(0, 0)]
    assert rows == [0, 1, 2, 0]
    assert (made.find_matrix(0, 1), made.find_matrix(9, 9)) == (2, None)
    assert dict(made.matrices_of(0)) == {0: 0, 1: 2}
    assert [model.n_matrices for model in made.fields] == [3, 3]


def test_the_confidence_is_that_of_the_least_certain_field() -> None:
    made = models()
    assert made.confidence(0) == pytest.approx(1 / 3)
    matrix = made.matrix(0, 0)
    for field in range(2):
        made.replace(field, 0, [(matrix, -1, 1)], truth=1)
    assert made.probabilities(1, 0) == (0.0, 1.0, 0.0)
    assert made.confidence(0) == 1.0
    assert made.confidence(1) == pytest.approx(1 / 3)


def test_what_was_learned_from_a_known_answer_can_be_taken_back() -> None:
    made = models()
    matrix = made.matrix(0, 0)
    before = made.fields[0].confusion[matrix].copy()
    made.learn(0, matrix, 1, 0, 1.0)
    assert made.fields[0].confusion[matrix, 0, 1] == before[0, 1] + 1
    made.learn(0, matrix, 1, 0, -1.0)
    assert np.allclose(made.fields[0].confusion[matrix], before)
    assert np.allclose(made.fields[0].row_sums[matrix], before.sum(axis=1))


def test_a_task_with_more_annotations_than_the_scratch_arrays_hold_is_estimated_all_the_same() -> None:
    made = models(1)
    count = SCRATCH + 10
    rows = [made.matrix(worker, 0) for worker in range(count)]
    made.replace(0, 0, [(row, -1, 1) for row in rows])
    assert made.probabilities(0, 0)[1] > 0.99
    made.replace(0, 0, [(row, 1, -1) for row in rows])
    assert made.probabilities(0, 0) == (0.5, 0.5)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(-1, 1), st.integers(-1, 2), st.booleans()),
        min_size=1,
        max_size=SCRATCH + 8,
    )
)
def test_one_annotation_more_is_the_same_as_replacing_all_by_all_and_it(
    given_by: list[tuple[int, int, int, bool]],
) -> None:
    """Of annotations (worker, label per field, whether it counts): the newest counts."""
    quick, thorough = models(1), models(1)
    table, answers = Assignments(), Matrix("i2", -1, width=2)
    standing: list[int] = []
    for number, (worker, colour, size, counts) in enumerate(given_by):
        row = table.add_id(number.to_bytes(16, "big", signed=True) if number else b"\xff" * 16)
        answers.reserve(row + 1, 2)
        answers.values[row] = colour, size
        table.next_of_task[row] = row - 1
        table.receipt[row] = Receipt.COUNTED if counts else Receipt.SURPLUS
        table.revision[row] = Revision.SUBMITTED
        if not counts:
            continue
        table.matrix[row] = quick.matrix(worker, 0)
        assert thorough.matrix(worker, 0) == table.matrix[row]
        quick.extend(table.rows, answers, 0, row, row)
        for field in range(2):
            others = [
                (table.matrix[one], answers.cells[one, field], answers.cells[one, field]) for one in standing
            ]
            thorough.replace(field, 0, [*others, (table.matrix[row], -1, answers.cells[row, field])])
        standing.insert(0, row)
    for field in range(2):
        assert quick.probabilities(field, 0) == thorough.probabilities(field, 0)
        assert np.array_equal(quick.fields[field].confusion, thorough.fields[field].confusion)


def test_fields_and_labels_that_are_added_later_have_room_for_everything_known() -> None:
    made = models()
    made.matrix(0, 0)
    grown = Field("colour", (*COLOUR.labels, Label("blue")))
    made.follow_schema((grown, SIZE, Field("shape", (Label("round"),))))
    assert [model.n_classes for model in made.fields] == [3, 3, 1]
    assert [(model.n_tasks, model.n_matrices) for model in made.fields] == [(2, 1)] * 3


def test_models_are_saved_and_restored_exactly() -> None:
    made = models()
    made.replace(0, 1, [(made.matrix(4, 2), -1, 1)])
    restored = Models()
    restored.unpack(made.pack())
    assert restored.pack() == made.pack()
    assert restored.find_matrix(4, 2) == 0
    assert dict(restored.matrices_of(4)) == {2: 0}
