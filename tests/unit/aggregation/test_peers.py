"""Agreement with peers when one's own label is left out."""

import numpy as np
import pytest

from crowdroute.aggregation import AnnotationSet, SmoothedDawidSkene, peer_agreement
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.peers import confusion_intervals


def fitted(annotations: AnnotationSet) -> tuple[np.ndarray, np.ndarray]:
    model = SmoothedDawidSkene().fit(annotations)
    return model.confusion_, model.class_shares_


def test_it_is_the_formula_written_out() -> None:
    rng = np.random.default_rng(0)
    tasks, workers = np.divmod(np.arange(40 * 4), 4)
    labels = np.where(
        rng.random(160) < 0.7, np.repeat(rng.integers(3, size=40), 4), rng.integers(3, size=160)
    )
    annotations = AnnotationSet.from_sequences(tasks, workers, labels, label_ids=range(3))
    confusion, shares = fitted(annotations)
    found = peer_agreement(annotations, confusion, shares)
    for worker in range(4):
        told = []
        for task in range(40):
            likely = shares.copy()
            for other in range(4):
                if other != worker:
                    likely *= confusion[other, :, labels[task * 4 + other]]
            told.append((likely / likely.sum())[labels[task * 4 + worker]])
        assert found.agreement[worker] == pytest.approx(np.mean(told), abs=1e-12)
    assert found.labels.tolist() == [40] * 4


def test_a_guesser_agrees_less_than_those_who_know() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=300)
    labels = np.where(
        rng.random((300, 5)) < [0.9, 0.9, 0.9, 0.9, 0.5], truth[:, np.newaxis], 1 - truth[:, np.newaxis]
    )
    tasks, workers = np.divmod(np.arange(1_500), 5)
    annotations = AnnotationSet.from_sequences(tasks, workers, labels.ravel())
    agreement = peer_agreement(annotations, *fitted(annotations)).agreement
    assert agreement[:4].min() > 0.8
    assert agreement[4] == pytest.approx(0.5, abs=0.08)


def test_labels_that_nobody_shares_say_nothing() -> None:
    annotations = AnnotationSet.from_sequences([1, 1, 2], ["u", "v", "w"], ["a", "a", "b"])
    found = peer_agreement(annotations, *fitted(annotations))
    assert found.labels.tolist() == [1, 1, 0]
    assert found.agreement[2] == pytest.approx(found.agreement[:2].mean())
    lonely = AnnotationSet.from_sequences([1, 2], ["u", "v"], ["a", "b"])
    assert peer_agreement(lonely, *fitted(lonely)).agreement.tolist() == [0.5, 0.5]


def test_what_does_not_fit_is_refused() -> None:
    annotations = AnnotationSet.from_sequences([1, 1], ["u", "v"], ["a", "b"])
    confusion, shares = fitted(annotations)
    with pytest.raises(InvalidParameterError, match="do not fit"):
        peer_agreement(annotations, confusion[:1], shares)
    with pytest.raises(InvalidParameterError, match="positive"):
        peer_agreement(annotations, confusion * 0.0, shares)


def test_confusion_is_counted_as_the_others_and_gold_see_it() -> None:
    annotations = AnnotationSet.from_sequences(
        [1, 1, 1, 2, 2, 2], list("uvwuvw"), ["a", "a", "b", "b", "b", "b"], label_ids=["a", "b"]
    )
    model = fitted(annotations)
    found = peer_agreement(annotations, *model, {1: "b"}).confusion_counts
    np.testing.assert_allclose(found.sum(axis=1), [[1, 1], [1, 1], [0, 2]])
    assert found[0, 1, 0] == 1.0  # u said a where gold says b
    assert found[2, 1, 1] > 1.5
    share, lower, upper = confusion_intervals(found)
    np.testing.assert_allclose(share.sum(axis=2), 1.0)
    assert ((lower < share) & (share < upper)).all()


def test_more_labels_make_narrower_intervals_of_confusion() -> None:
    few = np.array([[[8.0, 2.0], [2.0, 8.0]]])
    widths = [upper - lower for _, lower, upper in (confusion_intervals(few), confusion_intervals(50 * few))]
    assert (widths[1] < widths[0]).all()
    assert [bounds.tolist() for bounds in confusion_intervals(np.ones((1, 1, 1)))] == [[[[1.0]]]] * 3
