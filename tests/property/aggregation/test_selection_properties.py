"""Invariants of held-out likelihood, of subtypes and of the choice: permutations, other names, small sets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdroute.aggregation import AnnotationSet, MajorityVote, SmoothedDawidSkene, peer_agreement
from crowdroute.aggregation.held_out import held_out_log_likelihood, splits
from crowdroute.aggregation.models import AUTO_MODELS
from crowdroute.aggregation.selection import select_model
from crowdroute.aggregation.subtypes import SubtypeBCC

TASKS, WORKERS, CLASSES = 6, 5, 3

triples = st.lists(
    st.tuples(st.integers(0, TASKS - 1), st.integers(0, WORKERS - 1), st.integers(0, CLASSES - 1)),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[:2],
)


def set_of(rows: list[tuple[int, int, int]]) -> AnnotationSet:
    tasks, workers, labels = (list(column) for column in zip(*rows, strict=True))
    return AnnotationSet.from_sequences(tasks, workers, labels, label_ids=range(CLASSES))


@settings(max_examples=30)
@given(triples)
def test_a_choice_is_always_made_and_all_its_numbers_are_finite(rows: list[tuple[int, int, int]]) -> None:
    selection, model = select_model(set_of(rows), AUTO_MODELS, {rows[0][0]: rows[0][2]})
    assert selection.chosen in AUTO_MODELS
    assert np.isfinite(model.predict_proba()).all()
    for one in selection.candidates:
        assert np.isfinite([one.log_likelihood, one.gain.value, one.gain.lower, one.gain.upper]).all()
        assert one.log_likelihood <= 0.0
        assert one.gain.lower <= one.gain.value <= one.gain.upper


@settings(max_examples=30)
@given(triples, st.permutations(range(CLASSES)))
def test_other_names_for_labels_change_no_likelihood(
    rows: list[tuple[int, int, int]], names: list[int]
) -> None:
    if len(rows) < 2:
        return
    one, other = set_of(rows), set_of([(task, worker, names[label]) for task, worker, label in rows])
    told = [
        held_out_log_likelihood(annotations, SmoothedDawidSkene, splits(annotations))
        for annotations in (one, other)
    ]
    np.testing.assert_allclose(told[0], told[1], atol=1e-6)


@settings(max_examples=30)
@given(triples, st.integers(0, 9))
def test_the_order_of_annotations_does_not_matter_to_one_subtype_nor_to_peers(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    one, other = set_of(rows), set_of(shuffled)
    posteriors = []
    agreements = []
    for annotations in (one, other):
        model = SubtypeBCC(subtypes=1).fit(annotations)
        posteriors.append(dict(zip(model.task_ids_, model.posteriors_.tolist(), strict=True)))
        smoothed = SmoothedDawidSkene().fit(annotations)
        peers = peer_agreement(annotations, smoothed.confusion_, smoothed.class_shares_)
        agreements.append(dict(zip(annotations.worker_ids, peers.agreement.tolist(), strict=True)))
    for task, row in posteriors[0].items():
        np.testing.assert_allclose(row, posteriors[1][task], atol=1e-6)
    for worker, agreement in agreements[0].items():
        np.testing.assert_allclose(agreement, agreements[1][worker], atol=1e-4)


@settings(max_examples=40)
@given(triples, st.integers(0, 99))
def test_neither_order_nor_names_change_what_subtypes_find(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    generator = np.random.default_rng(seed)
    tasks, workers, classes = (generator.permutation(n).tolist() for n in (TASKS, WORKERS, CLASSES))
    renamed = [
        (tasks[task], workers[worker], classes[label])
        for task, worker, label in (rows[place] for place in generator.permutation(len(rows)))
    ]
    one, other = (SubtypeBCC(restarts=2, n_iter=15, tol=1e-3).fit(set_of(some)) for some in (rows, renamed))
    row_of = {task: row for row, task in enumerate(other.task_ids_)}
    again = other.posteriors_[[row_of[tasks[int(task)]] for task in one.task_ids_]][:, classes]
    np.testing.assert_allclose(one.posteriors_, again, rtol=0.0, atol=1e-9)


@settings(max_examples=30)
@given(triples)
def test_subtypes_of_any_small_set_are_probabilities_and_evidence_never_falls(
    rows: list[tuple[int, int, int]],
) -> None:
    annotations = set_of(rows)
    model = SubtypeBCC(restarts=2).fit(annotations)
    np.testing.assert_allclose(model.posteriors_.sum(axis=1), 1.0)
    assert model.evidence_ >= model.evidence_of_one_
    assert min(np.diff(model.loss_history_), default=0.0) > -1e-9
    assert np.isfinite(model.subtype_confusion_).all()


@settings(max_examples=30)
@given(triples)
def test_peers_agree_in_0_to_1_and_count_only_shared_labels(rows: list[tuple[int, int, int]]) -> None:
    annotations = set_of(rows)
    smoothed = SmoothedDawidSkene().fit(annotations)
    peers = peer_agreement(annotations, smoothed.confusion_, smoothed.class_shares_)
    assert ((peers.agreement >= 0.0) & (peers.agreement <= 1.0)).all()
    shared = np.bincount(annotations.tasks)[annotations.tasks] > 1
    assert peers.labels.sum() == np.count_nonzero(shared)
    np.testing.assert_allclose(
        peers.confusion_counts.sum(axis=1).sum(axis=0), np.bincount(annotations.labels, minlength=CLASSES)
    )


def test_the_likelihood_of_votes_is_that_of_every_annotation_once() -> None:
    annotations = set_of([(task, worker, (task + worker) % 3) for task in range(6) for worker in range(5)])
    told = held_out_log_likelihood(annotations, MajorityVote, splits(annotations))
    assert told.shape == (30,)
    assert (told < 0.0).all()
