"""Invariants of the online model under every history of its tasks."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.prior import ConfusionPrior

Annotations = list[tuple[int, int]]
"""(matrix, label) pairs, each matrix at most once."""

TASKS = 4
MATRICES = 5
CLASSES = 3


def columns(annotations: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, int]:
    pairs = np.array(annotations, dtype=np.int32).reshape(-1, 2)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]), len(pairs)


def replace(model: OnlineDawidSkene, task: int, old: Annotations, new: Annotations, truth: int = -1) -> None:
    model.reestimate(task, *columns(old), *columns(new), truth)


def lists(classes: int = CLASSES) -> st.SearchStrategy[Annotations]:
    annotation = st.tuples(st.integers(0, MATRICES - 1), st.integers(0, classes - 1))
    return st.lists(annotation, max_size=MATRICES, unique_by=lambda pair: pair[0])


def model_of(tasks: int, prior: ConfusionPrior | None = None, classes: int = CLASSES) -> OnlineDawidSkene:
    model = OnlineDawidSkene(classes, prior)
    model.add_tasks(tasks)
    for _ in range(MATRICES):
        model.add_matrix()
    return model


def floats_of(model: OnlineDawidSkene) -> list[np.ndarray]:
    return [model.posteriors, model.confusion, model.row_sums, model.class_counts]


# At most four tasks of five labels: below the number at which the prior first follows the pool, so that what
# is compared differs by the histories alone.
histories = st.lists(st.tuples(st.integers(0, TASKS - 1), lists()), max_size=12)


def after(history: list[tuple[int, Annotations]]) -> tuple[OnlineDawidSkene, dict[int, Annotations]]:
    model = model_of(TASKS)
    current: dict[int, Annotations] = {task: [] for task in range(TASKS)}
    for task, new in history:
        replace(model, task, current[task], new)
        current[task] = new
    return model, current


@given(histories, lists(), st.integers(-1, CLASSES - 1))
def test_a_list_put_on_an_empty_task_and_withdrawn_leaves_no_trace(
    history: list[tuple[int, Annotations]], extra: Annotations, truth: int
) -> None:
    model, _ = after(history)
    model.add_tasks(1)
    before = [array.copy() for array in floats_of(model)]
    replace(model, TASKS, [], extra, truth)
    replace(model, TASKS, extra, [])
    for now, then in zip(floats_of(model), before, strict=True):
        np.testing.assert_allclose(now, then, atol=1e-9)


@given(histories, st.integers(0, TASKS - 1), st.lists(lists(), max_size=4), lists())
def test_a_task_ends_where_its_last_list_puts_it_whatever_came_between(
    history: list[tuple[int, Annotations]], task: int, between: list[Annotations], last: Annotations
) -> None:
    direct, current = after(history)
    replace(direct, task, current[task], last)
    amended, current = after(history)
    before = current[task]
    for step in [*between, last]:
        replace(amended, task, before, step)
        before = step
    for one, other in zip(floats_of(amended), floats_of(direct), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


@given(histories, st.integers(0, TASKS - 1), st.data())
def test_the_order_within_a_tasks_list_does_not_matter(
    history: list[tuple[int, Annotations]], task: int, data: st.DataObject
) -> None:
    one, current = after(history)
    other, _ = after(history)
    shuffled = data.draw(st.permutations(current[task]))
    replace(one, task, current[task], current[task])
    replace(other, task, current[task], shuffled)
    for first, second in zip(floats_of(one), floats_of(other), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-9)


@given(histories)
def test_two_folds_of_one_history_agree_to_the_last_bit(history: list[tuple[int, Annotations]]) -> None:
    assert after(history)[0].pack() == after(history)[0].pack()


@given(histories, st.integers(0, 11))
def test_a_fold_from_a_snapshot_agrees_to_the_last_bit(
    history: list[tuple[int, Annotations]], cut: int
) -> None:
    whole, _ = after(history)
    model, current = after(history[:cut])
    restored = OnlineDawidSkene.unpack(model.pack())
    for task, new in history[cut:]:
        replace(restored, task, current[task], new)
        current[task] = new
    assert restored.pack() == whole.pack()


@given(histories, st.permutations(range(CLASSES)))
def test_renaming_the_labels_renames_the_posteriors(
    history: list[tuple[int, Annotations]], names: list[int]
) -> None:
    renamed = [(task, [(matrix, names[label]) for matrix, label in new]) for task, new in history]
    plain, other = after(history)[0], after(renamed)[0]
    np.testing.assert_allclose(other.posteriors[:TASKS][:, names], plain.posteriors[:TASKS], atol=1e-9)


class OnlineModel(RuleBasedStateMachine):
    """Every call the router makes, in any order; after each the model is what its lists imply."""

    @initialize(
        classes=st.sampled_from([1, 2, 3]), strength=st.floats(0.1, 50.0), pool_share=st.floats(0.0, 0.99)
    )
    def begin(self, classes: int, strength: float, pool_share: float) -> None:
        self.model = model_of(TASKS, ConfusionPrior(strength, pool_share=pool_share), classes)
        self.current: list[Annotations] = [[] for _ in range(TASKS)]
        self.pinned: list[int] = [-1] * TASKS

    @rule(data=st.data())
    def replace_a_list(self, data: st.DataObject) -> None:
        task = data.draw(st.integers(0, self.model.n_tasks - 1))
        new = data.draw(lists(self.model.n_classes))
        truth = data.draw(st.integers(-1, self.model.n_classes - 1))
        replace(self.model, task, self.current[task], new, truth)
        self.current[task], self.pinned[task] = new, truth

    @rule(data=st.data())
    def append_one(self, data: st.DataObject) -> None:
        task = data.draw(st.integers(0, self.model.n_tasks - 1))
        free = [matrix for matrix in range(MATRICES) if matrix not in dict(self.current[task])]
        if free:
            label = data.draw(st.integers(0, self.model.n_classes - 1))
            new = [*self.current[task], (free[0], label)]
            replace(self.model, task, self.current[task], new, self.pinned[task])
            self.current[task] = new

    @rule(count=st.integers(1, 3))
    def add_tasks(self, count: int) -> None:
        self.model.add_tasks(count)
        self.current += [[] for _ in range(count)]
        self.pinned += [-1] * count

    @rule()
    def add_a_matrix(self) -> None:
        row = self.model.add_matrix()
        np.testing.assert_array_equal(self.model.confusion[row], self.model.prior_counts)

    @precondition(lambda self: self.model.n_classes < 6)
    @rule(count=st.integers(0, 2))
    def add_classes(self, count: int) -> None:
        self.model.add_classes(count)

    @rule()
    def restore(self) -> None:
        packed = self.model.pack()
        self.model = OnlineDawidSkene.unpack(packed)
        assert self.model.pack() == packed

    @invariant()
    def posteriors_are_probabilities(self) -> None:
        posteriors = self.model.posteriors
        assert posteriors.shape[1] == self.model.n_classes
        assert (posteriors >= 0.0).all()
        np.testing.assert_allclose(posteriors.sum(axis=1), 1.0, rtol=1e-9)
        for task, (annotations, truth) in enumerate(zip(self.current, self.pinned, strict=True)):
            if truth >= 0:
                assert posteriors[task, truth] == 1.0
            elif not annotations:
                np.testing.assert_array_equal(posteriors[task], 1.0 / self.model.n_classes)

    @invariant()
    def counts_are_the_prior_and_the_soft_counts_of_every_list(self) -> None:
        model = self.model
        expected = np.repeat(model.prior_counts[np.newaxis], model.n_matrices, axis=0)
        shares = np.full(model.n_classes, model.prior.class_count)
        for task, annotations in enumerate(self.current):
            for matrix, label in annotations:
                expected[matrix, :, label] += model.posteriors[task]
            if annotations:
                shares += model.posteriors[task]
        np.testing.assert_allclose(model.confusion[: model.n_matrices], expected, atol=1e-9)
        np.testing.assert_allclose(model.row_sums[: model.n_matrices], expected.sum(axis=2), atol=1e-9)
        np.testing.assert_allclose(model.class_counts, shares, atol=1e-9)
        assert (model.confusion[: model.n_matrices] > 0.0).all()


TestOnlineModel = OnlineModel.TestCase
TestOnlineModel.settings = settings(max_examples=60, stateful_step_count=40)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=8))
@settings(max_examples=10)
def test_a_thousand_classes_stay_finite(labels: list[int]) -> None:
    model = OnlineDawidSkene(1_000)
    model.add_tasks(1)
    annotations: Annotations = []
    for label in labels:
        new = [*annotations, (model.add_matrix(), label)]
        replace(model, 0, annotations, new)
        annotations = new
    np.testing.assert_allclose(model.posteriors[0].sum(), 1.0)
    assert np.isfinite(model.confusion).all()
    assert model.posteriors[0].argmax() in labels
