"""Sets of labels, one label at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation import AggregationError, AnswerSet, DawidSkene
from crowdroute.aggregation.multi_label import BinaryRelevance, MultiLabelVote, jaccard_distance

sets = st.frozensets(st.sampled_from("abc"))
crowds = st.dictionaries(
    st.tuples(st.sampled_from(["t0", "t1", "t2"]), st.sampled_from(["u", "v", "w"])), sets, min_size=1
).filter(lambda given: any(given.values()))


def answers(given: dict[tuple[str, str], frozenset[str]]) -> AnswerSet[frozenset[str]]:
    tasks, workers = ([pair[place] for pair in given] for place in (0, 1))
    return AnswerSet[frozenset[str]].from_sequences(tasks, workers, list(given.values()))


def test_a_label_is_taken_that_more_than_half_gave() -> None:
    found = MultiLabelVote().fit(
        answers(
            {
                ("t", "u"): frozenset("ab"),
                ("t", "v"): frozenset("ac"),
                ("s", "u"): frozenset("b"),
                ("s", "v"): frozenset(),
            }
        )
    )
    assert found.predict() == {"t": frozenset("a"), "s": frozenset()}
    np.testing.assert_allclose(found.predict_proba(), [[1.0, 0.5, 0.5], [0.0, 0.5, 0.0]])
    assert found.label_ids_ == ("a", "b", "c")


def test_who_answers_at_random_is_seen_through() -> None:
    rng = np.random.default_rng(5)
    truth = {f"t{n}": frozenset(label for label in "abc" if rng.random() < 0.4) for n in range(60)}
    given = {}
    for task, labels in truth.items():
        for worker, error in (("u", 0.05), ("v", 0.1), ("x", 0.5), ("y", 0.5), ("z", 0.5)):
            given[task, worker] = frozenset(one for one in "abc" if (one in labels) != (rng.random() < error))
    wrong = {}
    for name, model in (("vote", MultiLabelVote()), ("model", BinaryRelevance())):
        found = model.fit(answers(given)).predict()
        wrong[name] = np.mean([jaccard_distance(found[task], truth[task]) for task in truth])
    assert wrong["model"] < 0.7 * wrong["vote"]


@given(crowds, st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing(given: dict[tuple[str, str], frozenset[str]], shuffler) -> None:  # type: ignore[no-untyped-def]
    pairs = list(given.items())
    shuffler.shuffle(pairs)
    for make in (MultiLabelVote, BinaryRelevance):
        one, other = make().fit(answers(given)), make().fit(answers(dict(pairs)))
        order = [other.task_ids_.index(task) for task in one.task_ids_]
        np.testing.assert_allclose(one.predict_proba(), other.predict_proba()[order], atol=1e-9)
        assert np.isfinite(one.predict_proba()).all()


def test_gold_is_the_answer_and_gold_that_cannot_be_is_refused() -> None:
    given = answers({("t", "u"): frozenset("a"), ("s", "u"): frozenset("ab")})
    assert MultiLabelVote().fit(given, {"t": frozenset("b")}).predict()["t"] == frozenset("b")
    with pytest.raises(AggregationError, match=r"gold of task 't' names \['q'\]"):
        MultiLabelVote().fit(given, {"t": frozenset("q")})
    with pytest.raises(AggregationError, match="nobody gave any label"):
        MultiLabelVote().fit(answers({("t", "u"): frozenset()}))
    with pytest.raises(AggregationError, match="call fit first"):
        MultiLabelVote().predict_proba()


def test_distances_of_sets() -> None:
    assert jaccard_distance(frozenset(), frozenset()) == 0.0
    assert jaccard_distance(frozenset("ab"), frozenset("bc")) == pytest.approx(2 / 3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_crowd_kit_finds_the_same_with_its_dawid_skene() -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(8)
    given = {
        (f"t{t}", f"w{w}"): frozenset(one for one in "abc" if rng.random() < 0.3 + 0.4 * (t % 2))
        for t in range(20)
        for w in range(5)
    }
    frame = pandas.DataFrame(
        [(task, worker, sorted(labels)) for (task, worker), labels in given.items()],
        columns=["task", "worker", "label"],
    )
    theirs = aggregation.BinaryRelevance(aggregation.DawidSkene(n_iter=10))
    with pandas.option_context("mode.chained_assignment", None):
        found = theirs.fit_predict(frame)
    ours = BinaryRelevance(lambda: DawidSkene(n_iter=10)).fit(answers(given))
    assert ours.predict() == {task: frozenset(labels) for task, labels in found.items()}
    for place, label in enumerate("abc"):
        expected = theirs.aggregators_[label].probas_[1].reindex(list(ours.task_ids_))
        np.testing.assert_allclose(ours.predict_proba()[:, place], expected, atol=1e-9)
