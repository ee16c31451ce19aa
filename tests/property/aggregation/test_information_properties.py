"""Invariants of mutual information, whatever the worker and the posterior."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crowdroute.aggregation.information import information_table, posterior_entropy

CLASSES = 4


def distributions(rows: int) -> st.SearchStrategy[np.ndarray]:
    weights = arrays(np.float64, (rows, CLASSES), elements=st.floats(0.0, 1.0))
    return weights.map(lambda table: (table + 1e-6) / (table + 1e-6).sum(axis=1, keepdims=True))


@given(distributions(CLASSES), distributions(5))
def test_a_label_never_tells_less_than_nothing_nor_more_than_what_is_unknown(
    confusion: np.ndarray, cells: np.ndarray
) -> None:
    values = information_table(confusion, cells)
    assert (values >= 0.0).all()
    assert (values <= posterior_entropy(cells) + 1e-9).all()


@given(distributions(CLASSES), distributions(5))
def test_it_equals_the_divergence_of_the_joint_from_the_product(
    confusion: np.ndarray, cells: np.ndarray
) -> None:
    joint = cells[:, :, np.newaxis] * confusion[np.newaxis]
    product = cells[:, :, np.newaxis] * joint.sum(axis=1)[:, np.newaxis, :]
    expected = (joint * np.log2(joint / product)).sum(axis=(1, 2))
    np.testing.assert_allclose(information_table(confusion, cells), expected, atol=1e-9)


@given(distributions(CLASSES), distributions(CLASSES), distributions(5))
def test_labels_that_pass_through_a_second_worker_tell_no_more(
    confusion: np.ndarray, second: np.ndarray, cells: np.ndarray
) -> None:
    first = information_table(confusion, cells)
    assert (information_table(confusion @ second, cells) <= first + 1e-9).all()


@given(distributions(CLASSES), distributions(5), st.permutations(range(CLASSES)))
def test_renaming_what_the_worker_says_changes_nothing(
    confusion: np.ndarray, cells: np.ndarray, names: list[int]
) -> None:
    np.testing.assert_allclose(
        information_table(confusion[:, names], cells), information_table(confusion, cells), atol=1e-9
    )
