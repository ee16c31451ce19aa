import numpy as np
import pytest

from crowdroute.aggregation import StreamingDawidSkene
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError, NotFittedError


def crowd(seed: int = 0) -> list[tuple[int, str, str]]:
    """Annotations of 200 tasks by five of eight workers each, in random order."""
    rng = np.random.default_rng(seed)
    rows = []
    for task in range(200):
        for worker in rng.choice(8, 5, replace=False):
            right = rng.random() < 0.5 + worker / 18
            rows.append((task, f"w{worker}", "no" if (task % 2 == 0) == right else "yes"))
    return [rows[place] for place in rng.permutation(len(rows))]


def streamed(rows: list[tuple[int, str, str]]) -> StreamingDawidSkene:
    model = StreamingDawidSkene(["yes", "no"])
    for row in rows:
        model.partial_fit(*row)
    return model


def test_label_by_label_is_near_the_batch_model_and_a_refit_is_nearer() -> None:
    model = streamed(crowd())
    before = model.gap_to_batch()
    after = model.refit().gap_to_batch()
    assert after < before < 0.1
    assert after < 0.02
    right = [label == ("no" if task % 2 == 0 else "yes") for task, label in model.predict().items()]
    assert np.mean(right) > 0.85


def test_a_withdrawn_annotation_leaves_nothing_in_its_workers_counts() -> None:
    rows = crowd()
    model = streamed(rows).partial_fit(0, "late", "yes").withdraw(0, "late")
    row = model.worker_ids_.index("late")
    np.testing.assert_allclose(model.model_.confusion[row], model.model_.prior_counts, atol=1e-12)
    assert len(rows) == sum(len(given) for given in model._given)


def test_a_second_annotation_replaces_the_first() -> None:
    once = streamed([(1, "u", "no"), (1, "v", "yes")])
    twice = streamed([(1, "u", "yes"), (1, "v", "yes")]).partial_fit(1, "u", "no")
    row = once.worker_ids_.index("u")
    np.testing.assert_allclose(twice.model_.row_sums[row], once.model_.row_sums[row], atol=0.2)
    assert twice.predict_proba()[0, 0] == pytest.approx(once.predict_proba()[0, 0], abs=1e-9)


def test_a_task_without_annotations_left_is_open_again() -> None:
    model = streamed([(1, "u", "no")]).withdraw(1, "u")
    np.testing.assert_array_equal(model.predict_proba(), [[0.5, 0.5]])
    with pytest.raises(NotFittedError, match="call partial_fit first"):
        model.gap_to_batch()


def test_what_is_not_known_is_refused_and_changes_nothing() -> None:
    model = streamed([(1, "u", "no")])
    before = model.predict_proba()
    with pytest.raises(InvalidAnnotationsError, match="'maybe' is not among"):
        model.partial_fit(2, "u", "maybe")
    with pytest.raises(InvalidAnnotationsError, match="no annotation on task 7"):
        model.withdraw(7, "u")
    with pytest.raises(InvalidParameterError, match="sweeps is 0"):
        model.refit(0)
    with pytest.raises(InvalidAnnotationsError, match="no labels"):
        StreamingDawidSkene([])
    assert model.task_ids_ == (1,)
    np.testing.assert_array_equal(model.predict_proba(), before)


def test_a_worker_who_turned_bad_is_found_by_who_forgets() -> None:
    rng = np.random.default_rng(1)
    lasting, forgetting = (StreamingDawidSkene(["no", "yes"], half_life=each) for each in (np.inf, 400.0))
    for task in range(600):
        for worker in range(5):
            good = worker > 0 or task < 400
            label = "yes" if rng.random() < (0.9 if good else 0.3) else "no"
            for model in (lasting, forgetting):
                model.partial_fit(task, worker, label)

    def accuracy(model: StreamingDawidSkene) -> float:
        model.advance(model.model_.forgetting.now)
        return float(model.model_.confusion[0, 1, 1] / model.model_.row_sums[0, 1])

    assert accuracy(lasting) > 0.6
    assert accuracy(forgetting) < 0.45


def test_time_that_passes_leaves_the_prior() -> None:
    model = StreamingDawidSkene(["no", "yes"], half_life=2.0)
    for task in range(20):
        model.partial_fit(task, "u", "yes", moment=0.0).partial_fit(task, "v", "yes", moment=0.0)
    learnt = model.model_.row_sums[0] - model.model_.prior_counts.sum(axis=1)
    model.advance(2.0)
    left = model.model_.row_sums[0] - model.model_.prior_counts.sum(axis=1)
    np.testing.assert_allclose(left, learnt / 2)
    model.advance(1e6)
    np.testing.assert_allclose(model.model_.confusion[0], model.model_.prior_counts, atol=1e-12)
    assert np.isfinite(model.predict_proba()).all()


def test_gold_in_the_stream_is_certain_and_teaches_what_its_workers_do() -> None:
    model = StreamingDawidSkene(["no", "yes"])
    for task in range(10):
        truth, other = ("yes", "no") if task % 2 == 0 else ("no", "yes")
        model.partial_fit(task, "honest", truth).partial_fit(task, "liar", other).set_gold(task, truth)
    model.partial_fit("open", "honest", "no").partial_fit("open", "liar", "yes")
    assert model.predict()["open"] == "no"
    np.testing.assert_array_equal(model.predict_proba()[0], [0.0, 1.0])
    assert model.refit().gap_to_batch() < 0.01
    before = model.predict_proba()
    model.set_gold("unseen", "no")
    assert model.predict()["unseen"] == "no"
    model.set_gold("unseen", None)
    np.testing.assert_array_equal(model.predict_proba()[-1], [0.5, 0.5])
    np.testing.assert_array_equal(model.predict_proba()[:-1], before)
    with pytest.raises(InvalidAnnotationsError, match="'maybe' is not among"):
        model.set_gold(0, "maybe")


def test_a_rebuilt_model_remembers_gold_and_moments() -> None:
    model = StreamingDawidSkene(["no", "yes"], half_life=3.0)
    model.partial_fit("t", "u", "yes", 5.0).partial_fit("s", "u", "no", 4.0).set_gold("s", "no")
    model.partial_fit("t", "v", "no", 9.0).withdraw("t", "v").set_gold("t", "no").set_gold("t", None)
    expected = StreamingDawidSkene(["no", "yes"], half_life=3.0)
    expected.partial_fit("t", "u", "yes", 5.0).partial_fit("s", "u", "no", 4.0).set_gold("s", "no")
    model.rebuild()
    assert model.worker_ids_ == ("u",)
    np.testing.assert_array_equal(model.predict_proba(), expected.predict_proba())
    np.testing.assert_array_equal(model.model_.confusion, expected.model_.confusion)
