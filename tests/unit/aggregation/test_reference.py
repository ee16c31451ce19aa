import sys

import numpy as np
import pytest

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.errors import InvalidParameterError, MissingExtraError
from crowdroute.aggregation.reference import CrowdKitReference


def some() -> AnnotationSet:
    return AnnotationSet.from_sequences(
        list("aabbcc"), list("uvuvuw"), list("xyxxyy"), label_ids=["x", "y", "z"]
    )


def test_results_stand_in_our_order_even_for_labels_that_crowd_kit_never_saw() -> None:
    reference = CrowdKitReference("MajorityVote").fit(some())
    np.testing.assert_allclose(reference.posteriors_, [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert reference.predict() == {"a": "x", "b": "x", "c": "y"}


def test_gold_and_parameters_reach_crowd_kit() -> None:
    reference = CrowdKitReference("DawidSkene", {"n_iter": 1}).fit(some(), {"a": "y"})
    assert reference.predict()["a"] == "y"
    assert (reference.n_iter_, reference.converged_) == (1, False)
    assert reference.model_.n_iter == 1


def test_gold_is_refused_where_crowd_kit_would_ignore_it() -> None:
    with pytest.raises(InvalidParameterError, match="MajorityVote takes no gold"):
        CrowdKitReference("MajorityVote").fit(some(), {"a": "y"})


def test_a_model_that_is_no_oracle_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="no reference model 'MACE'"):
        CrowdKitReference("MACE").fit(some())


def test_without_crowd_kit_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crowdkit.aggregation", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'crowdroute\[models\]'"):
        CrowdKitReference().fit(some())


@pytest.mark.parametrize(
    "model", ["MajorityVote", "DawidSkene", "OneCoinDawidSkene", "Wawa", "ZeroBasedSkill", "GLAD"]
)
def test_every_oracle_finds_the_label_that_all_but_one_worker_gave(model: str) -> None:
    tasks, workers = np.divmod(np.arange(120), 4)
    labels = np.where(workers == 3, (tasks + 1) % 2, tasks % 2)
    reference = CrowdKitReference(model).fit(AnnotationSet.from_sequences(tasks, workers, labels))
    assert reference.predict() == {task: task % 2 for task in range(30)}
    np.testing.assert_allclose(reference.predict_proba().sum(axis=1), 1.0, atol=1e-6)
