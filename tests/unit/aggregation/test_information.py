import numpy as np
import pytest

from crowdroute.aggregation.errors import OutOfRangeError
from crowdroute.aggregation.information import (
    fill_information,
    information_table,
    posterior_confidence,
    posterior_entropy,
    posterior_margin,
)


def test_a_perfect_worker_tells_all_that_is_unknown() -> None:
    cells = np.array([[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]])
    np.testing.assert_allclose(information_table(np.eye(2), cells), posterior_entropy(cells), atol=1e-12)


def test_a_worker_who_answers_alike_whatever_the_truth_tells_nothing() -> None:
    cells = np.array([[0.5, 0.5], [0.9, 0.1]])
    np.testing.assert_allclose(information_table(np.array([[0.3, 0.7], [0.3, 0.7]]), cells), 0.0, atol=1e-12)


def test_a_worker_who_always_inverts_is_as_informative_as_a_perfect_one() -> None:
    cells = np.array([[0.5, 0.5]])
    np.testing.assert_allclose(information_table(np.array([[0.0, 1.0], [1.0, 0.0]]), cells), 1.0)


def test_a_binary_channel_tells_one_bit_less_its_noise() -> None:
    noise = -(0.8 * np.log2(0.8) + 0.2 * np.log2(0.2))
    table = information_table(np.array([[0.8, 0.2], [0.2, 0.8]]), np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(table, 1.0 - noise)


def test_counts_are_normalised_by_their_sums_and_only_out_is_written() -> None:
    confusion = np.array([[[1.0, 1.0], [1.0, 1.0]], [[8.0, 2.0], [1.0, 4.0]]])
    row_sums = confusion.sum(axis=2)
    cells = np.array([[0.5, 0.5], [0.7, 0.3], [0.0, 1.0]])
    out = np.full(5, -1.0)
    fill_information(confusion, row_sums, 1, cells, out)
    np.testing.assert_allclose(out[:3], information_table(np.array([[0.8, 0.2], [0.2, 0.8]]), cells))
    assert out[3:].tolist() == [-1.0, -1.0]
    assert cells[2].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("matrix", "cells", "out"),
    [
        (1, np.ones((1, 2)), np.zeros(1)),
        (-1, np.ones((1, 2)), np.zeros(1)),
        (0, np.ones((1, 3)), np.zeros(1)),
        (0, np.ones((2, 2)), np.zeros(1)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(matrix: int, cells: np.ndarray, out: np.ndarray) -> None:
    with pytest.raises(OutOfRangeError):
        fill_information(np.ones((1, 2, 2)), np.full((1, 2), 2.0), matrix, cells, out)


def test_confidence_margin_and_entropy_of_posteriors() -> None:
    posteriors = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(posterior_confidence(posteriors), [0.7, 1.0, 1 / 3])
    np.testing.assert_allclose(posterior_margin(posteriors), [0.5, 1.0, 0.0])
    np.testing.assert_allclose(posterior_entropy(posteriors)[1:], [0.0, np.log2(3)], atol=1e-12)


def test_a_single_class_is_certain() -> None:
    assert posterior_margin(np.ones((2, 1))).tolist() == [1.0, 1.0]
    assert posterior_entropy(np.ones((2, 1))).tolist() == [0.0, 0.0]
    assert information_table(np.ones((1, 1)), np.ones((1, 1))).tolist() == [0.0]
