"""The online model on recorded crowds, label by label: gold only scores, never teaches."""

from collections.abc import Callable, Iterator
from statistics import mean

import numpy as np
import pytest

from crowdroute.aggregation import AnnotationSet, ConfusionPrior, OnlineDawidSkene, SmoothedDawidSkene

# Those with gold for every task; the largest are left to benchmarks/bench_aggregation_accuracy.py.
CROWDS = [
    "barzan",
    "bluebird",
    "d_possent",
    "ducks",
    "music_genre",
    "rte",
    "sentiment_sp",
    "sentiment_sp_amt",
    "weather_amt",
    "wsd",
    "zencrowd_us",
]

Read = Callable[[str], tuple[AnnotationSet, dict[str, str]]]


def label_by_label(
    annotations: AnnotationSet, seed: int, prior: ConfusionPrior | None = None
) -> Iterator[OnlineDawidSkene]:
    """Feed every annotation once, in random order, and yield the model after each."""
    model = OnlineDawidSkene(annotations.n_classes, prior)
    model.add_tasks(annotations.n_tasks)
    rows: dict[int, int] = {}
    most = int(np.bincount(annotations.tasks).max())
    matrices = np.zeros((annotations.n_tasks, most), dtype=np.int32)
    labels = np.zeros_like(matrices)
    count = np.zeros(annotations.n_tasks, dtype=np.int64)
    for place in np.random.default_rng(seed).permutation(len(annotations)):
        task, worker = int(annotations.tasks[place]), int(annotations.workers[place])
        if worker not in rows:
            rows[worker] = model.add_matrix()
        n = int(count[task])
        matrices[task, n], labels[task, n] = rows[worker], annotations.labels[place]
        model.reestimate(task, matrices[task], labels[task], n, matrices[task], labels[task], n + 1)
        count[task] = n + 1
        yield model


def online(annotations: AnnotationSet, seed: int, prior: ConfusionPrior | None = None) -> np.ndarray:
    *_, model = label_by_label(annotations, seed, prior)
    return model.posteriors[: annotations.n_tasks]


def accuracy(posteriors: np.ndarray, annotations: AnnotationSet, gold: dict[str, str]) -> float:
    known = annotations.gold_codes(gold)
    return float(np.mean(posteriors.argmax(axis=1)[known >= 0] == known[known >= 0]))


def test_one_pass_is_within_a_point_of_the_batch_model_on_average(crowd: Read) -> None:
    one_pass, batch = [], []
    for name in CROWDS:
        annotations, gold = crowd(name)
        one_pass.append(accuracy(online(annotations, seed=0), annotations, gold))
        batch.append(accuracy(SmoothedDawidSkene().fit(annotations).posteriors_, annotations, gold))
    assert mean(one_pass) >= mean(batch) - 0.01


@pytest.mark.parametrize("name", ["quiz_english", "quiz_medicine", "quiz_science"])
def test_where_most_workers_are_wrong_a_prior_that_follows_the_pool_is_less_sure(
    crowd: Read, name: str
) -> None:
    annotations, gold = crowd(name)
    known = annotations.gold_codes(gold)

    def log_loss(prior: ConfusionPrior) -> float:
        posteriors = online(annotations, 0, prior)
        return -float(np.log(np.maximum(posteriors[np.arange(len(known)), known], 1e-9)).mean())

    assert log_loss(ConfusionPrior()) < log_loss(ConfusionPrior(pool_share=0.0))


def test_after_every_label_the_posteriors_are_probabilities(crowd: Read) -> None:
    annotations, _ = crowd("quiz_medicine")
    for model in label_by_label(annotations, seed=1):
        assert (model.confusion[: model.n_matrices] > 0.0).all()
        np.testing.assert_allclose(model.posteriors.sum(axis=1), 1.0, rtol=1e-9)


def test_two_passes_of_one_order_agree_to_the_last_bit(crowd: Read) -> None:
    annotations, _ = crowd("weather_amt")
    np.testing.assert_array_equal(online(annotations, seed=2), online(annotations, seed=2))
