"""The choice of a model and the held-out likelihood it rests on."""

from collections.abc import Callable

import numpy as np
import pytest

from crowdroute.aggregation import AnnotationSet, DawidSkene, MajorityVote, SmoothedDawidSkene
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.foretelling import Foretelling
from crowdroute.aggregation.held_out import foretold, held_out_log_likelihood, splits
from crowdroute.aggregation.models import AUTO_MODELS, candidates_for
from crowdroute.aggregation.selection import Evidence, Policy, choose, fits, right_on, select_model
from crowdroute.aggregation.subsets import some_tasks, subset

MODELS: dict[str, Callable[[], MajorityVote | SmoothedDawidSkene | DawidSkene]] = {
    "votes": MajorityVote,
    "smoothed": SmoothedDawidSkene,
}


def crowd(accuracies: list[float], tasks: int = 300, seed: int = 0) -> tuple[AnnotationSet, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=tasks)
    labels = np.where(
        rng.random((tasks, len(accuracies))) < accuracies, truth[:, np.newaxis], 1 - truth[:, np.newaxis]
    )
    task, worker = np.divmod(np.arange(labels.size), len(accuracies))
    return AnnotationSet.from_sequences(task, worker, labels.ravel(), label_ids=range(2)), truth


def test_every_annotation_is_hidden_once_and_tasks_keep_what_they_can() -> None:
    annotations, _ = crowd([0.8] * 5, tasks=40)
    parts = splits(annotations)
    assert np.sort(np.concatenate([part.places for part in parts])).tolist() == list(range(200))
    for part in parts:
        assert len(part.kept) + len(part.places) == 200
        # Five labels in five folds: each fold hides one of each task.
        assert np.bincount(annotations.tasks[part.places], minlength=40).tolist() == [1] * 40


def test_the_probability_of_a_hidden_label_is_the_formula_written_out() -> None:
    annotations, _ = crowd([0.9, 0.7, 0.6], tasks=12)
    part = splits(annotations)[0]
    posteriors = SmoothedDawidSkene().fit(part.kept).posteriors_
    told = foretold(part, posteriors)
    assert ((told > 0.0) & (told <= 1.0)).all()
    both = [
        foretold(part._replace(labels=np.full(len(told), label, np.int32)), posteriors) for label in (0, 1)
    ]
    np.testing.assert_allclose(both[0] + both[1], 1.0, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in AUTO_MODELS if name != "majority-vote"])
def test_what_a_model_foretells_of_all_labels_together_is_certain(name: str) -> None:
    annotations, _ = crowd([0.9, 0.7, 0.6], tasks=12)
    part = splits(annotations)[0]
    model = AUTO_MODELS[name]().fit(part.kept)
    assert isinstance(model, Foretelling)
    tasks, workers = np.append(part.tasks, [-1, 0]), np.append(part.workers, [0, -1])
    both = [model.foretell(tasks, workers, np.full(len(tasks), label, dtype=np.int32)) for label in (0, 1)]
    assert min(both[0].min(), both[1].min()) > 0.0
    np.testing.assert_allclose(both[0] + both[1], 1.0, atol=1e-9)


def test_a_good_worker_is_foretold_better_than_one_who_guesses() -> None:
    annotations, truth = crowd([0.97, 0.95, 0.9, 0.5, 0.5])
    for name in ("mace", "smoothed-dawid-skene", "subtype-bcc"):
        model = AUTO_MODELS[name]().fit(annotations)
        assert isinstance(model, Foretelling)
        tasks = np.arange(annotations.n_tasks)
        truths = np.array([truth[int(task)] for task in annotations.task_ids], dtype=np.int32)
        good, guessing = (model.foretell(tasks, np.full(len(tasks), w), truths).mean() for w in (0, 4))
        assert good > 0.9
        assert guessing < 0.6


def test_workers_and_tasks_of_whom_nothing_is_kept_are_foretold_from_the_crowd() -> None:
    annotations = AnnotationSet.from_sequences(
        ["t", "t", "s"], ["u", "v", "w"], ["a", "b", "a"], label_ids=["a", "b", "c"]
    )
    told = held_out_log_likelihood(annotations, MajorityVote, splits(annotations))
    assert np.isfinite(told).all()
    with pytest.raises(InvalidParameterError, match="at least 2"):
        splits(AnnotationSet.from_sequences(["t"], ["u"], ["a"]))


def test_where_workers_differ_a_model_that_weighs_them_is_chosen() -> None:
    annotations, truth = crowd([0.97, 0.95, 0.5, 0.5, 0.5, 0.5, 0.5])
    selection, fitted = select_model(annotations, MODELS)
    assert selection.chosen == "smoothed"
    assert "foretells hidden labels best" in selection.reason
    assert np.mean(fitted.predict_proba().argmax(axis=1) == truth) > 0.9
    votes, smoothed = selection.candidates
    assert (votes.gain.value, votes.gain.lower, votes.gain.upper) == (0.0, 0.0, 0.0)
    assert smoothed.gain.lower > 0.0
    assert smoothed.accuracy is None


def evidence(
    name: str, told: float, right: list[float], overruled: int = 1, confuses: bool = True, factor: float = 0.0
) -> Evidence:
    return Evidence(name, np.full(100, told), np.array(right), overruled, confuses, factor)


TASKS = np.repeat(np.arange(20, dtype=np.int32), 5)
VOTES = evidence("votes", -0.5, [], 0, confuses=False)


def test_confusion_matrices_overrule_majorities_only_with_proof_for_each() -> None:
    # A gain of 0.02 nats per label is 2 nats in all: 0.2 for each of ten tasks, 1 for each of two.
    many, few = (evidence("rich", -0.48, [], overruled) for overruled in (10, 2))
    kept = choose((VOTES, many), TASKS, Policy(proof=0.5))
    assert kept.chosen == "votes"
    assert "rich foretells hidden labels better than votes by 0.20 nats per task" in kept.reason
    assert choose((VOTES, few), TASKS, Policy(proof=0.5)).chosen == "rich"
    assert choose((VOTES, many), TASKS, Policy(proof=0.1)).chosen == "rich"
    changes_nothing = evidence("rich", -0.499, [], overruled=0)
    assert choose((VOTES, changes_nothing), TASKS, Policy(proof=0.5)).chosen == "rich"


def test_every_model_with_confusion_matrices_must_bring_the_proof() -> None:
    doubtful, sure = evidence("doubtful", -0.499, [], 10), evidence("sure", -0.3, [], 10)
    assert choose((VOTES, doubtful, sure), TASKS).chosen == "votes"
    assert choose((VOTES, sure), TASKS).chosen == "sure"


def test_without_proof_the_best_model_without_confusion_matrices_is_taken() -> None:
    doubtful = evidence("doubtful", -0.49, [], 10)
    good, bad = (
        evidence(name, told, [], 10, confuses=False) for name, told in (("good", -0.6), ("bad", -0.7))
    )
    chosen = choose((VOTES, bad, good, doubtful), TASKS)
    assert chosen.chosen == "good"
    assert "too little proof" in chosen.reason


def test_a_model_in_which_a_label_never_counts_against_itself_needs_no_proof() -> None:
    plain = evidence("plain", -0.52, [], 10, confuses=False)
    chosen = choose((VOTES, plain, evidence("rich", -0.6, [], 10)), TASKS)
    assert chosen.chosen == "plain"
    assert "foretells hidden labels best of those that weigh workers" in chosen.reason


def test_strong_evidence_for_subtypes_decides_among_confusion_matrices_only() -> None:
    rich = evidence("rich", -0.30, [])
    weak, strong = (evidence("split", -0.31, [], factor=factor) for factor in (4.9, 5.1))
    assert choose((VOTES, rich, weak), TASKS).chosen == "rich"
    chosen = choose((VOTES, rich, strong), TASKS)
    assert chosen.chosen == "split"
    assert "classes have subtypes here" in chosen.reason
    plain = evidence("plain", -0.29, [], confuses=False)
    assert choose((VOTES, plain, rich, strong), TASKS).chosen == "plain"


def test_gold_overrules_what_foretells_well() -> None:
    good, bad = [1.0] * 40, [1.0] * 20 + [0.0] * 20
    chosen = choose((evidence("votes", -0.9, good), evidence("rich", -0.5, bad)), TASKS)
    assert chosen.chosen == "votes"
    assert "on 40 gold tasks it is right more often than rich, the choice without gold" in chosen.reason
    alike = choose((evidence("votes", -0.9, good), evidence("rich", -0.5, good)), TASKS)
    assert alike.chosen == "rich"
    assert "none is right more often beyond chance" in alike.reason


def test_the_choice_and_its_probabilities_do_not_follow_the_order_of_annotations() -> None:
    annotations, _ = crowd([0.95, 0.9, 0.6, 0.6, 0.55], tasks=60)
    shuffled = annotations.select(np.random.default_rng(1).permutation(len(annotations)))
    (one, model), (other, same) = (select_model(rows, AUTO_MODELS) for rows in (annotations, shuffled))
    assert (one.chosen, one.reason) == (other.chosen, other.reason)
    np.testing.assert_allclose(
        [candidate.log_likelihood for candidate in one.candidates],
        [candidate.log_likelihood for candidate in other.candidates],
        rtol=0.0,
        atol=1e-9,
    )
    row_of = {task: row for row, task in enumerate(same.task_ids_)}
    again = same.predict_proba()[[row_of[task] for task in model.task_ids_]]
    np.testing.assert_allclose(model.predict_proba(), again, rtol=0.0, atol=1e-9)


def test_tasks_with_gold_are_drawn_first() -> None:
    annotations, _ = crowd([0.8] * 5, tasks=100)
    assert set(range(90, 95)) <= set(some_tasks(annotations, 50, seed=0, first=range(90, 95)).task_ids)


def test_gold_only_scores() -> None:
    annotations, truth = crowd([0.9, 0.8, 0.7])
    wrong = {task: int(1 - truth[task]) for task in range(20)}
    _, taught = select_model(annotations, {"smoothed": SmoothedDawidSkene}, wrong)
    _, untaught = select_model(annotations, {"smoothed": SmoothedDawidSkene})
    np.testing.assert_array_equal(taught.predict_proba(), untaught.predict_proba())


def test_a_tie_counts_as_its_chance() -> None:
    posteriors = np.array([[0.5, 0.5, 0.0], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0]])
    assert right_on(posteriors, np.array([0, 0, -1], dtype=np.int32)).tolist() == [0.5, 0.0]


def test_models_whose_tables_would_be_huge_are_not_compared() -> None:
    few = AnnotationSet.from_sequences([0, 1], ["Ann", "Bob"], [0, 1], label_ids=range(3))
    assert list(candidates_for(few)) == list(AUTO_MODELS)
    # Two workers: 2 K^2 entries of confusion matrices, thrice with subtypes.
    many = AnnotationSet.from_sequences([0, 1], ["Ann", "Bob"], [0, 1], label_ids=range(3_000))
    assert list(candidates_for(many)) == ["majority-vote", "mace", "smoothed-dawid-skene"]
    more = AnnotationSet.from_sequences([0, 1], ["Ann", "Bob"], [0, 1], label_ids=range(4_000))
    assert list(candidates_for(more)) == ["majority-vote", "mace"]


def test_progress_is_told_for_every_fit() -> None:
    done: list[None] = []
    select_model(crowd([0.9, 0.8, 0.7], 20)[0], MODELS, advance=lambda: done.append(None))
    assert len(done) == fits(MODELS)
    with pytest.raises(InvalidParameterError, match="no models"):
        choose((), TASKS)


def test_of_very_many_annotations_whole_tasks_are_drawn() -> None:
    annotations, _ = crowd([0.8] * 5, tasks=100)
    part = some_tasks(annotations, 203, seed=1)
    assert len(part) == 200
    assert part.n_tasks == 40
    assert some_tasks(annotations, 500, seed=1) is annotations
    assert len(some_tasks(annotations, 2, seed=1)) == 5
    assert subset(annotations, np.array([0, 7])).task_ids == (0, 1)


def test_one_label_is_too_little_to_choose_by() -> None:
    selection, fitted = select_model(AnnotationSet.from_sequences(["t"], ["u"], ["a"]), MODELS)
    assert selection.chosen == "votes"
    assert "too little" in selection.reason
    assert fitted.predict() == {"t": "a"}
