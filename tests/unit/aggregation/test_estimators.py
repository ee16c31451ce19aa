"""What every categorical estimator promises, whichever it is."""

import copy
from collections.abc import Callable

import numpy as np
import pytest

from crowdroute.aggregation import (
    GLAD,
    MACE,
    AnnotationSet,
    CategoricalEstimator,
    DawidSkene,
    MajorityVote,
    OneCoinDawidSkene,
    SmoothedDawidSkene,
    Wawa,
    ZeroBasedSkill,
)
from crowdroute.aggregation.confusion_em import Precision
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError, NotFittedError
from crowdroute.aggregation.grouping import group_by_task
from crowdroute.aggregation.reference import CrowdKitReference
from crowdroute.aggregation.subtypes import SubtypeBCC

VOTES = [MajorityVote, Wawa, ZeroBasedSkill]
ITERATIVE = [DawidSkene, SmoothedDawidSkene, OneCoinDawidSkene]
PROBABILISTIC = [*ITERATIVE, GLAD, MACE, SubtypeBCC]
ESTIMATORS = [*VOTES, *PROBABILISTIC, CrowdKitReference]


def simulated(
    seed: int, classes: int = 3, tasks: int = 60, workers: int = 8
) -> tuple[AnnotationSet, np.ndarray]:
    """Every worker labels every task; the accuracies range from chance to near perfect."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=tasks)
    accuracy = np.linspace(1 / classes, 0.95, workers)
    task, worker = np.divmod(np.arange(tasks * workers), workers)
    right = rng.random(len(task)) < accuracy[worker]
    labels = np.where(right, truth[task], (truth[task] + rng.integers(1, classes, len(task))) % classes)
    return AnnotationSet.from_sequences(task, worker, labels, label_ids=range(classes)), truth


@pytest.mark.parametrize("make", ESTIMATORS)
def test_fit_returns_the_estimator_with_posteriors_that_sum_to_one(
    make: Callable[[], CategoricalEstimator],
) -> None:
    annotations, _ = simulated(0)
    estimator = make()
    assert estimator.fit(annotations) is estimator
    posteriors = estimator.predict_proba()
    assert posteriors.shape == (annotations.n_tasks, annotations.n_classes)
    np.testing.assert_allclose(posteriors.sum(axis=1), 1.0, atol=1e-8)
    assert list(estimator.predict()) == list(annotations.task_ids)
    assert estimator.task_ids_ == annotations.task_ids
    assert estimator.label_ids_ == annotations.label_ids
    assert estimator.converged_
    assert estimator.n_iter_ >= 1


@pytest.mark.parametrize("make", ESTIMATORS)
def test_nothing_can_be_asked_before_fit(make: Callable[[], CategoricalEstimator]) -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        make().predict()


@pytest.mark.parametrize("make", ESTIMATORS)
def test_fit_changes_neither_parameters_nor_gold_and_gives_the_same_twice(
    make: Callable[[], CategoricalEstimator],
) -> None:
    annotations, truth = simulated(1)
    gold = {} if make is CrowdKitReference else {0: int(truth[0])}
    estimator = make()
    parameters, given = copy.deepcopy(vars(estimator)), dict(gold)
    first = estimator.fit(annotations, gold).predict_proba().copy()
    assert {name: vars(estimator)[name] for name in parameters} == parameters
    assert gold == given
    np.testing.assert_array_equal(estimator.fit(annotations, gold).predict_proba(), first)


@pytest.mark.parametrize("make", [*VOTES, *PROBABILISTIC])
def test_a_task_with_gold_is_certain(make: Callable[[], CategoricalEstimator]) -> None:
    annotations, truth = simulated(2)
    wrong = (int(truth[5]) + 1) % 3
    estimator = make().fit(annotations, {5: wrong})
    assert estimator.predict_proba()[5].tolist() == [float(k == wrong) for k in range(3)]
    assert estimator.predict()[5] == wrong


@pytest.mark.parametrize("make", [*VOTES, *PROBABILISTIC])
def test_unknown_gold_is_refused(make: Callable[[], CategoricalEstimator]) -> None:
    with pytest.raises(InvalidAnnotationsError, match="gold label 7"):
        make().fit(simulated(3)[0], {0: 7})


@pytest.mark.parametrize("make", [Wawa, ZeroBasedSkill, *PROBABILISTIC])
def test_weighing_workers_beats_counting_them(make: Callable[[], CategoricalEstimator]) -> None:
    annotations, truth = simulated(4, tasks=400)

    def accuracy(estimator: CategoricalEstimator) -> float:
        return float(np.mean(estimator.fit(annotations).predict_proba().argmax(axis=1) == truth))

    assert accuracy(make()) > accuracy(MajorityVote())


@pytest.mark.parametrize("make", ITERATIVE)
def test_the_confusion_matrices_find_the_simulated_accuracies(make: type[DawidSkene]) -> None:
    annotations, _ = simulated(5, tasks=3_000)
    confusion = make().fit(annotations).confusion_
    np.testing.assert_allclose(confusion.sum(axis=2), 1.0)
    found = np.trace(confusion, axis1=1, axis2=2) / 3
    np.testing.assert_allclose(found, np.linspace(1 / 3, 0.95, 8), atol=0.04)


@pytest.mark.parametrize("make", PROBABILISTIC)
def test_an_estimator_that_ran_out_of_iterations_says_so(make: type[DawidSkene]) -> None:
    estimator = make(n_iter=2, tol=-1.0).fit(simulated(6)[0])
    assert not estimator.converged_
    assert estimator.n_iter_ == len(estimator.loss_history_) == 2


@pytest.mark.parametrize("make", PROBABILISTIC)
def test_bad_limits_are_refused_when_fitting(make: type[DawidSkene]) -> None:
    with pytest.raises(InvalidParameterError, match="n_iter is 0"):
        make(n_iter=0).fit(simulated(7)[0])
    with pytest.raises(InvalidParameterError, match="tol is nan"):
        make(tol=float("nan")).fit(simulated(7)[0])


def test_the_smoothed_loss_never_falls() -> None:
    history = SmoothedDawidSkene(tol=1e-12, n_iter=200).fit(simulated(8)[0]).loss_history_
    assert len(history) > 5
    assert min(np.diff(history)) > -1e-12


def test_votes_are_shares_and_ties_are_told_and_go_to_the_first_label() -> None:
    annotations = AnnotationSet.from_sequences(
        ["a", "a", "a", "b", "b", "c"], list("uvwuvu"), ["no", "yes", "yes", "yes", "no", "yes"]
    )
    vote = MajorityVote().fit(annotations)
    np.testing.assert_allclose(vote.posteriors_, [[1 / 3, 2 / 3], [0.5, 0.5], [0.0, 1.0]])
    assert vote.ties_.tolist() == [False, True, False]
    assert vote.predict() == {"a": "yes", "b": "no", "c": "yes"}
    assert MajorityVote().fit(annotations, {"b": "yes"}).ties_.tolist() == [False, False, False]


@pytest.mark.parametrize("make", PROBABILISTIC)
def test_what_was_believed_before_moves_the_posterior_as_bayes_says(
    make: Callable[[], CategoricalEstimator],
) -> None:
    annotations, _ = simulated(9)
    plain = make().fit(annotations).predict_proba()
    odds = np.zeros_like(plain)
    np.testing.assert_array_equal(make().fit(annotations, None, odds).predict_proba(), plain)
    odds[7] = annotations.log_odds({7: {2: 1.0}})[7]
    given = odds.copy()
    assert make().fit(annotations, None, odds).predict_proba()[7, 2] > plain[7, 2]
    np.testing.assert_array_equal(odds, given)
    # A constant per task says nothing.
    np.testing.assert_allclose(make().fit(annotations, None, np.full_like(plain, 5.0)).predict_proba(), plain)


@pytest.mark.parametrize("make", PROBABILISTIC)
def test_log_odds_that_do_not_fit_are_refused(make: Callable[[], CategoricalEstimator]) -> None:
    annotations, _ = simulated(9)
    with pytest.raises(InvalidAnnotationsError, match="prior_log_odds has shape"):
        make().fit(annotations, None, np.zeros((2, 3)))
    with pytest.raises(InvalidAnnotationsError, match="infinity or NaN"):
        make().fit(annotations, None, np.full((60, 3), np.inf))


@pytest.mark.parametrize("make", [*VOTES, CrowdKitReference])
def test_a_model_without_a_place_for_log_odds_says_so(make: Callable[[], CategoricalEstimator]) -> None:
    with pytest.raises(InvalidParameterError, match="no place for prior_log_odds"):
        make().fit(simulated(9)[0], None, np.zeros((60, 3)))


@pytest.mark.parametrize("make", [DawidSkene, SmoothedDawidSkene])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_threads_change_no_bit_of_a_result(make: type[DawidSkene], dtype: Precision) -> None:
    # Enough annotations per worker for 16 blocks.
    annotations, truth = simulated(10, tasks=600)
    gold = {task: int(truth[task]) for task in range(0, 600, 7)}
    odds = annotations.log_odds({3: {1: 0.7}})
    alone = make(dtype=dtype).fit(annotations, gold, odds)
    for threads in (2, 3, 40):
        together = make(threads=threads, dtype=dtype).fit(annotations, gold, odds)
        assert together.loss_history_ == alone.loss_history_
        np.testing.assert_array_equal(together.predict_proba(), alone.predict_proba())
        np.testing.assert_array_equal(together.confusion_, alone.confusion_)
        np.testing.assert_array_equal(together.class_shares_, alone.class_shares_)


@pytest.mark.parametrize("make", [DawidSkene, SmoothedDawidSkene])
def test_float32_is_within_its_tolerance(make: type[DawidSkene]) -> None:
    annotations, truth = simulated(11, classes=4, tasks=500)
    gold = {3: int(truth[3])}
    exact = make(n_iter=30, tol=-1.0).fit(annotations, gold)
    short = make(n_iter=30, tol=-1.0, dtype="float32").fit(annotations, gold)
    assert short.predict_proba().dtype == np.float64
    np.testing.assert_allclose(short.predict_proba().sum(axis=1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(short.predict_proba(), exact.predict_proba(), rtol=0.0, atol=1e-3)
    np.testing.assert_allclose(short.confusion_, exact.confusion_, rtol=0.0, atol=1e-3)
    np.testing.assert_allclose(short.loss_history_, exact.loss_history_, rtol=0.0, atol=1e-5)
    assert short.predict_proba()[3].tolist() == exact.predict_proba()[3].tolist()


def test_bad_threads_and_precision_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="threads is 0"):
        DawidSkene(threads=0).fit(simulated(10)[0])
    with pytest.raises(InvalidParameterError, match="dtype is 'float16'"):
        SmoothedDawidSkene(dtype="float16").fit(simulated(10)[0])  # type: ignore[arg-type]


def test_more_cells_than_can_be_numbered_are_refused() -> None:
    # A million classes for 4,295 workers, of which each gave one label.
    n = 4_295
    annotations = AnnotationSet.from_sequences(range(n), range(n), range(n), label_ids=range(1_000_000))
    with pytest.raises(InvalidAnnotationsError, match="exceed 4,294,967,296"):
        group_by_task(annotations)
