"""What is wrong in crowd-kit 1.4.2, shown on it, and right here."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from crowdkit import aggregation as crowdkit

from crowdroute.aggregation import GLAD, MACE, AnnotationSet, CategoricalEstimator, OneCoinDawidSkene

# crowd-kit calls pandas in ways that pandas deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def crowd(seed: int = 0, tasks: int = 80, workers: int = 12) -> AnnotationSet:
    """Half of the workers are nearly always right, the others guess; each task has five of them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=tasks)
    task = np.repeat(np.arange(tasks), 5)
    worker = np.concatenate([rng.choice(workers, 5, replace=False) for _ in range(tasks)])
    right = rng.random(len(task)) < np.where(worker < workers // 2, 0.9, 0.34)
    labels = np.where(right, truth[task], (truth[task] + rng.integers(1, 3, len(task))) % 3)
    return AnnotationSet.from_sequences(task, worker, labels)


def frame(annotations: AnnotationSet) -> pd.DataFrame:
    return pd.DataFrame(
        {"task": annotations.tasks, "worker": annotations.workers, "label": annotations.labels}
    )


def orders(annotations: AnnotationSet) -> Iterator[np.ndarray]:
    yield np.arange(len(annotations))
    yield np.random.default_rng(1).permutation(len(annotations))


def test_mace_does_not_follow_the_order_of_rows() -> None:
    annotations = crowd()
    theirs, ours = [], []
    for order in orders(annotations):
        found = crowdkit.MACE(n_restarts=1).fit_predict_proba(frame(annotations).iloc[order])
        theirs.append(found.sort_index()[[0, 1, 2]].to_numpy())
        model = MACE().fit(annotations.select(order))
        ours.append(model.predict_proba()[np.argsort(model.task_ids_)][:, np.argsort(model.label_ids_)])
    assert np.abs(theirs[0] - theirs[1]).max() > 0.1
    np.testing.assert_allclose(ours[0], ours[1], rtol=0.0, atol=1e-9)


def test_mace_ends_where_crowd_kit_ends_when_its_codes_are_not_mixed_up() -> None:
    drawn = crowd()
    # Rows in which labels, and workers by their new names, first appear in sorted order.
    first = [int(np.argmax(drawn.labels == label)) for label in range(drawn.n_classes)]
    rows = drawn.select(np.concatenate([first, np.setdiff1d(np.arange(len(drawn)), first)]))
    annotations = AnnotationSet.from_sequences(
        [drawn.task_ids[task] for task in rows.tasks], rows.workers, rows.labels, label_ids=range(3)
    )
    theirs = crowdkit.MACE(n_restarts=1, n_iter=200).fit_predict_proba(frame(annotations))
    ours = MACE(n_iter=500, tol=1e-12, evenness=0.0).fit(annotations)
    np.testing.assert_allclose(
        ours.predict_proba(), theirs.loc[range(annotations.n_tasks), range(3)], rtol=0.0, atol=1e-4
    )


def test_the_restarts_of_mace_differ() -> None:
    annotations = crowd()
    once, often = (crowdkit.MACE(n_restarts=n).fit(frame(annotations)) for n in (1, 3))
    np.testing.assert_array_equal(once.thetas_, often.thetas_)
    first, third = (MACE(restarts=n, n_iter=1).fit(annotations) for n in (1, 3))
    assert len(set(third.evidences_)) == 3
    assert third.evidences_[0] == first.evidences_[0]
    assert MACE(restarts=3, n_iter=1, rng=1).fit(annotations).evidences_ != third.evidences_


@pytest.mark.parametrize("make", [MACE, GLAD, OneCoinDawidSkene])
def test_a_thousand_labels_on_one_task_do_not_underflow(make: type[CategoricalEstimator]) -> None:
    tasks, workers = np.zeros(1_500, dtype=int), np.arange(1_500)
    labels = np.arange(1_500) % 5 // 2
    rows = pd.DataFrame({"task": tasks, "worker": workers, "label": labels})
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="all NA"):
        crowdkit.MACE(n_restarts=1, n_iter=2).fit(rows)
    posteriors = make().fit(AnnotationSet.from_sequences(tasks, workers, labels)).predict_proba()
    np.testing.assert_allclose(posteriors.sum(axis=1), 1.0)


def test_a_tie_is_no_error_and_no_random_number_of_others_is_touched() -> None:
    tied = AnnotationSet.from_sequences([0, 0, 1], [0, 1, 2], ["a", "b", "a"])
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    crowdkit.KOS().fit(frame(crowd().select(crowd().labels < 2)))
    assert not np.array_equal(np.random.get_state()[1], before)
    np.random.seed(7)
    for make in (MACE, GLAD, OneCoinDawidSkene):
        assert make().fit(tied).predict()[1] == "a"
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_a_task_whose_workers_are_worse_than_chance_is_not_turned_around() -> None:
    # crowd-kit's M-MSR divides by the sum of its weights, which may be negative.
    negative = pd.Series([-1.0, -3.0], index=pd.Index([0, 1], name="worker"))
    rows = pd.DataFrame({"task": [0, 0], "worker": [0, 1], "label": ["a", "b"]})
    model = crowdkit.MMSR()
    model.skills_ = negative
    assert model.predict(rows)[0] == "b"
    # The worker who is more often wrong is the one not to be followed.
    truth = np.arange(200) % 2
    tasks = np.concatenate([np.tile(np.arange(200), 4), [200, 200]])
    workers = np.concatenate([np.repeat(np.arange(4), 200), [2, 3]])
    wrong = np.concatenate([np.zeros(400), np.arange(200) % 5 < 3, np.ones(200)]).astype(int)
    labels = np.concatenate([(np.tile(truth, 4) + wrong) % 2, [0, 1]])
    assert OneCoinDawidSkene().fit(AnnotationSet.from_sequences(tasks, workers, labels)).predict()[200] == 0
