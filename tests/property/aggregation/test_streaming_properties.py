"""Invariants of the streams of annotations and of comparisons under every history."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdroute.aggregation import ConfusionPrior, OnlineBradleyTerry, OnlineDawidSkene, StreamingDawidSkene
from crowdroute.aggregation.comparison_set import LEFT, RIGHT, TIE

LABELS = ("a", "b", "c")

Annotation = tuple[int, int, str]
"""Task, worker, label."""

annotations = st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from(LABELS))
streams = st.lists(annotations, max_size=25)
once_each = st.lists(annotations, max_size=20, unique_by=lambda row: row[:2])
half_lives = st.sampled_from([math.inf, 40.0, 3.0])

comparisons = st.tuples(
    st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] != pair[1]),
    st.sampled_from([LEFT, TIE, RIGHT]),
)


def streamed(rows: list[Annotation], half_life: float = math.inf) -> StreamingDawidSkene:
    model = StreamingDawidSkene(LABELS, half_life=half_life)
    for row in rows:
        model.partial_fit(*row)
    return model


def floats_of(model: StreamingDawidSkene) -> list[np.ndarray]:
    inner = model.model_
    inner.bring_up_to_date()
    rows = slice(inner.n_matrices)
    return [model.predict_proba(), inner.confusion[rows], inner.row_sums[rows], inner.class_counts]


@given(rows=streams, worker=st.integers(0, 3), label=st.sampled_from(LABELS), half_life=half_lives)
def test_an_annotation_taken_in_and_back_out_is_as_if_never_added(
    rows: list[Annotation], worker: int, label: str, half_life: float
) -> None:
    """Of a task that nobody else has labelled; its worker known or new."""
    model, other = streamed(rows, half_life), streamed(rows, half_life)
    now = other.model_.forgetting.now
    model.partial_fit("new", worker, label, now + 1.0).withdraw("new", worker)
    other.advance(now + 1.0)
    for array, never in zip(floats_of(model), floats_of(other), strict=True):
        # A new task, and a new worker, stand at the end.
        np.testing.assert_allclose(array[: len(never)], never, atol=1e-9)
    for row in range(len(other.worker_ids_), len(model.worker_ids_)):
        np.testing.assert_allclose(model.model_.confusion[row], model.model_.prior_counts, atol=1e-9)
    np.testing.assert_array_equal(model.predict_proba()[-1], 1.0 / len(LABELS))


@given(rows=once_each, data=st.data(), half_life=half_lives)
def test_an_annotation_taken_in_and_back_out_leaves_its_task_as_if_looked_at_again(
    rows: list[Annotation], data: st.DataObject, half_life: float
) -> None:
    """Of a task that others have labelled: its posterior is then what the others say now."""
    if not rows:
        return
    task = data.draw(st.sampled_from(rows))[0]
    model, other = streamed(rows, half_life), streamed(rows, half_life)
    now = other.model_.forgetting.now
    for each in (model, other):
        each.partial_fit("elsewhere", "extra", "a", now)
    model.partial_fit(task, "extra", data.draw(st.sampled_from(LABELS)), now).withdraw(task, "extra")
    other.set_gold(task, None)
    for array, never in zip(floats_of(model), floats_of(other), strict=True):
        np.testing.assert_allclose(array, never, atol=1e-9)


@given(rows=once_each, data=st.data(), half_life=half_lives)
def test_a_rebuilt_model_is_to_the_last_bit_the_one_that_never_knew_what_was_withdrawn(
    rows: list[Annotation], data: st.DataObject, half_life: float
) -> None:
    withdrawn = data.draw(st.sets(st.sampled_from(rows))) if rows else set()
    model = StreamingDawidSkene(LABELS, half_life=half_life)
    for moment, row in enumerate(rows):
        model.partial_fit(*row, float(moment))
    for task, worker, _ in withdrawn:
        model.withdraw(task, worker)
    expected = StreamingDawidSkene(LABELS, half_life=half_life)
    for moment, row in enumerate(rows):
        if row not in withdrawn:
            expected.partial_fit(*row, float(moment))
    model.rebuild()
    assert model.task_ids_ == expected.task_ids_
    assert model.worker_ids_ == expected.worker_ids_
    for array, never in zip(floats_of(model), floats_of(expected), strict=True):
        np.testing.assert_array_equal(array, never)


@given(rows=streams)
def test_an_infinite_half_life_forgets_nothing_to_the_last_bit(rows: list[Annotation]) -> None:
    model = streamed(rows)
    plain = OnlineDawidSkene(len(LABELS))
    tasks: dict[int, int] = {}
    matrices: dict[int, int] = {}
    given: dict[int, dict[int, int]] = {}
    for task, worker, label in rows:
        if task not in tasks:
            tasks[task] = len(tasks)
            plain.add_tasks(1)
        if worker not in matrices:
            matrices[worker] = plain.add_matrix()
        old = given.get(task, {})
        new = {row: code for row, code in old.items() if row != matrices[worker]}
        new[matrices[worker]] = LABELS.index(label)
        columns = [np.array(list(each), dtype=np.int32) for each in (old, old.values(), new, new.values())]
        plain.reestimate(tasks[task], *columns[:2], len(old), *columns[2:], len(new))
        given[task] = new
    np.testing.assert_array_equal(model.predict_proba(), plain.posteriors[: len(tasks)])
    np.testing.assert_array_equal(model.model_.confusion[: len(matrices)], plain.confusion[: len(matrices)])


@given(rows=streams)
def test_a_very_long_half_life_is_nearly_an_infinite_one(rows: list[Annotation]) -> None:
    for array, never in zip(floats_of(streamed(rows, 1e15)), floats_of(streamed(rows)), strict=True):
        np.testing.assert_allclose(array, never, atol=1e-9)


@given(rows=streams, half_life=half_lives, names=st.permutations(LABELS))
def test_renaming_the_labels_renames_the_posteriors(
    rows: list[Annotation], half_life: float, names: list[str]
) -> None:
    renamed = [(task, worker, names[LABELS.index(label)]) for task, worker, label in rows]
    place = [LABELS.index(name) for name in names]
    plain, other = streamed(rows, half_life), streamed(renamed, half_life)
    np.testing.assert_allclose(other.predict_proba()[:, place], plain.predict_proba(), atol=1e-9)


@settings(max_examples=30)
@given(rows=streams, half_life=half_lives)
def test_counts_are_the_prior_and_what_is_left_of_every_annotation(
    rows: list[Annotation], half_life: float
) -> None:
    model = streamed(rows, half_life)
    inner = model.model_
    inner.bring_up_to_date()
    expected = np.repeat(inner.prior_counts[np.newaxis], inner.n_matrices, axis=0)
    last = {(task, worker): (label, float(moment)) for moment, (task, worker, label) in enumerate(rows, 1)}
    for (task, worker), (label, moment) in last.items():
        weight = 2.0 ** ((moment - len(rows)) / half_life)
        posterior = model.predict_proba()[model.task_ids_.index(task)]
        expected[model.worker_ids_.index(worker), :, LABELS.index(label)] += weight * posterior
    np.testing.assert_allclose(inner.confusion[: inner.n_matrices], expected, atol=1e-9)


@settings(max_examples=40)
@given(
    rows=st.lists(comparisons, max_size=15),
    extra=comparisons,
    half_life=half_lives,
    weight=st.sampled_from([1.0, 2.5]),
)
def test_a_comparison_taken_in_and_back_out_is_as_if_never_added_after_a_refit(
    rows: list[tuple[tuple[int, int], float]],
    extra: tuple[tuple[int, int], float],
    half_life: float,
    weight: float,
) -> None:
    model, other = OnlineBradleyTerry(half_life=half_life), OnlineBradleyTerry(half_life=half_life)
    for moment, ((left, right), outcome) in enumerate(rows):
        for each in (model, other):
            each.partial_fit(left, right, outcome, float(moment))
    (left, right), outcome = extra
    last = float(max(len(rows) - 1, 0))
    model.partial_fit(left, right, outcome, last, weight).remove(right, left, 1.0 - outcome, last, weight)
    never = other.refit().scores_
    assert model.refit().scores_ == pytest.approx(dict.fromkeys(model.scores_, 0.0) | never, abs=1e-9)


@settings(max_examples=30)
@given(rows=st.lists(comparisons, min_size=1, max_size=15), data=st.data(), half_life=half_lives)
def test_the_order_of_comparisons_does_not_matter_after_a_refit(
    rows: list[tuple[tuple[int, int], float]], data: st.DataObject, half_life: float
) -> None:
    timed = [(pair, outcome, float(moment)) for moment, (pair, outcome) in enumerate(rows)]
    found = []
    for order in (timed, data.draw(st.permutations(timed))):
        model = OnlineBradleyTerry(half_life=half_life)
        for (left, right), outcome, moment in order:
            model.partial_fit(left, right, outcome, moment)
        found.append(model.refit().scores_)
    assert found[1] == pytest.approx(found[0], abs=1e-9)


def test_the_prior_of_the_stream_is_that_of_the_batch() -> None:
    prior = ConfusionPrior(strength=20.0, accuracy=0.9, pool_share=0.0)
    model = StreamingDawidSkene(LABELS, prior).partial_fit(0, 0, "a")
    np.testing.assert_allclose(model.model_.prior_counts, prior.matrix(3))
