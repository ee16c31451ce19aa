"""A preference for every pair, sides taken into account."""

from itertools import pairwise

import numpy as np
import pytest

from crowdroute.aggregation import AggregationError
from crowdroute.aggregation.comparison_set import ComparisonSet
from crowdroute.aggregation.pair_consensus import PairConsensus

Row = tuple[str, str, str, str | None]


def fit(rows: list[Row], gold: dict[tuple[str, str], str | None] | None = None) -> PairConsensus:
    return PairConsensus().fit(ComparisonSet.from_sequences(*zip(*rows, strict=True)), gold)


def crowd(seed: int = 0) -> tuple[list[Row], dict[tuple[str, str], str]]:
    """Give pairs judged by two who look, and three who mostly take the left."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    truth = {}
    for number in range(150):
        pair = (f"a{number}", f"b{number}")
        truth[pair] = pair[int(rng.integers(2))]
        for worker in range(5):
            left, right = pair if rng.random() < 0.7 else pair[::-1]
            looks = rng.random() < (0.95 if worker < 2 else 0.15)
            rows.append((f"w{worker}", left, right, truth[pair] if looks else left))
    return rows, truth


def right_share(found: dict[tuple[str, str], str | None], truth: dict[tuple[str, str], str]) -> float:
    return float(
        np.mean([found.get(pair, found.get(pair[::-1])) == winner for pair, winner in truth.items()])
    )


def test_who_takes_the_left_is_seen_through() -> None:
    rows, truth = crowd()
    model = fit(rows)
    votes = {
        pair: sum((row[3] == pair[0]) - (row[3] == pair[1]) for row in rows if {row[1], row[2]} == set(pair))
        for pair in truth
    }
    voted = {pair: pair[0] if vote > 0 else pair[1] for pair, vote in votes.items()}
    assert right_share(model.predict(), truth) > right_share(dict(voted), truth) + 0.03
    left_whatever = model.confusion_[4, :, 0]
    assert left_whatever.min() > 0.6
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(model.loss_history_))


def test_rows_in_another_order_and_turned_pairs_give_the_same() -> None:
    rows, _ = crowd(1)
    shuffled = [rows[place] for place in np.random.default_rng(2).permutation(len(rows))]
    one, other = fit(rows), fit(shuffled)
    chance = dict(zip(one.pairs_, one.predict_proba(), strict=True))
    for pair, row in zip(other.pairs_, other.predict_proba(), strict=True):
        expected = chance[pair] if pair in chance else chance[pair[::-1]][[1, 0, 2]]
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_ties_are_an_outcome_of_their_own_and_rows_sum_to_one() -> None:
    rows: list[Row] = [(worker, "a", "b", None) for worker in "uvw"] + [("u", "c", "b", "c")]
    model = fit(rows)
    assert model.predict()["a", "b"] is None
    np.testing.assert_allclose(model.predict_proba().sum(axis=1), 1.0)
    without = fit([("u", "a", "b", "a")])
    assert without.predict_proba()[0, 2] == 0.0
    assert without.predict() == {("a", "b"): "a"}


def test_gold_is_the_answer_either_way_round() -> None:
    rows: list[Row] = [("u", "a", "b", "a"), ("v", "b", "a", "a"), ("u", "c", "d", "c")]
    assert fit(rows, {("b", "a"): "b"}).predict()["a", "b"] == "b"
    with pytest.raises(AggregationError, match="nobody could have said"):
        fit(rows, {("a", "b"): "c"})
    with pytest.raises(AggregationError, match="nobody could have said"):
        fit(rows, {("a", "b"): None})
    with pytest.raises(AggregationError, match="call fit first"):
        PairConsensus().predict()
