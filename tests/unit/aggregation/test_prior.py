import numpy as np
import pytest

from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.prior import ConfusionPrior


def test_two_classes_begin_with_four_right_labels_and_one_wrong() -> None:
    np.testing.assert_allclose(ConfusionPrior().matrix(2), [[4.0, 1.0], [1.0, 4.0]])


def test_three_classes_begin_with_five_right_labels_and_one_of_each_wrong() -> None:
    np.testing.assert_allclose(
        ConfusionPrior().matrix(3), [[5.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 5.0]]
    )


@pytest.mark.parametrize("n_classes", [4, 10, 1000])
def test_many_classes_never_make_the_prior_outweigh_ten_labels_per_truth(n_classes: int) -> None:
    counts = ConfusionPrior().matrix(n_classes)
    np.testing.assert_allclose(counts.sum(axis=1), 10.0)
    np.testing.assert_allclose(np.diag(counts) / 10.0, 5 / 7)


def test_one_class_needs_no_second() -> None:
    np.testing.assert_allclose(ConfusionPrior().matrix(1), [[5.0]])
    np.testing.assert_allclose(ConfusionPrior().pooled_matrix(np.array([[100.0]])), [[5.0]])


def test_strength_and_accuracy_can_be_chosen() -> None:
    np.testing.assert_allclose(
        ConfusionPrior(strength=10.0, accuracy=0.9).matrix(2), [[9.0, 1.0], [1.0, 9.0]]
    )


def test_an_empty_pool_leaves_the_prior_as_it_began() -> None:
    prior = ConfusionPrior()
    np.testing.assert_allclose(prior.pooled_matrix(np.zeros((4, 4))), prior.matrix(4))


def test_a_pool_moves_the_prior_towards_its_own_accuracy_but_keeps_the_strength() -> None:
    prior = ConfusionPrior()
    counts = prior.pooled_matrix(np.array([[5_000.0, 5_000.0], [5_000.0, 5_000.0]]))
    np.testing.assert_allclose(counts.sum(axis=1), 5.0)
    assert 0.5 < counts[0, 0] / 5.0 < 0.55


def test_a_pool_teaches_which_classes_are_confused() -> None:
    pool = np.full((3, 3), 10_000.0)
    pool[0] = [10_000.0, 19_000.0, 1_000.0]
    counts = ConfusionPrior().pooled_matrix(pool)
    assert counts[0, 1] > 5 * counts[0, 2]
    np.testing.assert_allclose(counts[1, 0], counts[1, 2])


def test_a_pool_worse_than_chance_is_not_taken_as_inverted() -> None:
    counts = ConfusionPrior().pooled_matrix(np.array([[0.0, 10.0], [10.0, 0.0]]) * 1e-3)
    assert counts[0, 0] > counts[0, 1]
    inverted = ConfusionPrior(pool_share=0.99).pooled_matrix(np.array([[0.0, 100.0], [100.0, 0.0]]))
    assert inverted[0, 0] / inverted[0].sum() >= 0.45


def test_no_entry_gets_near_zero_however_much_the_pool_agrees() -> None:
    counts = ConfusionPrior().pooled_matrix(np.eye(2) * 1e9)
    assert counts.min() >= 0.1 - 1e-12


def test_a_pool_share_of_zero_fixes_the_prior() -> None:
    prior = ConfusionPrior(pool_share=0.0)
    np.testing.assert_allclose(prior.pooled_matrix(np.eye(3) * 1e6), prior.matrix(3))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("strength", 0.0),
        ("strength", float("inf")),
        ("accuracy", 1.0),
        ("accuracy", float("nan")),
        ("pool_share", 1.0),
        ("pool_share", -0.1),
        ("class_count", 0.0),
    ],
)
def test_a_prior_that_could_reach_zero_is_refused(parameter: str, value: float) -> None:
    with pytest.raises(InvalidParameterError, match=f"prior {parameter} is"):
        ConfusionPrior(**{parameter: value})
