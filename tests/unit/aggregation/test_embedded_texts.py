"""Texts as vectors, and RASA and HRRASA over them, beside crowd-kit's."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from crowdroute.aggregation import AggregationError, AnswerSet
from crowdroute.aggregation.embedded_texts import HRRASA, RASA
from crowdroute.aggregation.encoders import HashingEncoder

WORDS = ["red", "green", "blue", "big", "small", "house", "tree", "dog"]


def crowd(seed: int = 0, n_tasks: int = 12) -> AnswerSet[str]:
    """Give six workers' texts, those of later workers with more words exchanged."""
    rng = np.random.default_rng(seed)
    tasks, workers, texts = [], [], []
    for task in range(n_tasks):
        truth = rng.choice(WORDS, 5)
        for worker in range(6):
            wrong = rng.random(5) < 0.12 * worker
            text = np.where(wrong, rng.choice(WORDS, 5), truth)
            tasks.append(f"t{task}")
            workers.append(f"w{worker}")
            texts.append(" ".join(text))
    return AnswerSet[str].from_sequences(tasks, workers, texts)


@given(st.text(max_size=20))
def test_a_text_has_one_vector_of_length_one(text: str) -> None:
    encoder = HashingEncoder(dimensions=64)
    one, other = encoder([text, f"  {text.upper().casefold()} "])
    assert np.linalg.norm(one) == pytest.approx(1.0) or np.linalg.norm(one) == 0.0
    np.testing.assert_array_equal(encoder([text])[0], one)
    if text.casefold() == text.upper().casefold():
        np.testing.assert_array_equal(one, other)


def test_texts_that_share_pieces_are_nearer() -> None:
    one, near, far = HashingEncoder()(["the green tree", "the green trees", "a small dog"])
    assert one @ near > one @ far + 0.3


def test_an_encoder_of_no_dimensions_and_one_that_fails_are_refused() -> None:
    with pytest.raises(AggregationError, match="at least one dimension"):
        HashingEncoder(dimensions=0)

    def broken(texts: Sequence[str]) -> NDArray[np.float64]:
        return np.full((len(texts), 2), np.nan)

    with pytest.raises(AggregationError, match="one vector per text"):
        RASA(broken).fit(crowd())
    with pytest.raises(AggregationError, match="alpha is 2"):
        RASA(alpha=2.0).fit(crowd())
    with pytest.raises(AggregationError, match="vector_share"):
        HRRASA(vector_share=-1.0).fit(crowd())


def test_better_workers_are_told_and_rows_in_another_order_give_the_same() -> None:
    answers = crowd()
    order = np.random.default_rng(1).permutation(len(answers))
    shuffled = AnswerSet[str].from_sequences(
        [answers.task_ids[answers.tasks[place]] for place in order],
        [answers.worker_ids[answers.workers[place]] for place in order],
        [answers.answers[place] for place in order],
    )
    for make in (RASA, HRRASA):
        found, again = make().fit(answers), make().fit(shuffled)
        assert found.reliability_[:2].min() > found.reliability_[4:].max()
        assert found.predict() == {task: again.predict()[task] for task in answers.task_ids}
        moved = [again.reliability_[shuffled.worker_ids.index(worker)] for worker in answers.worker_ids]
        np.testing.assert_allclose(found.reliability_, moved, rtol=1e-9)
        assert found.converged_
        assert found.n_iter_ == len(found.loss_history_)


def test_gold_is_the_answer_and_one_text_alone_stands() -> None:
    answers = AnswerSet[str].from_sequences(["t", "t", "s"], ["u", "v", "u"], ["a", "b", ""])
    for make in (RASA, HRRASA):
        found = make().fit(answers, {"t": "c", "elsewhere": "d"})
        assert found.predict() == {"t": "c", "s": ""}
        assert np.isfinite(found.reliability_).all()
        assert np.isfinite(found.vectors_).all()


def test_where_every_text_is_as_like_the_others_hrrasa_is_rasa() -> None:
    plain = HRRASA(similarity=lambda one, other: 1.0, vector_share=0.0).fit(crowd())
    np.testing.assert_array_equal(plain.vectors_, RASA().fit(crowd()).vectors_)


def test_a_text_unlike_the_others_counts_less_in_its_task() -> None:
    answers = AnswerSet[str].from_sequences(
        ["t"] * 3, ["u", "v", "x"], ["the green tree", "the green trees", "a small dog"]
    )
    away = [
        abs(make().fit(answers).vectors_[0] @ HashingEncoder()(["a small dog"])[0]) for make in (RASA, HRRASA)
    ]
    assert away[1] < away[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_given_the_same_vectors_crowd_kit_finds_the_same() -> None:
    # Its HRRASA cannot be asked: it fails with pandas 3, which refuses columns of vectors as numbers.
    aggregation = pytest.importorskip("crowdkit.aggregation")
    pandas = pytest.importorskip("pandas")
    answers = crowd(seed=3)
    frame = pandas.DataFrame(
        {
            "task": answers.tasks.copy(),
            "worker": answers.workers.copy(),
            "output": list(answers.answers),
            "embedding": list(HashingEncoder()(answers.answers)),
        }
    )
    ours, theirs = RASA().fit(answers), aggregation.RASA()
    found = theirs.fit_predict(frame)
    skills = theirs.skills_.reindex(range(answers.n_workers)).to_numpy()
    np.testing.assert_allclose(ours.reliability_, skills, rtol=1e-6)
    assert list(ours.answers_) == [found.loc[task, "output"] for task in range(answers.n_tasks)]
