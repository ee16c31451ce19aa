"""Classes with crowd-kit's names: what they give beside what crowd-kit gives."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from crowdkit import aggregation as theirs

from crowdroute.aggregation import crowdkit as ours
from crowdroute.aggregation.errors import RepeatedAnnotationError

# crowd-kit calls pandas in ways that pandas deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def data() -> pd.DataFrame:
    """Seven of nine workers label each task, so that votes of two labels cannot be tied."""
    rng = np.random.default_rng(3)
    tasks = np.repeat(np.arange(40), 7)
    workers = np.concatenate([rng.choice(9, 7, replace=False) for _ in range(40)])
    right = rng.random(len(tasks)) < np.linspace(0.4, 0.95, 9)[workers]
    return pd.DataFrame(
        {
            "task": [f"t{task}" for task in tasks],
            "worker": [f"w{worker}" for worker in workers],
            "label": np.where((tasks % 2 == 0) == right, "yes", "no"),
        }
    )


@pytest.mark.parametrize(
    "name", ["MajorityVote", "Wawa", "ZeroBasedSkill", "DawidSkene", "OneCoinDawidSkene"]
)
def test_results_are_crowd_kits_to_the_name(data: pd.DataFrame, name: str) -> None:
    mine, reference = getattr(ours, name)(), getattr(theirs, name)()
    probas, expected = mine.fit_predict_proba(data), reference.fit_predict_proba(data)
    pd.testing.assert_frame_equal(probas, expected, check_like=True, rtol=0.0, atol=1e-9, check_names=False)
    pd.testing.assert_series_equal(mine.labels_.sort_index(), reference.labels_.sort_index())
    for attribute in ("skills_", "priors_"):
        if hasattr(reference, attribute):
            found, wanted = getattr(mine, attribute), getattr(reference, attribute)
            pd.testing.assert_series_equal(found.sort_index(), wanted.sort_index(), rtol=1e-6)
    if hasattr(reference, "errors_"):
        pd.testing.assert_frame_equal(
            mine.errors_.sort_index(), reference.errors_.sort_index(), check_like=True, check_names=False
        )


def test_gold_and_given_skills_do_what_they_do_in_crowd_kit(data: pd.DataFrame) -> None:
    gold = pd.Series({f"t{task}": "yes" if task % 2 == 0 else "no" for task in range(10)})
    wrong = pd.Series({"t0": "no"})
    arguments: list[tuple[str, dict[str, Any]]] = [
        ("GoldMajorityVote", {"true_labels": gold}),
        ("DawidSkene", {"true_labels": wrong}),
        ("MajorityVote", {"skills": pd.Series({f"w{w}": w / 8 for w in range(9)})}),
    ]
    for name, given in arguments:
        mine = getattr(ours, name)().fit_predict_proba(data, **given)
        expected = getattr(theirs, name)().fit_predict_proba(data, **given)
        pd.testing.assert_frame_equal(mine, expected, check_like=True, atol=1e-9, check_names=False)


def test_a_missing_skill_is_refused_filled_in_or_passed_over(data: pd.DataFrame) -> None:
    skills = pd.Series({f"w{w}": 1.0 for w in range(8)})
    with pytest.raises(ValueError, match="1 workers have no skill"):
        ours.MajorityVote().fit(data, skills)
    filled = ours.MajorityVote("value", 1.0).fit(data, skills)
    pd.testing.assert_frame_equal(filled.probas_, ours.MajorityVote().fit(data).probas_)
    without = data[data.worker != "w8"]
    passed = ours.MajorityVote("ignore").fit_predict(data, skills)
    pd.testing.assert_series_equal(passed.sort_index(), ours.MajorityVote().fit_predict(without).sort_index())
    with pytest.raises(ValueError, match="default_skill goes with"):
        ours.MajorityVote("value").fit(data, skills)


def test_glad_and_mace_give_what_crowd_kit_calls_their_parameters(data: pd.DataFrame) -> None:
    glad, mace = ours.GLAD().fit(data), ours.MACE().fit(data)
    assert set(glad.alphas_.index) == set(data.worker)
    assert set(glad.betas_.index) == set(data.task)
    assert glad.alphas_["w8"] > glad.alphas_["w0"]
    assert (mace.spamming_.shape, mace.thetas_.shape) == ((9, 2), (9, 2))
    np.testing.assert_allclose(mace.spamming_.sum(axis=1), 1.0)
    assert mace.labels_.name == "agg_label"
    with pytest.raises(ValueError, match='only "vb"'):
        ours.MACE(method="em").fit(data)  # type: ignore[arg-type]


def test_what_cannot_be_fitted_is_told(data: pd.DataFrame) -> None:
    with pytest.raises(KeyError):
        ours.Wawa().fit(data[["task", "label"]])
    with pytest.raises(RepeatedAnnotationError):
        ours.DawidSkene().fit(pd.concat([data, data.head(1)], ignore_index=True))
    with pytest.raises(ValueError, match="no labelled task has gold"):
        ours.GoldMajorityVote().fit(data, pd.Series({"elsewhere": "yes"}))
    with pytest.raises(ValueError, match="a worker has no skill"):
        ours.Wawa().fit(data[data.worker != "w0"]).predict(data)
    assert len(ours.DawidSkene().fit(data.head(0)).labels_) == 0


def initial_errors(data: pd.DataFrame, probabilities: bool) -> pd.DataFrame:
    """Counts, or shares, of every worker and both labels."""
    workers = sorted(set(data.worker))
    index = pd.MultiIndex.from_product([workers, ["no", "yes"]], names=["worker", "label"])
    values = np.random.default_rng(4).integers(1, 20, (len(index), 2)).astype(float)
    counts = pd.DataFrame(values, index=index, columns=["no", "yes"])
    return counts / counts.groupby("worker").sum() if probabilities else counts


@pytest.mark.parametrize("strategy", ["assign", "addition"])
@pytest.mark.parametrize("n_iter", [0, 1, 6])
def test_given_error_matrices_begin_the_iteration_as_in_crowd_kit(
    data: pd.DataFrame, strategy: Any, n_iter: int
) -> None:
    given = initial_errors(data, probabilities=strategy == "assign")
    if strategy == "addition":
        given = given.iloc[:7]
    gold = pd.Series({"t0": "yes", "t3": "yes"})
    mine = ours.DawidSkene(n_iter, -1e9, strategy).fit(data, gold, given)
    reference = theirs.DawidSkene(n_iter, -1e9, strategy).fit(data, gold, given)
    for name in ("probas_", "errors_"):
        pd.testing.assert_frame_equal(
            getattr(mine, name).sort_index(),
            getattr(reference, name).sort_index(),
            check_like=True,
            check_names=False,
            rtol=0.0,
            atol=1e-9,
        )
    assert mine.loss_history_ == pytest.approx(reference.loss_history_, abs=1e-9)


def test_error_matrices_that_do_not_fit_are_refused(data: pd.DataFrame) -> None:
    given = initial_errors(data, probabilities=True)
    for strategy, matrices, said in (
        ("assign", given.iloc[:3], "has no row for"),
        ("assign", given * 0.5, "should be 1.0"),
        ("addition", given.reset_index(level="label", drop=True), "must be by worker and label"),
        ("replace", given, "choose assign or addition"),
    ):
        with pytest.raises(ValueError, match=said):
            ours.DawidSkene(initial_error_strategy=strategy).fit(data, initial_error=matrices)  # type: ignore[arg-type]
    # Without a strategy they say nothing, as in crowd-kit.
    plain = ours.DawidSkene().fit_predict_proba(data)
    pd.testing.assert_frame_equal(ours.DawidSkene().fit_predict_proba(data, initial_error=given), plain)


@pytest.mark.parametrize("name", ["DawidSkene", "GLAD", "ZeroBasedSkill"])
def test_no_iteration_at_all_gives_what_it_begins_with_as_in_crowd_kit(data: pd.DataFrame, name: str) -> None:
    mine = getattr(ours, name)(n_iter=0).fit_predict_proba(data)
    expected = getattr(theirs, name)(n_iter=0).fit_predict_proba(data)
    pd.testing.assert_frame_equal(mine, expected, check_like=True, check_names=False, atol=1e-9)


def test_a_task_may_have_several_truths_and_there_may_be_no_labels_at_all(data: pd.DataFrame) -> None:
    gold = pd.Series(["yes", "no", "no"], index=["t0", "t0", "t1"])
    mine, reference = ours.GoldMajorityVote().fit(data, gold), theirs.GoldMajorityVote().fit(data, gold)
    pd.testing.assert_series_equal(mine.skills_, reference.skills_, check_dtype=False)
    empty = ours.GoldMajorityVote().fit_predict_proba(data.head(0), pd.Series(dtype=float))
    assert empty.empty
