from hypothesis import given
from hypothesis import strategies as st

from crowdroute.workers.bonus import BonusBand, decide_bonus
from crowdroute.workers.ledger import Money
from crowdroute.workers.reliability import BetaPrior, accuracy_interval

COUNTS = st.integers(0, 2_000)
CONFIDENCES = st.floats(0.5, 0.999)


@given(COUNTS, COUNTS, CONFIDENCES)
def test_the_bounds_are_in_order_and_inside_0_to_1(right: int, wrong: int, confidence: float) -> None:
    interval = accuracy_interval(right, right + wrong, confidence)
    assert 0.0 < interval.lower < interval.upper < 1.0
    assert 0.0 < interval.mean < 1.0


@given(COUNTS, COUNTS)
def test_a_right_answer_raises_all_and_a_wrong_one_lowers_all(right: int, wrong: int) -> None:
    now = accuracy_interval(right, right + wrong)
    better = accuracy_interval(right + 1, right + wrong + 1)
    worse = accuracy_interval(right, right + wrong + 1)
    assert worse.lower < now.lower < better.lower
    assert worse.mean < now.mean < better.mean
    assert worse.upper < now.upper < better.upper


@given(COUNTS, COUNTS, CONFIDENCES, CONFIDENCES)
def test_more_confidence_makes_a_wider_interval(right: int, wrong: int, one: float, other: float) -> None:
    narrow = accuracy_interval(right, right + wrong, min(one, other))
    wide = accuracy_interval(right, right + wrong, max(one, other))
    assert wide.lower <= narrow.lower
    assert narrow.upper <= wide.upper


@given(COUNTS, COUNTS, st.floats(0.5, 50.0), st.floats(0.5, 50.0))
def test_right_and_wrong_are_mirror_images(right: int, wrong: int, a: float, b: float) -> None:
    one = accuracy_interval(right, right + wrong, prior=BetaPrior(a, b))
    other = accuracy_interval(wrong, right + wrong, prior=BetaPrior(b, a))
    assert abs(one.lower - (1.0 - other.upper)) < 1e-12
    assert abs(one.upper - (1.0 - other.lower)) < 1e-12


@given(
    st.integers(0, 200), st.integers(0, 200), st.integers(1, 200), st.lists(st.floats(0.01, 1.0), min_size=1)
)
def test_a_right_answer_never_lowers_a_bonus(right: int, wrong: int, least: int, bounds: list[float]) -> None:
    bands = tuple(
        BonusBand(bound, Money(1_000 + rank, "EUR")) for rank, bound in enumerate(sorted(set(bounds)))
    )
    before = decide_bonus(accuracy_interval(right, right + wrong), bands, least)
    after = decide_bonus(accuracy_interval(right + 1, right + 1 + wrong), bands, least)
    assert before.amount.micros <= after.amount.micros
    assert (before.amount.micros > 0) == (before.band is not None)
    if before.band is not None:
        assert before.interval.lower >= before.band.lower_bound
        assert before.interval.count >= least
