"""The mean of a model and the votes."""

import numpy as np
import pytest

from crowdroute.aggregation import MACE, AnnotationSet, MajorityVote, SmoothedDawidSkene
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.vote_averaged import VoteAveraged

ROWS = AnnotationSet.from_sequences(
    [0, 0, 0, 1, 1, 1, 2, 2, 3],
    ["Ann", "Bob", "Cid", "Ann", "Bob", "Cid", "Ann", "Cid", "Cid"],
    ["a", "b", "b", "b", "b", "a", "a", "a", "b"],
)


def test_probabilities_are_halfway_between_the_model_and_the_votes() -> None:
    model, votes = SmoothedDawidSkene().fit(ROWS), MajorityVote().fit(ROWS)
    averaged = VoteAveraged(SmoothedDawidSkene).fit(ROWS)
    expected = (model.predict_proba() + votes.predict_proba()) / 2.0
    np.testing.assert_array_equal(averaged.predict_proba(), expected)
    assert averaged.task_ids_ == ROWS.task_ids
    assert averaged.label_ids_ == ROWS.label_ids
    assert averaged.loss_history_ == model.loss_history_


def test_a_majority_yields_to_a_model_that_is_certain_and_not_to_one_that_is_unsure() -> None:
    certain = np.array([[0.0, 12.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    unsure = np.array([[0.0, 0.6], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    rows = AnnotationSet.from_sequences([0, 0, 0, 1], [0, 1, 2, 0], ["a", "a", "b", "a"])
    odds = {"certain": certain[:2], "unsure": unsure[:2]}
    found = {
        name: VoteAveraged(MACE).fit(rows, prior_log_odds=np.ascontiguousarray(one)).predict()[0]
        for name, one in odds.items()
    }
    assert found == {"certain": "b", "unsure": "a"}


def test_gold_is_certain_and_what_the_model_refuses_is_refused() -> None:
    averaged = VoteAveraged(MACE).fit(ROWS, {0: "a"})
    assert averaged.predict_proba()[0].tolist() == [1.0, 0.0]
    with pytest.raises(InvalidParameterError, match="no place for prior_log_odds"):
        VoteAveraged(MajorityVote).fit(ROWS, prior_log_odds=np.zeros((4, 2)))
