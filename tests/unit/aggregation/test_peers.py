"""Agreement with peers when one's own label is left out."""

import numpy as np
import pytest

from crowdroute.aggregation import AnnotationSet, SmoothedDawidSkene, peer_agreement
from crowdroute.aggregation.errors import InvalidParameterError


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
