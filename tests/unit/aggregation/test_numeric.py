"""Numbers: weighted medians, and workers who are off and scatter."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdroute.aggregation import AggregationError, AnswerSet
from crowdroute.aggregation.nearest import AnswerEstimator
from crowdroute.aggregation.numeric import BiasAndScatter, WeightedMedian

MODELS = [WeightedMedian, BiasAndScatter]
values = st.floats(-100, 100).map(lambda value: round(value, 3))
crowds = st.dictionaries(
    st.tuples(st.sampled_from(["t0", "t1", "t2"]), st.sampled_from(["u", "v", "w"])), values, min_size=1
)


def answers(given: dict[tuple[str, str], float]) -> AnswerSet[float]:
    tasks, workers = ([pair[place] for pair in given] for place in (0, 1))
    return AnswerSet[float].from_sequences(tasks, workers, list(given.values()))


def crowd(seed: int = 0) -> tuple[dict[tuple[str, str], float], dict[str, float], np.ndarray]:
    """Give answers, true values and biases: the scatter of workers grows with their number."""
    rng = np.random.default_rng(seed)
    truth = {f"t{n}": float(rng.normal(50, 10)) for n in range(200)}
    bias = rng.normal(0, 4, 8)
    bias -= bias.mean()
    given = {
        (task, f"w{w}"): value + bias[w] + float(rng.normal(0, 0.5 + w))
        for task, value in truth.items()
        for w in rng.choice(8, 5, replace=False).tolist()
    }
    return given, truth, bias


def mean_error(found: dict[str, float], truth: dict[str, float]) -> float:
    return float(np.mean([abs(found[task] - truth[task]) for task in truth]))


def test_biases_scatters_and_intervals_are_found() -> None:
    given, truth, bias = crowd()
    model = BiasAndScatter().fit(answers(given))
    plain = {task: np.mean([x for (t, _), x in given.items() if t == task]) for task in truth}
    assert mean_error(model.predict(), truth) < 0.7 * mean_error(plain, truth)  # type: ignore[arg-type]
    workers = [int(str(worker)[1:]) for worker in model_workers(given)]
    np.testing.assert_allclose(model.bias_, bias[workers], atol=1.5)
    assert np.corrcoef(model.scatter_, workers)[0, 1] > 0.95
    bounds = model.predict_interval(0.9)
    inside = [
        low <= truth[str(task)] <= high for task, (low, high) in zip(model.task_ids_, bounds, strict=True)
    ]
    assert 0.82 < np.mean(inside) < 0.97


def model_workers(given: dict[tuple[str, str], float]) -> tuple[object, ...]:
    return answers(given).worker_ids


def test_who_is_far_off_weighs_less_in_a_median() -> None:
    given = {
        (f"t{n}", worker): float(n + off)
        for n in range(20)
        for worker, off in (("u", 0), ("v", 0), ("x", 9), ("y", -7), ("z", 8))
    }
    found = WeightedMedian().fit(answers(given))
    assert found.predict() == {f"t{n}": float(n) for n in range(20)}
    assert found.scatter_[:2].max() < found.scatter_[2:].min() / 3
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(found.loss_history_))


def test_the_median_is_an_answer_that_was_given() -> None:
    given, _, _ = crowd(2)
    for task, value in WeightedMedian().fit(answers(given)).predict().items():
        assert value in {x for (t, _), x in given.items() if t == task}
    assert WeightedMedian().fit(answers({("t", "u"): 1.0, ("t", "v"): 2.0})).predict() == {"t": 1.0}


@pytest.mark.parametrize("make", MODELS)
@settings(max_examples=25)
@given(given=crowds, scale=st.sampled_from([0.01, 3.0]), shift=st.sampled_from([-5.0, 1e3]))
def test_units_and_orders_of_rows_decide_nothing(
    make: type[AnswerEstimator[float]], given: dict[tuple[str, str], float], scale: float, shift: float
) -> None:
    one = make().fit(answers(given)).predict()
    back = make().fit(answers(dict(reversed(given.items())))).predict()
    assert np.isfinite(list(one.values())).all()
    for task, value in one.items():
        assert back[task] == pytest.approx(value, rel=1e-7, abs=1e-7)
    moved = make().fit(answers({pair: scale * x + shift for pair, x in given.items()})).predict()
    if make is BiasAndScatter:
        for task, value in one.items():
            assert moved[task] == pytest.approx(scale * value + shift, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("make", MODELS)
def test_gold_is_the_answer_and_what_is_no_number_is_refused(make: type[AnswerEstimator[float]]) -> None:
    given = answers({("t", "u"): 1.0, ("s", "u"): 2.0, ("s", "v"): 4.0})
    found = make().fit(given, {"t": 7.0})
    assert found.predict()["t"] == pytest.approx(7.0)
    if isinstance(found, BiasAndScatter):
        assert found.predict_interval()[0] == pytest.approx([7.0, 7.0])
    for bad in (float("nan"), float("inf")):
        with pytest.raises(AggregationError, match="no number"):
            make().fit(answers({("t", "u"): bad}))
        with pytest.raises(AggregationError, match="no number"):
            make().fit(given, {"t": bad})


@pytest.mark.parametrize("make", MODELS)
def test_one_answer_and_answers_that_are_all_the_same_stand(make: type[AnswerEstimator[float]]) -> None:
    assert make().fit(answers({("t", "u"): 3.0})).predict() == pytest.approx({"t": 3.0})
    same = make().fit(answers({(f"t{n}", worker): 5.0 for n in range(3) for worker in "uv"}))
    assert list(same.predict().values()) == pytest.approx([5.0] * 3)
