"""The spectral start: what moments find, where they find nothing, and which end is kept."""

import numpy as np
import pytest

from crowdroute.aggregation import AnnotationSet, DawidSkene
from crowdroute.aggregation.dawid_skene import Start
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.spectral import spectral_start

STARTS: tuple[Start, ...] = ("votes", "spectral")


def crowd(
    seed: int, classes: int = 3, tasks: int = 3_000, workers: int = 15
) -> tuple[AnnotationSet, np.ndarray]:
    """Every worker labels half of the tasks, with a confusion matrix of their own."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, tasks, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    matrices = 0.55 * np.eye(classes) + 0.45 * rng.dirichlet(np.ones(classes), (workers, classes))
    task, worker = (column.ravel() for column in np.indices((tasks, workers)))
    kept = rng.random(len(task)) < 0.5
    task, worker = task[kept], worker[kept]
    sums = matrices[worker, truth[task]].cumsum(axis=1)
    labels = np.minimum((rng.random((len(task), 1)) > sums).sum(axis=1), classes - 1)
    return AnnotationSet.from_sequences(task, worker, labels, label_ids=range(classes)), truth


def accuracy(annotations: AnnotationSet, posteriors: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(posteriors.argmax(axis=1) == truth[np.array(annotations.task_ids)]))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_moments_alone_find_nearly_what_em_finds(classes: int) -> None:
    annotations, truth = crowd(0, classes)
    start = spectral_start(annotations)
    assert start is not None
    np.testing.assert_allclose(start.sum(axis=1), 1.0)
    em = DawidSkene().fit(annotations).predict_proba()
    assert accuracy(annotations, start, truth) > accuracy(annotations, em, truth) - 0.03


def misled(tasks: int = 2_000) -> tuple[AnnotationSet, np.ndarray]:
    """Two thirds of the workers say the first label nine times of ten, whatever they see."""
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=tasks)
    seen = np.where(rng.random((tasks, 4)) < 0.9, truth[:, np.newaxis], 1 - truth[:, np.newaxis])
    said = np.where(rng.random((tasks, 8)) < 0.9, 0, truth[:, np.newaxis])
    labels = np.hstack([seen, said])
    task, worker = np.indices(labels.shape)
    return AnnotationSet.from_sequences(task.ravel(), worker.ravel(), labels.ravel()), truth


def log_likelihood(annotations: AnnotationSet, model: DawidSkene) -> float:
    with np.errstate(divide="ignore"):
        log_confusion = np.log(model.confusion_)
    log_odds = np.tile(np.log(model.class_shares_), (annotations.n_tasks, 1))
    np.add.at(log_odds, annotations.tasks, log_confusion[annotations.workers, :, annotations.labels])
    return float(np.logaddexp.reduce(log_odds, axis=1).sum())


def test_the_end_with_the_greater_likelihood_is_kept() -> None:
    kept = []
    for annotations in (misled()[0], crowd(1)[0]):
        votes, both = DawidSkene().fit(annotations), DawidSkene(init="spectral").fit(annotations)
        assert votes.start_ == "votes"
        assert log_likelihood(annotations, both) >= log_likelihood(annotations, votes) - 1e-6
        if both.start_ == "votes":
            np.testing.assert_array_equal(both.posteriors_, votes.posteriors_)
        kept.append(both.start_)
    assert kept[0] == "spectral"


def test_where_the_votes_mislead_moments_do_not() -> None:
    annotations, truth = misled()
    votes, both = (DawidSkene(init=init).fit(annotations).predict_proba() for init in STARTS)
    assert accuracy(annotations, both, truth) > accuracy(annotations, votes, truth) + 0.05


def test_where_moments_tell_nothing_the_votes_are_the_start() -> None:
    few = AnnotationSet.from_sequences([0, 0, 1, 1], [0, 1, 0, 1], ["a", "b", "a", "a"])
    assert spectral_start(few) is None
    assert DawidSkene(init="spectral").fit(few).start_ == "votes"
    task, worker = np.indices((40, 6))
    alike = AnnotationSet.from_sequences(task.ravel(), worker.ravel(), np.zeros(240, int), label_ids=range(2))
    assert spectral_start(alike) is None


def test_neither_the_order_of_rows_nor_names_move_the_start() -> None:
    annotations, _ = crowd(2, tasks=500)
    rng = np.random.default_rng(5)
    order, names = rng.permutation(len(annotations)), rng.permutation(15)
    other = AnnotationSet.from_sequences(
        np.array(annotations.task_ids)[annotations.tasks][order],
        names[np.array(annotations.worker_ids)[annotations.workers]][order],
        annotations.labels[order],
        label_ids=range(3),
    )
    one, two = spectral_start(annotations), spectral_start(other)
    assert one is not None
    assert two is not None
    rows = np.argsort(annotations.task_ids), np.argsort(other.task_ids)
    np.testing.assert_allclose(one[rows[0]], two[rows[1]], rtol=0.0, atol=1e-9)


def test_gold_is_certain_from_the_first_step_and_a_wrong_start_is_refused() -> None:
    annotations, truth = crowd(3, tasks=300)
    wrong = {0: int((truth[0] + 1) % 3)}
    model = DawidSkene(init="spectral").fit(annotations, wrong)
    assert model.posteriors_[list(annotations.task_ids).index(0), wrong[0]] == pytest.approx(1.0)
    with pytest.raises(InvalidParameterError, match="init is 'random'"):
        DawidSkene(init="random").fit(annotations)  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match="at most 30"):
        spectral_start(AnnotationSet.from_sequences([0], [0], [0], label_ids=range(31)))
