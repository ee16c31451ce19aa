"""A refit finds the fixed point of all annotations, and another model takes it over."""

from __future__ import annotations

import numpy as np
import pytest

from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.refitting import Evidence, Sweep, refit, take_over

TASKS, WORKERS, CLASSES = 60, 8, 3


def made(seed: int = 3, tasks: int = TASKS) -> tuple[OnlineDawidSkene, Evidence]:
    """A crowd that is right seven times of ten, one label after the other into a model."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(CLASSES, size=tasks)
    model = OnlineDawidSkene(CLASSES)
    model.add_tasks(tasks)
    for _ in range(WORKERS):
        model.add_matrix()
    whose, said = [], []
    for task in range(tasks):
        workers = chance.permutation(WORKERS)[:4].astype(np.int32)
        right = chance.random(4) < 0.7
        labels = np.where(right, truth[task], chance.integers(CLASSES, size=4)).astype(np.int32)
        for count in range(1, 5):
            model.reestimate(task, workers, labels, count - 1, workers, labels, count)
        whose.append(workers)
        said.append(labels)
    evidence = Evidence(
        np.arange(0, 4 * tasks + 1, 4),
        np.concatenate(whose),
        np.concatenate(said),
        np.full(tasks, -1, np.int32),
        np.zeros((WORKERS, CLASSES, CLASSES)),
    )
    return model, evidence


def swept(model: OnlineDawidSkene, evidence: Evidence, **how: float) -> list[Sweep]:
    return list(refit(model, evidence, **how))  # type: ignore[arg-type]  # which of them are whole, it checks


def test_a_refit_goes_on_until_the_posteriors_rest() -> None:
    model, evidence = made()

    first = swept(model, evidence, most_sweeps=200, rest=1e-6)
    again = swept(model, evidence, rest=1e-5)

    assert [sweep.number for sweep in first] == list(range(1, len(first) + 1))
    assert first[-1].moved < 1e-6 <= first[-2].moved
    assert len(again) == 1


def test_a_refit_that_never_rests_ends_after_the_most_sweeps() -> None:
    model, evidence = made()

    assert len(swept(model, evidence, most_sweeps=4, rest=0.0)) == 4


def test_who_takes_a_refit_over_believes_what_it_found() -> None:
    fitted, evidence = made()
    swept(fitted, evidence, most_sweeps=200, rest=1e-8)
    other, _ = made()

    take_over(other, evidence, fitted.confusion[:WORKERS], fitted.class_counts)

    gap = 0.5 * np.abs(other.posteriors[:TASKS] - fitted.posteriors[:TASKS]).sum(axis=1)
    before, _ = made()
    distance = 0.5 * np.abs(before.posteriors[:TASKS] - fitted.posteriors[:TASKS]).sum(axis=1)
    assert gap.mean() < 0.2 * distance.mean()


def test_annotations_that_came_after_the_fit_are_counted_when_it_is_taken_over() -> None:
    early, evidence = made(tasks=40)
    swept(early, evidence)
    model, whole = made(tasks=60)

    take_over(model, whole, early.confusion[:WORKERS], early.class_counts)

    said = model.confusion[:WORKERS] - model.prior_counts
    assert said.sum() == pytest.approx(len(whole.labels))
    assert model.row_sums[:WORKERS] == pytest.approx(model.confusion[:WORKERS].sum(axis=2))
    assert model.class_counts.sum() == pytest.approx(60 + CLASSES * model.prior.class_count)


def test_a_pinned_task_stays_certain_and_an_unlabelled_one_open() -> None:
    model, evidence = made()
    truths = evidence.truths.copy()
    truths[0] = 2
    starts = evidence.starts.copy()
    fitted, _ = made()
    swept(fitted, evidence)
    model.add_tasks(1)
    longer = np.append(truths, -1).astype(np.int32)
    known = evidence._replace(truths=longer, starts=np.append(starts, starts[-1]))

    take_over(model, known, fitted.confusion[:WORKERS], fitted.class_counts)

    assert model.posteriors[0].tolist() == [0.0, 0.0, 1.0]
    assert model.posteriors[TASKS].tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    "parts",
    [
        {"starts": np.zeros(3, np.int64)},
        {"labels": np.full(4 * TASKS, CLASSES, np.int32)},
        {"matrices": np.full(4 * TASKS, -1, np.int32)},
        {"truths": np.full(TASKS, CLASSES, np.int32)},
        {"observed": np.zeros((1, 1, 1))},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_evidence_of_another_shape_changes_nothing(parts: dict[str, np.ndarray]) -> None:
    model, evidence = made()
    before = model.pack()

    with pytest.raises(OutOfRangeError):
        take_over(model, evidence._replace(**parts), model.confusion[:WORKERS], model.class_counts)

    assert model.pack() == before


def test_numbers_of_another_shape_change_nothing() -> None:
    model, evidence = made()
    before = model.pack()

    with pytest.raises(OutOfRangeError):
        take_over(model, evidence, np.ones((WORKERS + 1, CLASSES, CLASSES)), model.class_counts)
    with pytest.raises(OutOfRangeError):
        take_over(model, evidence, np.ones((WORKERS, CLASSES, CLASSES)), np.ones(CLASSES + 1))

    assert model.pack() == before


def test_a_refit_has_at_least_one_sweep() -> None:
    model, evidence = made()

    with pytest.raises(InvalidParameterError):
        swept(model, evidence, most_sweeps=0)
