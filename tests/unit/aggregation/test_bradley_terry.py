"""Scores of items from preferences: batch, with workers, by evalica, and online."""

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdroute.aggregation import AggregationError
from crowdroute.aggregation.bradley_terry import BradleyTerry, WorkerBradleyTerry
from crowdroute.aggregation.comparison_set import LEFT, RIGHT, TIE, ComparisonSet
from crowdroute.aggregation.evalica_reference import EvalicaBradleyTerry
from crowdroute.aggregation.online_bradley_terry import OnlineBradleyTerry

Row = tuple[str, str, str, str | None]

rows_of_comparisons = st.lists(
    st.tuples(
        st.sampled_from("uvw"),
        st.sampled_from(list(combinations("abcd", 2))),
        st.booleans(),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=15,
).map(
    lambda drawn: [
        (worker, *(pair[::-1] if swap else pair), (*pair, None)[winner])
        for worker, pair, swap, winner in drawn
    ]
)


def comparisons(rows: list[Row]) -> ComparisonSet:
    return ComparisonSet.from_sequences(*zip(*rows, strict=True))


def crowd(seed: int = 0, lean: float = 0.0, n: int = 1500) -> tuple[list[Row], dict[str, float]]:
    """Give comparisons by six workers, the last of whom answers the wrong way round."""
    rng = np.random.default_rng(seed)
    scores = {f"i{k}": float(score) for k, score in enumerate(rng.normal(0, 1.2, 15))}
    rows: list[Row] = []
    for _ in range(n):
        left, right = rng.choice(list(scores), 2, replace=False).tolist()
        worker = int(rng.integers(6))
        odds = (-1.0 if worker == 5 else 1.0) * (scores[left] - scores[right]) + lean
        rows.append((f"w{worker}", left, right, left if rng.random() < 1 / (1 + np.exp(-odds)) else right))
    return rows, scores


def likeness(found: dict[Any, float], truth: dict[str, float]) -> float:
    return float(np.corrcoef([found[item] for item in truth], list(truth.values()))[0, 1])


def test_the_scores_are_where_the_posterior_is_greatest() -> None:
    given = comparisons(crowd()[0])
    model = BradleyTerry(score_scale=2.0).fit(given)
    chances = 1 / (1 + np.exp(model.scores_[given.right] - model.scores_[given.left]))
    pull = np.bincount(given.left, given.outcomes - chances) - np.bincount(
        given.right, given.outcomes - chances
    )
    np.testing.assert_allclose(pull, model.scores_ / 4.0, atol=1e-8)
    assert model.converged_
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(model.loss_history_))


def test_a_weak_prior_finds_what_evalica_finds() -> None:
    pytest.importorskip("evalica")
    rows, _ = crowd(1)
    rows += [("w0", "i0", "i1", None), ("w1", "i2", "i0", None)]
    given = comparisons(rows)
    ours, theirs = BradleyTerry(score_scale=1e4).fit(given).scores_, EvalicaBradleyTerry().fit(given)
    np.testing.assert_allclose(ours - ours.mean(), theirs.scores_, atol=1e-6)
    assert theirs.converged_


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_crowd_kits_stops_after_two_iterations_and_ours_does_not() -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    pandas = pytest.importorskip("pandas")
    rows, _ = crowd(1)
    frame = pandas.DataFrame([row[1:] for row in rows], columns=["left", "right", "label"])
    short, long = (aggregation.BradleyTerry(n_iter=n).fit_predict(frame) for n in (2, 1000))
    assert (short == long).all()
    given = comparisons(rows)
    ours = BradleyTerry(score_scale=1e4).fit(given)
    theirs = np.log([long[item] for item in given.item_ids])

    def log_likelihood(scores: np.ndarray) -> float:
        odds = scores[given.left] - scores[given.right]
        return float((given.outcomes * odds - np.logaddexp(0.0, odds)).sum())

    assert log_likelihood(ours.scores_) > log_likelihood(theirs) + 1.0


def test_evalica_is_not_asked_where_there_is_no_maximum() -> None:
    with pytest.raises(AggregationError, match="without a maximum"):
        EvalicaBradleyTerry().fit(comparisons([("u", "a", "b", "a")]))
    found = BradleyTerry().fit(comparisons([("u", "a", "b", "a"), ("u", "c", "d", None)])).predict()
    assert found["a"] > 0.0 > found["b"]
    assert found["c"] == found["d"] == 0.0


def test_who_answers_the_wrong_way_round_is_understood_and_a_lean_to_a_side_is_found() -> None:
    rows, truth = crowd(2, lean=0.7)
    given = comparisons(rows)
    plain, aware = BradleyTerry().fit(given), WorkerBradleyTerry().fit(given)
    assert likeness(aware.predict(), truth) > likeness(plain.predict(), truth)
    heed = dict(zip(given.worker_ids, aware.heed_.tolist(), strict=True))
    assert heed.pop("w5") < 0.0 < min(heed.values())
    assert 0.3 < aware.side_lean_ < 1.1
    assert aware.converged_


@settings(max_examples=30)
@given(rows_of_comparisons, st.randoms(use_true_random=False))
def test_neither_rows_in_another_order_nor_pairs_turned_round_change_scores(
    rows: list[Row], shuffler: Any
) -> None:
    again = list(rows)
    shuffler.shuffle(again)
    for model in (BradleyTerry(), WorkerBradleyTerry()):
        found = model.fit(comparisons(rows)).predict()
        assert np.isfinite(list(found.values())).all()
        moved = model.fit(comparisons(again)).predict()
        assert moved == pytest.approx(found, rel=0.0, abs=1e-9)
    turned = [(worker, right, left, winner) for worker, left, right, winner in rows]
    for model in (BradleyTerry(), WorkerBradleyTerry()):
        found = model.fit(comparisons(rows)).predict()
        assert model.fit(comparisons(turned)).predict() == pytest.approx(found, rel=0.0, abs=1e-9)


def test_a_slope_that_pauses_does_not_end_the_way_to_the_mode() -> None:
    rows: list[Row] = [
        ("u", "b", "a", "a"),
        ("u", "d", "a", "d"),
        ("v", "a", "b", "b"),
        ("v", "b", "a", "b"),
        ("v", "a", "d", "a"),
        ("w", "b", "a", "a"),
        ("w", "a", "d", "d"),
        ("v", "d", "a", "a"),
    ]
    turned = [(worker, right, left, winner) for worker, left, right, winner in rows]
    one, other = (WorkerBradleyTerry().fit(comparisons(each)).predict() for each in (rows, turned))
    assert one == pytest.approx(other, rel=0.0, abs=1e-13)


def test_scores_lie_nearer_to_the_mode_than_the_tolerance_asks() -> None:
    given = comparisons(crowd(3)[0])
    strict, loose = (BradleyTerry(tol=tol).fit(given) for tol in (1e-9, 1e-2))
    np.testing.assert_allclose(loose.scores_, strict.scores_, rtol=0.0, atol=1e-9)
    assert loose.converged_


def test_the_chance_of_a_pair_follows_the_scores() -> None:
    model = BradleyTerry().fit(
        comparisons([("u", "a", "b", "a"), ("v", "a", "b", "a"), ("v", "b", "c", None)])
    )
    chances = model.predict_proba([0, 1], [1, 0])
    assert chances[0] > 0.5
    assert chances.sum() == pytest.approx(1.0)
    with pytest.raises(AggregationError, match="call fit first"):
        BradleyTerry().predict()
    with pytest.raises(AggregationError, match="no place for gold"):
        BradleyTerry().fit(comparisons([("u", "a", "b", "a")]), {"a": 1.0})
    with pytest.raises(AggregationError, match="must be positive"):
        BradleyTerry(score_scale=0.0).fit(comparisons([("u", "a", "b", "a")]))


@pytest.mark.parametrize(
    ("row", "said"),
    [(("u", "a", "a", "a"), "with itself"), (("u", "a", "b", "c"), "won by 'c'")],
)
def test_comparisons_that_cannot_be_are_refused(row: Row, said: str) -> None:
    with pytest.raises(AggregationError, match=said):
        comparisons([row])
    with pytest.raises(AggregationError, match="at least one"):
        ComparisonSet.from_sequences([], [], [], [])


def outcome(row: Row) -> float:
    return TIE if row[3] is None else LEFT if row[3] == row[1] else RIGHT


def online(rows: list[Row]) -> OnlineBradleyTerry:
    model = OnlineBradleyTerry()
    for row in rows:
        model.partial_fit(row[1], row[2], outcome(row))
    return model


def test_online_scores_stay_near_the_batch_and_a_refit_closes_the_gap() -> None:
    rows, _ = crowd(3)
    model = online(rows)
    gap = model.gap()
    assert 0.0 < gap.mean <= gap.largest < 0.03
    batch = BradleyTerry().fit(comparisons(rows)).predict()
    assert model.refit().scores_ == pytest.approx(batch, abs=1e-9)
    assert model.gap().largest < 1e-8


@settings(max_examples=30)
@given(rows_of_comparisons, st.data())
def test_a_comparison_taken_back_leaves_nothing_behind(rows: list[Row], data: st.DataObject) -> None:
    withdrawn = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True))
    model = online(rows)
    for place in withdrawn:
        row = rows[place]
        model.remove(row[2], row[1], 1.0 - outcome(row))
    kept = [row for place, row in enumerate(rows) if place not in withdrawn]
    expected = dict.fromkeys(model.scores_, 0.0) | online(kept).refit().scores_
    assert model.refit().scores_ == pytest.approx(expected if kept else model.scores_, abs=1e-9)
    if not kept:
        assert model.gap().largest == 0.0


def test_what_was_never_given_cannot_be_taken_back_and_no_comparison_is_refused() -> None:
    model = online([("u", "a", "b", "a")])
    before = model.scores_
    for left, right, result in (("a", "b", RIGHT), ("a", "c", LEFT), ("b", "a", TIE)):
        with pytest.raises(AggregationError, match="no such comparison"):
            model.remove(left, right, result)
    for left, right, result in (("a", "a", LEFT), ("a", "b", 0.3)):
        with pytest.raises(AggregationError, match="is no comparison"):
            model.partial_fit(left, right, result)
    assert model.scores_ == before
    assert model.predict_proba("a", "never") > 0.5
