from collections.abc import Sequence

import numpy as np
import pytest

from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError, SnapshotError
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.prior import ConfusionPrior

Annotations = Sequence[tuple[int, int]]
"""(matrix, label) pairs."""

FIXED = ConfusionPrior(pool_share=0.0)


def model_of(
    tasks: int, matrices: int, classes: int, prior: ConfusionPrior | None = None
) -> OnlineDawidSkene:
    model = OnlineDawidSkene(classes, prior)
    model.add_tasks(tasks)
    for _ in range(matrices):
        model.add_matrix()
    return model


def columns(annotations: Annotations) -> tuple[np.ndarray, np.ndarray, int]:
    pairs = np.array(list(annotations), dtype=np.int32).reshape(-1, 2)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]), len(pairs)


def replace(model: OnlineDawidSkene, task: int, old: Annotations, new: Annotations, truth: int = -1) -> None:
    model.reestimate(task, *columns(old), *columns(new), truth)


def test_one_label_gives_the_posterior_that_bayes_gives() -> None:
    model = model_of(1, 1, 2, FIXED)
    replace(model, 0, [], [(0, 1)])
    np.testing.assert_allclose(model.posteriors[0], [0.2, 0.8])
    np.testing.assert_allclose(model.confusion[0], [[4.0, 1.2], [1.0, 4.8]])
    np.testing.assert_allclose(model.row_sums[0], [5.2, 5.8])
    np.testing.assert_allclose(model.class_counts, [1.2, 1.8])


def test_a_tasks_own_labels_never_argue_for_it() -> None:
    model = model_of(1, 2, 2, FIXED)
    replace(model, 0, [], [(0, 1)])
    once = model.posteriors[0].copy()
    for _ in range(20):
        replace(model, 0, [(0, 1)], [(0, 1)])
    np.testing.assert_allclose(model.posteriors[0], once)


def test_back_fill_lets_a_later_label_revise_what_earlier_ones_are_worth() -> None:
    model = model_of(1, 3, 2, FIXED)
    replace(model, 0, [], [(0, 0)])
    before = model.confusion[0, 0, 0]
    replace(model, 0, [(0, 0)], [(0, 0), (1, 1), (2, 1)])
    assert model.posteriors[0, 1] > 0.5
    assert model.confusion[0, 0, 0] < before


def test_a_truth_makes_the_posterior_certain_and_teaches_the_matrices() -> None:
    model = model_of(1, 1, 3, FIXED)
    replace(model, 0, [], [(0, 2)], truth=1)
    assert model.posteriors[0].tolist() == [0.0, 1.0, 0.0]
    np.testing.assert_allclose(model.confusion[0, 1], [1.0, 5.0, 2.0])


def test_a_truth_can_be_taken_back() -> None:
    model = model_of(1, 1, 2, FIXED)
    replace(model, 0, [], [(0, 1)])
    posterior, confusion = model.posteriors[0].copy(), model.confusion[0].copy()
    replace(model, 0, [(0, 1)], [(0, 1)], truth=0)
    assert model.posteriors[0].tolist() == [1.0, 0.0]
    replace(model, 0, [(0, 1)], [(0, 1)])
    np.testing.assert_allclose(model.posteriors[0], posterior)
    np.testing.assert_allclose(model.confusion[0], confusion)


def test_a_task_without_labels_is_uniform() -> None:
    model = model_of(2, 1, 4)
    assert model.posteriors[:2].tolist() == [[0.25] * 4] * 2
    replace(model, 0, [], [(0, 3)])
    replace(model, 0, [(0, 3)], [])
    assert model.posteriors[0].tolist() == [0.25] * 4


def test_a_worker_who_agrees_with_gold_is_believed_more_than_one_who_does_not() -> None:
    model = model_of(21, 2, 2, FIXED)
    for task in range(20):
        replace(model, task, [], [(0, task % 2), (1, 1 - task % 2)], truth=task % 2)
    replace(model, 20, [], [(0, 1), (1, 0)])
    assert model.posteriors[20, 1] > 0.9


def test_hundreds_of_labels_on_one_task_neither_underflow_nor_lose_certainty() -> None:
    model = model_of(1, 2_000, 2)
    replace(model, 0, [], [(matrix, 0) for matrix in range(2_000)])
    assert model.posteriors[0, 0] == 1.0
    assert np.isfinite(model.confusion).all()


def test_a_label_for_a_known_class_teaches_its_matrix_alone_and_can_be_taken_back() -> None:
    model = OnlineDawidSkene(2)
    taught, other = model.add_matrix(), model.add_matrix()
    before = model.confusion.copy()
    model.observe(taught, label=1, truth=0)
    assert model.confusion[taught, 0, 1] == before[taught, 0, 1] + 1
    assert model.row_sums[taught].tolist() == model.confusion[taught].sum(axis=1).tolist()
    assert model.confusion[other].tolist() == before[other].tolist()
    assert model.versions.tolist()[:2] == [1, 0]
    model.observe(taught, label=1, truth=0, weight=-1.0)
    assert np.allclose(model.confusion, before)


@pytest.mark.parametrize(("matrix", "label", "truth"), [(1, 0, 0), (-1, 0, 0), (0, 2, 0), (0, 0, -1)])
def test_a_label_with_an_unknown_number_is_refused_and_teaches_nothing(
    matrix: int, label: int, truth: int
) -> None:
    model = OnlineDawidSkene(2)
    model.add_matrix()
    before = model.confusion.copy()
    with pytest.raises(OutOfRangeError):
        model.observe(matrix, label, truth)
    assert model.confusion.tolist() == before.tolist()


def test_versions_grow_for_the_matrices_that_changed_and_only_for_those() -> None:
    model = model_of(1, 3, 2)
    replace(model, 0, [], [(0, 0), (2, 0)])
    first = model.versions[:3].copy()
    replace(model, 0, [(0, 0), (2, 0)], [(2, 0)])
    assert first.tolist() == [1, 0, 1]
    assert (model.versions[:3] > first).tolist() == [True, False, True]


def test_the_prior_follows_the_pool_each_time_the_labels_doubled() -> None:
    model = model_of(200, 4, 2)
    drawn_at = []
    for task in range(200):
        prior = model.prior_counts
        replace(model, task, [], [(task % 4, 0)], truth=task % 2)
        if model.prior_counts is not prior:
            drawn_at.append(task + 1)
            assert (model.versions[:4] > 0).all()
    assert drawn_at == [32, 64, 128]
    # Half of the labels were wrong, so a new worker is trusted less than at the start.
    row = model.add_matrix()
    np.testing.assert_array_equal(model.confusion[row], model.prior_counts)
    assert model.prior_counts[0, 0] < 3.9
    np.testing.assert_allclose(model.prior_counts.sum(axis=1), 5.0)


def test_new_classes_keep_the_old_numbers_and_what_was_learnt() -> None:
    model = model_of(2, 2, 2, FIXED)
    replace(model, 0, [], [(0, 1), (1, 1)])
    posterior, learnt = model.posteriors[0].copy(), model.confusion[:2] - model.prior_counts
    model.add_classes(1)
    assert model.n_classes == 3
    np.testing.assert_allclose(model.posteriors[0], [*posterior, 0.0])
    np.testing.assert_allclose(model.posteriors[1], [1 / 3] * 3)
    np.testing.assert_allclose((model.confusion[:2] - model.prior_counts)[:, :2, :2], learnt)
    np.testing.assert_allclose(model.prior_counts, FIXED.matrix(3))
    np.testing.assert_allclose(model.row_sums[:2], model.confusion[:2].sum(axis=2))


def test_labels_given_before_new_classes_can_be_withdrawn_after_them() -> None:
    model = model_of(1, 2, 2, FIXED)
    replace(model, 0, [], [(0, 1), (1, 1)])
    model.add_classes(3)
    replace(model, 0, [(0, 1), (1, 1)], [])
    np.testing.assert_allclose(model.confusion[:2], np.stack([FIXED.matrix(5)] * 2))
    np.testing.assert_allclose(model.class_counts, np.ones(5))


def test_rows_can_be_added_for_ever_and_keep_what_they_hold() -> None:
    model = OnlineDawidSkene(3)
    for task in range(100):
        model.add_tasks(1)
        row = model.add_matrix()
        assert row == task
        replace(model, task, [], [(row, task % 3)])
    assert model.posteriors[:100].argmax(axis=1).tolist() == [task % 3 for task in range(100)]
    assert (model.n_tasks, model.n_matrices) == (100, 100)


@pytest.mark.parametrize(
    ("task", "old", "new", "truth", "message"),
    [
        (2, [], [], -1, "task 2 is not among the 2 tasks"),
        (-1, [], [], -1, "task -1 is not among"),
        (0, [], [(2, 0)], -1, "a matrix row is not among the 2 matrices"),
        (0, [(-1, 0)], [], -1, "a matrix row is not among"),
        (0, [], [(0, 2)], -1, "a label is not among the 2 classes"),
        (0, [], [], 2, "truth 2 is not among the 2 classes"),
    ],
)
def test_an_unknown_number_is_refused_and_changes_nothing(
    task: int, old: Annotations, new: Annotations, truth: int, message: str
) -> None:
    model = model_of(2, 2, 2)
    replace(model, 1, [], [(0, 0)])
    before = model.pack()
    with pytest.raises(OutOfRangeError, match=message):
        replace(model, task, old, new, truth)
    assert model.pack() == before


@pytest.mark.parametrize("count", [-1, 3])
def test_a_count_beyond_its_arrays_is_refused(count: int) -> None:
    model = model_of(1, 2, 2)
    matrices, labels, _ = columns([(0, 0), (1, 0)])
    with pytest.raises(OutOfRangeError, match="a count is negative or greater"):
        model.reestimate(0, *columns([]), matrices, labels, count)


def test_arrays_of_another_type_are_refused_instead_of_compiled_anew() -> None:
    model = model_of(1, 1, 2)
    wide = np.zeros(1, dtype=np.int64)
    with pytest.raises(TypeError, match="No matching definition"):
        model.reestimate(0, *columns([]), wide, wide, 1)


def test_a_model_needs_a_class_and_only_grows() -> None:
    with pytest.raises(InvalidParameterError, match="at least one class"):
        OnlineDawidSkene(0)
    model = OnlineDawidSkene(2)
    with pytest.raises(InvalidParameterError, match="cannot add -1 tasks"):
        model.add_tasks(-1)
    with pytest.raises(InvalidParameterError, match="cannot add -1 classes"):
        model.add_classes(-1)


def test_a_restored_model_goes_on_to_the_last_bit() -> None:
    model = model_of(60, 5, 3, ConfusionPrior(strength=6.0))
    for task in range(40):
        replace(model, task, [], [(task % 5, task % 3), ((task + 1) % 5, (task * task) % 3)])
    restored = OnlineDawidSkene.unpack(model.pack())
    assert restored.pack() == model.pack()
    for one in (model, restored):
        one.add_tasks(100)
        one.add_matrix()
        for task in range(40, 160):
            replace(one, task, [], [(task % 6, task % 2)])
        one.add_classes(1)
    assert restored.pack() == model.pack()


def test_an_empty_model_can_be_packed() -> None:
    restored = OnlineDawidSkene.unpack(OnlineDawidSkene(2).pack())
    restored.add_tasks(1)
    restored.add_matrix()
    replace(restored, 0, [], [(0, 1)])
    assert restored.posteriors[0, 1] > 0.7


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("header", b"{", "damaged"),
        ("header", b'{"format": 1}', "damaged"),
        ("header", b'{"format": 99}', "format 99"),
        ("confusion", b"12345678", "damaged"),
        ("posteriors", None, "damaged"),
    ],
)
def test_a_damaged_pack_is_refused(part: str, content: bytes | None, message: str) -> None:
    packed = model_of(2, 2, 2).pack()
    if content is None:
        del packed[part]
    else:
        packed[part] = content
    with pytest.raises(SnapshotError, match=message):
        OnlineDawidSkene.unpack(packed)
