"""What a guess looks like, and how much of that a worker's labels may teach."""

import numpy as np
import pytest

from crowdroute.aggregation import MACE, AnnotationSet
from crowdroute.aggregation.errors import InvalidParameterError


def crowd(seed: int = 0, tasks: int = 1_000) -> tuple[AnnotationSet, np.ndarray]:
    """One label in four is a 1; some tasks of class 0 look like a 1 to nearly half of the twelve workers."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(tasks) < 0.2).astype(np.int64)
    says_one = np.where(truth == 1, 0.75, np.where(rng.random(tasks) < 0.3, 0.42, 0.04))
    workers = np.stack([rng.permutation(12)[:5] for _ in range(tasks)])
    labels = (rng.random((tasks, 5)) < says_one[:, np.newaxis]).astype(np.int64)
    annotations = AnnotationSet.from_sequences(
        np.repeat(np.arange(tasks), 5), workers.ravel(), labels.ravel(), label_ids=range(2)
    )
    return annotations, truth


def test_a_frequent_label_does_not_pass_for_a_habit() -> None:
    annotations, truth = crowd()
    even, free = (MACE(evenness=evenness).fit(annotations) for evenness in (1.0, 0.0))
    found = [model.predict_proba()[:, 1].mean() - truth.mean() for model in (even, free)]
    assert 0.0 < found[0] < found[1] - 0.02
    accuracy = [np.mean(model.predict_proba().argmax(axis=1) == truth) for model in (even, free)]
    assert accuracy[0] > accuracy[1] + 0.02


def test_half_of_a_strategy_stays_even_however_many_labels_a_worker_gave() -> None:
    annotations, _ = crowd()
    assert MACE().fit(annotations).strategies_.min() > 0.25
    assert MACE(evenness=0.0).fit(annotations).strategies_.min() < 0.2


@pytest.mark.parametrize("evenness", [-0.1, float("inf"), float("nan")])
def test_an_evenness_that_is_no_number_of_labels_is_refused(evenness: float) -> None:
    with pytest.raises(InvalidParameterError, match="evenness is"):
        MACE(evenness=evenness).fit(crowd(tasks=5)[0])
