"""Invariants of the batch estimators over every small annotation set."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crowdroute.aggregation import (
    GLAD,
    MACE,
    AnnotationSet,
    CategoricalEstimator,
    ConfusionPrior,
    DawidSkene,
    MajorityVote,
    OneCoinDawidSkene,
    SmoothedDawidSkene,
    Wawa,
    ZeroBasedSkill,
)

Triples = list[tuple[int, int, int]]
"""(task, worker, label), each (task, worker) once."""


# A fixed number of iterations: a sum taken in another order may move a loss across the tolerance.
def five_steps_of_dawid_skene() -> CategoricalEstimator:
    return DawidSkene(n_iter=5, tol=-1e9)


def five_steps_of_smoothed() -> CategoricalEstimator:
    return SmoothedDawidSkene(n_iter=5, tol=-1e9)


def five_steps_of_one_coin() -> CategoricalEstimator:
    return OneCoinDawidSkene(n_iter=5, tol=-1e9)


def five_steps_of_glad() -> CategoricalEstimator:
    return GLAD(n_iter=5, tol=-1e9)


def five_steps_of_mace() -> CategoricalEstimator:
    # One start: of several that end equally well, rounding would say which is kept.
    return MACE(restarts=1, n_iter=5, tol=-1e9)


PROBABILITIES = [
    five_steps_of_dawid_skene,
    five_steps_of_smoothed,
    five_steps_of_one_coin,
    five_steps_of_glad,
    five_steps_of_mace,
]
WITHOUT_TIES = pytest.mark.parametrize("make", [MajorityVote, *PROBABILITIES])
"""Those for which a tie is a result like any other."""
EVERY = pytest.mark.parametrize("make", [MajorityVote, Wawa, ZeroBasedSkill, *PROBABILITIES])
Make = Callable[[], CategoricalEstimator]


@st.composite
def triples(draw: st.DrawFn, classes: int = 3) -> Triples:
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), min_size=1, max_size=40, unique=True)
    )
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=len(pairs), max_size=len(pairs)))
    return [(task, worker, label) for (task, worker), label in zip(pairs, labels, strict=True)]


def annotations_of(rows: Triples, names: tuple[str, ...] = ("a", "b", "c")) -> AnnotationSet:
    tasks, workers, labels = zip(*rows, strict=True)
    return AnnotationSet.from_sequences(tasks, workers, [names[label] for label in labels], label_ids=names)


def by_task(estimator: CategoricalEstimator) -> np.ndarray:
    """Posteriors in the order of the task numbers, whatever the order of the annotations."""
    order = np.argsort(np.array(estimator.task_ids_))
    return estimator.predict_proba()[order]


@EVERY
@given(rows=triples(), data=st.data())
def test_the_order_of_the_annotations_does_not_matter(make: Make, rows: Triples, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    first = by_task(make().fit(annotations_of(rows)))
    second = by_task(make().fit(annotations_of(shuffled)))
    np.testing.assert_allclose(first, second, atol=1e-9)


@WITHOUT_TIES
@given(rows=triples(), names=st.permutations(["a", "b", "c"]))
def test_renaming_the_labels_renames_the_posteriors(make: Make, rows: Triples, names: list[str]) -> None:
    plain = make().fit(annotations_of(rows))
    renamed = make().fit(annotations_of(rows, tuple(names)))
    place = [renamed.label_ids_.index(name) for name in names]
    np.testing.assert_allclose(plain.predict_proba(), renamed.predict_proba()[:, place], atol=1e-9)


@EVERY
@given(rows=triples(), workers=st.permutations(range(6)), tasks=st.permutations(range(8)))
def test_the_names_of_tasks_and_workers_do_not_matter(
    make: Make, rows: Triples, workers: list[int], tasks: list[int]
) -> None:
    renamed = [(tasks[task], workers[worker], label) for task, worker, label in rows]
    plain = make().fit(annotations_of(rows)).predict_proba()
    np.testing.assert_array_equal(plain, make().fit(annotations_of(renamed)).predict_proba())


@EVERY
@given(rows=triples())
def test_posteriors_sum_to_one(make: Make, rows: Triples) -> None:
    posteriors = make().fit(annotations_of(rows)).predict_proba()
    assert (posteriors >= 0.0).all()
    np.testing.assert_allclose(posteriors.sum(axis=1), 1.0, rtol=1e-12)


@EVERY
@given(rows=triples(), data=st.data())
def test_gold_stands_whatever_the_labels_say(make: Make, rows: Triples, data: st.DataObject) -> None:
    annotations = annotations_of(rows)
    gold = data.draw(st.dictionaries(st.sampled_from(annotations.task_ids), st.sampled_from("abc")))
    estimator = make().fit(annotations, gold)
    assert {task: estimator.predict()[task] for task in gold} == gold
    assert np.isfinite(estimator.predict_proba()).all()


@given(
    rows=triples(),
    strength=st.floats(0.1, 100.0),
    accuracy=st.floats(0.01, 0.99),
    pool_share=st.floats(0.0, 0.99),
)
def test_the_smoothed_loss_never_falls_under_any_prior(
    rows: Triples, strength: float, accuracy: float, pool_share: float
) -> None:
    prior = ConfusionPrior(strength, accuracy, pool_share)
    history = SmoothedDawidSkene(prior, n_iter=30, tol=-1.0).fit(annotations_of(rows)).loss_history_
    assert len(history) == 30
    assert np.isfinite(history).all()
    assert min(np.diff(history)) > -1e-9


@pytest.mark.parametrize("make", [five_steps_of_glad, five_steps_of_mace])
@given(rows=triples(), data=st.data())
def test_the_objective_of_glad_and_mace_never_falls(make: Make, rows: Triples, data: st.DataObject) -> None:
    annotations = annotations_of(rows)
    gold = data.draw(st.dictionaries(st.sampled_from(annotations.task_ids), st.sampled_from("abc")))
    history = make().fit(annotations, gold).loss_history_
    assert np.isfinite(history).all()
    assert min(np.diff(history)) > -1e-9


@given(rows=triples(), data=st.data())
def test_a_worker_added_twice_is_found_whatever_the_pair(rows: Triples, data: st.DataObject) -> None:
    task, worker, label = data.draw(st.sampled_from(rows))
    assume(label != 2)
    doubled = [*rows, (task, worker, 2)]
    tasks, workers, labels = zip(*doubled, strict=True)
    kept = AnnotationSet.from_sequences(tasks, workers, labels, repeats="first", label_ids=range(3))
    assert kept.labels.tolist() == [label for _, _, label in rows]
