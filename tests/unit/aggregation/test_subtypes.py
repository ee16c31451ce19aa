"""Classes with subtypes: evidence that never falls, and what it is good for."""

from typing import Any

import numpy as np
import pytest

from crowdroute.aggregation import AnnotationSet, MajorityVote, SmoothedDawidSkene, subtypes
from crowdroute.aggregation.base import vote_shares
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.grouping import Grouped
from crowdroute.aggregation.subtypes import SubtypeBCC


def crowd(hard: float, seed: int = 0, tasks: int = 800) -> tuple[AnnotationSet, np.ndarray]:
    """Class 1 is rare; a share of class 0 looks like class 1 to nearly half of the workers."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(tasks) < 0.2).astype(np.int64)
    says_one = np.where(truth == 1, 0.9, np.where(rng.random(tasks) < hard, 0.42, 0.04))
    workers = np.stack([rng.permutation(30)[:6] for _ in range(tasks)])
    labels = (rng.random((tasks, 6)) < says_one[:, np.newaxis]).astype(np.int64)
    annotations = AnnotationSet.from_sequences(
        np.repeat(np.arange(tasks), 6), workers.ravel(), labels.ravel(), label_ids=range(2)
    )
    return annotations, truth


def accuracy(posteriors: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(posteriors.argmax(axis=1) == truth))


def test_hard_kinds_of_tasks_are_found_and_not_taken_for_a_class() -> None:
    annotations, truth = crowd(hard=0.35)
    model = SubtypeBCC().fit(annotations)
    assert model.subtypes_ == 3
    assert model.evidence_ - model.evidence_of_one_ > 5.0
    plain = SmoothedDawidSkene().fit(annotations)
    assert accuracy(model.posteriors_, truth) > accuracy(plain.posteriors_, truth) + 0.02
    assert (
        accuracy(model.posteriors_, truth)
        >= accuracy(MajorityVote().fit(annotations).posteriors_, truth) - 0.01
    )


def test_starts_follow_neither_the_order_of_rows_nor_any_names() -> None:
    annotations, _ = crowd(hard=0.35)
    rng = np.random.default_rng(3)
    order = rng.permutation(len(annotations))
    new_task, new_worker = rng.permutation(800), rng.permutation(30)
    other = AnnotationSet.from_sequences(
        new_task[np.array(annotations.task_ids)[annotations.tasks]][order],
        new_worker[np.array(annotations.worker_ids)[annotations.workers]][order],
        1 - annotations.labels[order],
        label_ids=range(2),
    )
    one, two = (SubtypeBCC(n_iter=80, tol=-1e9).fit(rows) for rows in (annotations, other))
    assert one.subtypes_ == 3
    row_of = {task: row for row, task in enumerate(two.task_ids_)}
    again = two.predict_proba()[[row_of[int(new_task[int(task)])] for task in one.task_ids_], ::-1]
    np.testing.assert_allclose(one.predict_proba(), again, rtol=0.0, atol=1e-9)


def test_where_there_are_none_no_evidence_is_claimed() -> None:
    model = SubtypeBCC().fit(crowd(hard=0.0)[0])
    assert model.evidence_ - model.evidence_of_one_ < 5.0


def test_the_evidence_never_falls_and_everything_sums_to_one() -> None:
    model = SubtypeBCC(tol=1e-9, n_iter=300).fit(crowd(hard=0.3, seed=1, tasks=200)[0])
    assert min(np.diff(model.loss_history_)) > -1e-10
    np.testing.assert_allclose(model.posteriors_.sum(axis=1), 1.0)
    np.testing.assert_allclose(model.subtype_posteriors_.sum(axis=2), model.posteriors_)
    np.testing.assert_allclose(model.confusion_.sum(axis=2), 1.0)
    np.testing.assert_allclose(model.subtype_confusion_.sum(axis=3), 1.0)
    assert model.class_shares_.sum() == pytest.approx(1.0)


def test_gold_is_certain_and_prior_odds_count() -> None:
    annotations, truth = crowd(hard=0.3, seed=2, tasks=100)
    wrong = {0: int(1 - truth[0])}
    model = SubtypeBCC().fit(annotations, wrong)
    assert model.posteriors_[0, wrong[0]] == 1.0
    odds = np.zeros((100, 2))
    odds[1, 1 - truth[1]] = 60.0
    told = SubtypeBCC().fit(annotations, prior_log_odds=odds).posteriors_
    assert told[1, 1 - truth[1]] > 0.99


def test_one_seed_gives_one_result() -> None:
    annotations, _ = crowd(hard=0.3, seed=3, tasks=150)
    one, other = (SubtypeBCC(rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.fit(annotations).posteriors_, other.fit(annotations).posteriors_)
    np.testing.assert_array_equal(one.fit(annotations).posteriors_, other.posteriors_)


def test_every_start_divides_the_votes_whatever_was_fitted_before() -> None:
    class Watched(SubtypeBCC):
        def _run(
            self,
            annotations: AnnotationSet,
            grouped: Grouped,
            start: np.ndarray,
            odds: np.ndarray | None,
            subtypes: int,
        ) -> Any:
            starts.append(start.reshape(-1, 2, subtypes).sum(axis=2))
            return super()._run(annotations, grouped, start, odds, subtypes)

    starts: list[np.ndarray] = []
    annotations, _ = crowd(hard=0.3, seed=4, tasks=100)
    Watched(restarts=2).fit(annotations)
    assert len(starts) == 3
    for start in starts:
        np.testing.assert_allclose(start, vote_shares(annotations, annotations.gold_codes(None)))


@pytest.mark.parametrize("most", [2**63, 50])
def test_patterns_are_numbered_as_sorted_rows_are(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtypes, "_MOST_CODES", most)
    rows = np.random.default_rng(0).integers(0, 6, (300, 4))
    expected = np.unique(rows, axis=0, return_inverse=True)[1]
    np.testing.assert_array_equal(subtypes._numbered(list(rows.T)), expected)


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="at least one of each"):
        SubtypeBCC(subtypes=0).fit(crowd(0.0, tasks=5)[0])
