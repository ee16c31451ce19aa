"""Laws of the intervals from peers and gold."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdroute.workers.peers import fit_peer_prior

worker = st.tuples(st.floats(0.0, 1.0), st.integers(0, 10**6), st.integers(0, 200), st.integers(0, 200))
crowds = st.lists(worker, min_size=1, max_size=8)
"""(agreement, labels, right, wrong) per worker."""


def columns(crowd: list[tuple[float, int, int, int]]) -> tuple[np.ndarray, ...]:
    agreement, labels, right, wrong = (np.array(column) for column in zip(*crowd, strict=True))
    return agreement, labels, right, right + wrong


@settings(max_examples=60)
@given(crowds)
def test_every_interval_is_in_order_inside_0_to_1(crowd: list[tuple[float, int, int, int]]) -> None:
    arguments = columns(crowd)
    found = fit_peer_prior(*arguments).intervals(*arguments)
    for bounds in found:
        assert np.isfinite(bounds).all()
    assert ((found.lower >= 0.0) & (found.lower < found.upper) & (found.upper <= 1.0)).all()
    assert ((found.mean > 0.0) & (found.mean < 1.0)).all()


@settings(max_examples=40)
@given(crowds, st.integers(0, 9))
def test_the_order_of_workers_does_not_matter(crowd: list[tuple[float, int, int, int]], seed: int) -> None:
    arguments = columns(crowd)
    order = np.random.default_rng(seed).permutation(len(crowd))
    shuffled = tuple(column[order] for column in arguments)
    one = fit_peer_prior(*arguments).intervals(*arguments)
    other = fit_peer_prior(*shuffled).intervals(*shuffled)
    for bounds, moved in zip(one, other, strict=True):
        np.testing.assert_allclose(bounds[order], moved, atol=1e-12)


@settings(max_examples=60)
@given(crowds)
def test_a_right_answer_raises_and_a_wrong_one_lowers_under_one_prior(
    crowd: list[tuple[float, int, int, int]],
) -> None:
    agreement, labels, right, checked = columns(crowd)
    prior = fit_peer_prior(agreement, labels, right, checked)
    now = prior.intervals(agreement, labels, right, checked)
    better = prior.intervals(agreement, labels, right + 1, checked + 1)
    worse = prior.intervals(agreement, labels, right, checked + 1)
    assert (better.mean > now.mean).all()
    assert (worse.mean < now.mean).all()
    assert (better.lower >= now.lower).all()
    assert (worse.upper <= now.upper).all()
