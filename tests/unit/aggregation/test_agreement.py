"""Agreement beside its oracles: the krippendorff package, statsmodels, and worked examples."""

import krippendorff
import numpy as np
import pytest
from statsmodels.stats import inter_rater

from crowdroute.aggregation import AgreementCounts, AnnotationSet
from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError


def random_counts(seed: int, tasks: int = 200, classes: int = 4, most: int = 6) -> np.ndarray:
    """Tasks of zero to ``most`` labels that agree more than chance."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((tasks, classes), dtype=np.int64)
    for row in counts:
        truth = rng.integers(classes)
        for _ in range(rng.integers(most + 1)):
            row[truth if rng.random() < 0.6 else rng.integers(classes)] += 1
    return counts


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(4))
def test_alpha_is_that_of_the_krippendorff_package(level: str, seed: int) -> None:
    counts = random_counts(seed, classes=2 + seed)
    found = AgreementCounts.from_counts(counts).krippendorff_alpha(level)
    assert found is not None
    kept = counts[counts.sum(axis=1) > 0]
    expected = krippendorff.alpha(value_counts=kept, level_of_measurement=level)
    assert found.value == pytest.approx(expected, abs=1e-12)


def test_alpha_takes_the_numbers_that_labels_stand_for() -> None:
    counts = random_counts(7, classes=3)
    counts = counts[counts.sum(axis=1) > 0]
    found = AgreementCounts.from_counts(counts).krippendorff_alpha("interval", [0.0, 1.0, 10.0])
    assert found is not None
    expected = krippendorff.alpha(
        value_counts=counts, value_domain=[0.0, 1.0, 10.0], level_of_measurement="interval"
    )
    assert found.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_kappa_is_that_of_statsmodels_where_every_task_has_as_many_labels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = np.vstack([rng.dirichlet([0.5] * 4) for _ in range(80)])
    counts = np.vstack([rng.multinomial(5, row) for row in shares])
    found = AgreementCounts.from_counts(counts).fleiss_kappa()
    assert found is not None
    assert found.value == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-12)


def test_fleiss_own_example_gives_his_figure() -> None:
    # Fleiss (1971), as reprinted widely: 10 subjects, 14 raters, 5 categories, kappa .210.
    counts = np.array(
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ]
    )  # fmt: skip
    found = AgreementCounts.from_counts(counts).fleiss_kappa()
    assert found is not None
    assert found.value == pytest.approx(0.210, abs=5e-4)


def test_ac1_stays_high_where_kappa_collapses() -> None:
    # 118 times both say no, 7 times they differ: raw agreement .944 (Gwet's paradox).
    counts = np.array([[2, 0]] * 118 + [[1, 1]] * 7)
    agreement = AgreementCounts.from_counts(counts)
    kappa, ac1 = agreement.fleiss_kappa(), agreement.gwet_ac()
    assert kappa is not None
    assert ac1 is not None
    assert kappa.value < 0.0
    # By hand: p_a = 118/125, pi = 243/250 and 7/250, p_e = 2 pi (1 - pi).
    chance = 2 * (243 / 250) * (7 / 250)
    assert ac1.value == pytest.approx((118 / 125 - chance) / (1 - chance), abs=1e-12)


def test_ac2_with_weights_is_the_formula_written_out() -> None:
    counts = random_counts(11, tasks=40, classes=3)
    weights = np.array([[1.0, 0.75, 0.0], [0.75, 1.0, 0.75], [0.0, 0.75, 1.0]])
    agreed, shares = [], []
    for row in counts:
        m = row.sum()
        if m >= 1:
            shares.append(row / m)
        if m >= 2:
            pairs = sum(row[k] * (weights[k] @ row - 1.0) for k in range(3))
            agreed.append(pairs / (m * (m - 1)))
    pi = np.mean(shares, axis=0)
    chance = weights.sum() / 6 * (pi * (1 - pi)).sum()
    found = AgreementCounts.from_counts(counts).gwet_ac("quadratic")
    assert found is not None
    assert found.value == pytest.approx((np.mean(agreed) - chance) / (1 - chance), abs=1e-12)


def test_the_interval_holds_the_true_agreement_about_as_often_as_it_says() -> None:
    # The value for very many tasks is the truth; samples of 150 tasks must cover it.
    rng = np.random.default_rng(3)

    def sample(tasks: int) -> AgreementCounts:
        truth = rng.integers(3, size=tasks)
        right = rng.random((tasks, 4)) < 0.7
        labels = np.where(right, truth[:, np.newaxis], rng.integers(3, size=(tasks, 4)))
        return AgreementCounts.from_counts((labels[:, :, np.newaxis] == np.arange(3)).sum(axis=1))

    whole = sample(400_000).krippendorff_alpha(confidence=None)
    assert whole is not None
    covered = 0
    for _ in range(300):
        found = sample(150).krippendorff_alpha()
        assert found is not None
        covered += found.lower <= whole.value <= found.upper
    assert 0.91 <= covered / 300 <= 0.985


def test_what_cannot_be_known_is_none_and_never_a_number() -> None:
    nothing = AgreementCounts(3)
    assert nothing.krippendorff_alpha() is nothing.fleiss_kappa() is nothing.gwet_ac() is None
    single = AgreementCounts.from_counts(np.array([[1, 0], [0, 1]]))
    assert single.krippendorff_alpha() is single.fleiss_kappa() is single.gwet_ac() is None
    unanimous = AgreementCounts.from_counts(np.array([[3, 0], [2, 0]]))
    assert unanimous.krippendorff_alpha() is unanimous.fleiss_kappa() is None
    agreed = unanimous.gwet_ac()
    assert agreed is not None
    assert agreed.value == 1.0


def test_one_task_that_alone_shows_a_second_label_leaves_the_interval_open() -> None:
    found = AgreementCounts.from_counts(np.array([[3, 0], [2, 0], [0, 2]])).krippendorff_alpha()
    assert found is not None
    assert (found.value, found.lower, found.upper) == (1.0, -1.0, 1.0)


def test_a_set_of_annotations_is_counted() -> None:
    annotations = AnnotationSet.from_sequences([1, 1, 2, 2], ["u", "v", "u", "v"], ["a", "a", "a", "b"])
    counted = AgreementCounts.from_annotations(annotations)
    assert counted.n_tasks == 2
    assert counted.disagreement().tolist() == [0.0, 1.0]


def test_wrong_use_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="at least one"):
        AgreementCounts(0)
    with pytest.raises(InvalidParameterError, match="whole"):
        AgreementCounts.from_counts(np.array([[0.5]]))
    with pytest.raises(InvalidParameterError, match="whole"):
        AgreementCounts.from_counts(np.array([[-1, 2]]))
    agreement = AgreementCounts.from_counts(np.array([[2, 1], [0, 3]]))
    with pytest.raises(InvalidParameterError, match="level"):
        agreement.krippendorff_alpha("ratio")  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match="weighting"):
        agreement.gwet_ac("cubic")  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match="finite number"):
        agreement.krippendorff_alpha("interval", [1.0])
    with pytest.raises(InvalidParameterError, match="confidence"):
        agreement.krippendorff_alpha(confidence=1.0)
    with pytest.raises(OutOfRangeError, match=r"labels are 0\.\.1"):
        agreement.add(0, 2)
    with pytest.raises(OutOfRangeError, match="take back"):
        agreement.remove(1, 0)
    with pytest.raises(OutOfRangeError, match="take back"):
        agreement.remove(5, 0)


def test_counts_that_were_given_are_not_changed_by_a_further_label() -> None:
    given = np.array([[2, 1], [0, 3]], dtype=np.int64)
    agreement = AgreementCounts.from_counts(given)
    agreement.add(0, 1)
    agreement.add(7, 0)
    assert given.tolist() == [[2, 1], [0, 3]]
    assert agreement.n_tasks == 2
