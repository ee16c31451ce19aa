"""KOS and M-MSR: where crowd-kit's work, and how they are refused where they do not."""

import sys

import numpy as np
import pytest

from crowdroute.aggregation import AnnotationSet
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError, MissingExtraError
from crowdroute.aggregation.message_models import KOS, MMSR


def crowd(classes: int = 2, tasks: int = 120, seed: int = 0) -> tuple[AnnotationSet, np.ndarray]:
    """Ten workers label every task, half of them nearly always rightly, two nearly always wrongly."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=tasks)
    accuracy = np.array([0.95] * 5 + [0.6] * 3 + [0.1] * 2)
    task, worker = (column.ravel() for column in np.indices((tasks, len(accuracy))))
    right = rng.random(len(task)) < accuracy[worker]
    labels = np.where(right, truth[task], (truth[task] + rng.integers(1, classes, len(task))) % classes)
    return AnnotationSet.from_sequences(task, worker, labels, label_ids=range(classes)), truth


@pytest.mark.parametrize(("make", "classes"), [(KOS, 2), (MMSR, 2), (MMSR, 4)])
def test_labels_are_right_and_do_not_follow_the_order_of_rows(make: type[KOS | MMSR], classes: int) -> None:
    annotations, truth = crowd(classes)
    shuffled = annotations.select(np.random.default_rng(1).permutation(len(annotations)))
    one, other = make().fit(annotations).predict(), make().fit(shuffled).predict()
    assert one == other
    assert np.mean([one[task] == label for task, label in enumerate(truth.tolist())]) > 0.95


def test_who_answers_the_wrong_way_round_weighs_against_the_label() -> None:
    annotations, _ = crowd()
    model = MMSR().fit(annotations)
    weight_of = dict(zip(annotations.worker_ids, model.weights_.tolist(), strict=True))
    assert min(weight_of[worker] for worker in range(5)) > 1.0
    assert max(weight_of[worker] for worker in (8, 9)) < 0.0
    np.testing.assert_allclose(model.posteriors_.sum(axis=1), 1.0)


@pytest.mark.parametrize("make", [KOS, MMSR])
def test_nobody_else_s_random_numbers_change(make: type[KOS | MMSR]) -> None:
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    make().fit(crowd(tasks=30)[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_what_they_are_not_made_for_is_refused() -> None:
    with pytest.raises(InvalidAnnotationsError, match="KOS is for two labels, and 3 were given"):
        KOS().fit(crowd(3)[0])
    with pytest.raises(InvalidAnnotationsError, match="two workers at least"):
        MMSR().fit(AnnotationSet.from_sequences([0, 1], ["Ann", "Ann"], ["a", "b"]))
    many = AnnotationSet.from_sequences(np.arange(501), np.arange(501), np.arange(501) % 2)
    with pytest.raises(InvalidAnnotationsError, match="compares every two of 501 workers"):
        MMSR().fit(many)
    with pytest.raises(InvalidParameterError, match="takes no gold"):
        KOS().fit(crowd()[0], {0: 1})
    with pytest.raises(InvalidParameterError, match="no place for prior_log_odds"):
        MMSR().fit(crowd()[0], prior_log_odds=np.zeros((120, 2)))


def test_a_tie_on_which_crowd_kit_fails_is_told() -> None:
    # Nobody shares a task with anybody: every message is 0.
    alone = AnnotationSet.from_sequences([0, 1, 2, 3], [0, 1, 2, 3], ["a", "b", "a", "b"])
    with pytest.raises(InvalidAnnotationsError, match="crowd-kit's KOS fails on these labels"):
        KOS().fit(alone)


def test_a_result_that_has_lost_its_direction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    annotations, truth = crowd()

    def turned(self: KOS, ordered: AnnotationSet, _: object) -> np.ndarray:
        return np.eye(2)[1 - truth[np.array(ordered.task_ids)]]

    monkeypatch.setattr(KOS, "_find", turned)
    with pytest.raises(InvalidAnnotationsError, match="has lost its direction"):
        KOS().fit(annotations)


def test_without_crowd_kit_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crowdkit.aggregation", None)
    with pytest.raises(MissingExtraError, match=r"crowdroute\[models\]"):
        KOS().fit(crowd()[0])
