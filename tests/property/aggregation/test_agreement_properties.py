"""Invariants of agreement under every history of labels given and taken back."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation import AgreementCounts, Estimate, PairAgreement

TASKS, WORKERS, CLASSES = 5, 4, 3
LEVELS = ("nominal", "ordinal", "interval")

matrices = st.lists(
    st.lists(st.integers(0, 4), min_size=CLASSES, max_size=CLASSES), min_size=0, max_size=8
).map(lambda rows: np.array(rows, dtype=np.int64).reshape(-1, CLASSES))

histories = st.lists(
    st.tuples(st.integers(0, TASKS - 1), st.integers(0, WORKERS - 1), st.integers(0, CLASSES - 1)),
    max_size=60,
)
"""(task, worker, label): given if the worker has none on the task, else theirs is taken back."""


def all_of(agreement: AgreementCounts) -> list[Estimate | None]:
    alphas = [agreement.krippendorff_alpha(level) for level in LEVELS]
    return [*alphas, agreement.fleiss_kappa(), agreement.gwet_ac(), agreement.gwet_ac("linear")]


def assert_same(ours: list[Estimate | None], theirs: list[Estimate | None], tolerance: float = 1e-9) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_allclose(
                [one.value, one.lower, one.upper], [other.value, other.lower, other.upper], atol=tolerance
            )


@given(histories)
def test_label_by_label_equals_counting_anew(history: list[tuple[int, int, int]]) -> None:
    agreement, pairs = AgreementCounts(CLASSES), PairAgreement(CLASSES)
    given_now: dict[tuple[int, int], int] = {}
    for task, worker, label in history:
        if (task, worker) in given_now:
            agreement.remove(task, given_now.pop((task, worker)))
            pairs.remove(task, worker)
        else:
            given_now[task, worker] = label
            agreement.add(task, label)
            pairs.add(task, worker, label)
    counts = np.zeros((TASKS, CLASSES), dtype=np.int64)
    for (task, _), label in given_now.items():
        counts[task, label] += 1
    assert_same(all_of(agreement), all_of(AgreementCounts.from_counts(counts)), 0.0)
    for first, second in itertools.combinations(range(WORKERS), 2):
        table = np.zeros((CLASSES, CLASSES), dtype=np.int64)
        for task in range(TASKS):
            if (task, first) in given_now and (task, second) in given_now:
                table[given_now[task, first], given_now[task, second]] += 1
        np.testing.assert_array_equal(pairs.table(first, second), table)


@given(matrices, st.integers(0, 9))
def test_the_order_of_tasks_does_not_matter(counts: np.ndarray, seed: int) -> None:
    shuffled = counts[np.random.default_rng(seed).permutation(len(counts))]
    assert_same(all_of(AgreementCounts.from_counts(counts)), all_of(AgreementCounts.from_counts(shuffled)))


@given(matrices, st.permutations(range(CLASSES)))
def test_other_names_for_the_labels_change_nothing_nominal(counts: np.ndarray, names: list[int]) -> None:
    one, other = AgreementCounts.from_counts(counts), AgreementCounts.from_counts(counts[:, names])
    assert_same(
        [one.krippendorff_alpha(), one.fleiss_kappa(), one.gwet_ac()],
        [other.krippendorff_alpha(), other.fleiss_kappa(), other.gwet_ac()],
    )


@given(matrices, st.floats(0.1, 50.0), st.floats(-50.0, 50.0))
def test_another_unit_changes_nothing_of_numbers(counts: np.ndarray, scale: float, shift: float) -> None:
    agreement = AgreementCounts.from_counts(counts)
    values = [scale * k + shift for k in range(CLASSES)]
    assert_same(
        [agreement.krippendorff_alpha("interval"), agreement.gwet_ac("quadratic")],
        [agreement.krippendorff_alpha("interval", values), agreement.gwet_ac("quadratic", values)],
        1e-6,
    )


@given(matrices)
def test_every_estimate_is_finite_and_lies_in_its_interval(counts: np.ndarray) -> None:
    for estimate in all_of(AgreementCounts.from_counts(counts)):
        if estimate is not None:
            assert np.isfinite([estimate.value, estimate.lower, estimate.upper]).all()
            assert estimate.lower <= estimate.value <= estimate.upper <= 1.0


@given(matrices)
def test_agreement_is_one_when_no_task_has_two_different_labels(counts: np.ndarray) -> None:
    alike = np.where(counts == counts.max(axis=1, keepdims=True, initial=0), counts, 0)
    alike[np.cumsum(alike > 0, axis=1) > 1] = 0
    for estimate in all_of(AgreementCounts.from_counts(alike)):
        assert estimate is None or abs(estimate.value - 1.0) < 1e-12
