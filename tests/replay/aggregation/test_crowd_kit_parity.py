"""Our batch models beside crowd-kit's on every recorded crowd of single-choice labels."""

from collections.abc import Callable

import numpy as np
import pytest

from crowdroute.aggregation import (
    AnnotationSet,
    DawidSkene,
    MajorityVote,
    OneCoinDawidSkene,
    Wawa,
    ZeroBasedSkill,
)
from crowdroute.aggregation.reference import CrowdKitReference

CROWDS = [
    "adult2",
    "barzan",
    "bluebird",
    "d_possent",
    "ducks",
    "fact_eval",
    "music_genre",
    "person_video",
    "quiz_english",
    "quiz_medicine",
    "quiz_science",
    "rte",
    "s_rel",
    "sentiment_sp",
    "sentiment_sp_amt",
    "weather_amt",
    "wsd",
    "zencrowd_us",
]

Read = Callable[[str], tuple[AnnotationSet, dict[str, str]]]


def assert_equal(ours: DawidSkene, theirs: CrowdKitReference) -> None:
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_history_, theirs.loss_history_, rtol=0.0, atol=1e-9)
    np.testing.assert_allclose(ours.posteriors_, theirs.posteriors_, rtol=0.0, atol=1e-9)
    # crowd-kit leaves a label out that a worker never gave, keeps (label, truth) the other way round, and has
    # the truths in no particular order.
    classes = range(len(ours.label_ids_))
    errors = theirs.model_.errors_[list(classes)]
    worker, label = errors.index.get_level_values("worker"), errors.index.get_level_values("label")
    np.testing.assert_allclose(ours.confusion_[worker, :, label], errors.to_numpy(), rtol=0.0, atol=1e-9)
    np.testing.assert_allclose(ours.class_shares_, theirs.model_.priors_[classes], rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("name", CROWDS)
def test_dawid_skene_equals_crowd_kits_in_as_many_iterations(crowd: Read, name: str) -> None:
    annotations, _ = crowd(name)
    assert_equal(DawidSkene().fit(annotations), CrowdKitReference().fit(annotations))


@pytest.mark.parametrize("name", [name for name in CROWDS if name != "person_video"])
def test_dawid_skene_with_gold_equals_crowd_kits_in_as_many_iterations(crowd: Read, name: str) -> None:
    annotations, gold = crowd(name)
    half = dict(list(gold.items())[::2])
    assert half
    assert_equal(DawidSkene().fit(annotations, half), CrowdKitReference().fit(annotations, half))


@pytest.mark.parametrize("name", CROWDS)
def test_votes_are_counted_and_ties_broken_as_crowd_kit_does(crowd: Read, name: str) -> None:
    annotations, _ = crowd(name)
    ours = MajorityVote().fit(annotations)
    theirs = CrowdKitReference("MajorityVote").fit(annotations)
    np.testing.assert_allclose(ours.posteriors_, theirs.posteriors_, rtol=0.0, atol=1e-12)
    assert ours.predict() == theirs.predict()


# It takes no gold.
@pytest.mark.parametrize("name", CROWDS)
def test_one_coin_equals_crowd_kits_in_as_many_iterations(crowd: Read, name: str) -> None:
    annotations, _ = crowd(name)
    ours = OneCoinDawidSkene().fit(annotations)
    theirs = CrowdKitReference("OneCoinDawidSkene").fit(annotations)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_history_, theirs.loss_history_, rtol=0.0, atol=1e-9)
    np.testing.assert_allclose(ours.posteriors_, theirs.posteriors_, rtol=0.0, atol=1e-9)
    skills = theirs.model_.skills_[range(annotations.n_workers)]
    np.testing.assert_allclose(ours.skills_, skills, rtol=0.0, atol=1e-9)


# Where its first vote is tied, crowd-kit takes a label by the order of columns that pandas happens to give.
@pytest.mark.parametrize("name", CROWDS)
def test_wawa_equals_crowd_kits_where_the_first_vote_is_not_tied(crowd: Read, name: str) -> None:
    whole, _ = crowd(name)
    annotations = whole.select(~MajorityVote().fit(whole).ties_[whole.tasks])
    ours, theirs = Wawa().fit(annotations), CrowdKitReference("Wawa").fit(annotations)
    np.testing.assert_allclose(ours.posteriors_, theirs.posteriors_, rtol=0.0, atol=1e-12)
    likeliest = theirs.posteriors_.argmax(axis=1)
    assert (ours.posteriors_.argmax(axis=1) == likeliest)[~ours.ties_].all()


@pytest.mark.parametrize("name", CROWDS)
def test_zero_based_skill_equals_crowd_kits(crowd: Read, name: str) -> None:
    annotations, _ = crowd(name)
    ours, theirs = ZeroBasedSkill().fit(annotations), CrowdKitReference("ZeroBasedSkill").fit(annotations)
    np.testing.assert_allclose(ours.posteriors_, theirs.posteriors_, rtol=0.0, atol=1e-12)
