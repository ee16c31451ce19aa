"""Words, their distances, the text nearest to the others, and texts merged word by word."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation import AnswerSet
from crowdroute.aggregation.nearest import alike
from crowdroute.aggregation.texts import (
    NearestText,
    WordVote,
    edit_distance,
    error_rates,
    merge_words,
    word_error_rate,
    words_of,
)

words = st.lists(st.sampled_from("abcd"), max_size=6).map(tuple)


def answers(*rows: tuple[str, str, str]) -> AnswerSet[str]:
    tasks, workers, texts = (list(column) for column in zip(*rows, strict=True))
    return AnswerSet[str].from_sequences(tasks, workers, texts)


def test_case_and_punctuation_at_the_ends_of_words_do_not_count() -> None:
    assert words_of("  The cat's hat, (old) — it!") == ("the", "cat's", "hat", "old", "it")
    assert word_error_rate("The cat sat.", "the cat sat") == 0.0
    assert word_error_rate("a cat", "the cat sat") == 2 / 3
    assert (word_error_rate("", ""), word_error_rate("a", "")) == (0.0, 1.0)


@given(words, words, words)
def test_the_distance_is_one(one: tuple[str, ...], other: tuple[str, ...], third: tuple[str, ...]) -> None:
    assert edit_distance(one, one) == 0
    assert edit_distance(one, other) == edit_distance(other, one)
    assert abs(len(one) - len(other)) <= edit_distance(one, other) <= max(len(one), len(other))
    assert edit_distance(one, third) <= edit_distance(one, other) + edit_distance(other, third)


def test_the_text_nearest_to_the_others_is_chosen() -> None:
    found = NearestText().fit(answers(("t", "u", "a b c"), ("t", "v", "a b d"), ("t", "w", "a b c d")))
    assert found.predict() == {"t": "a b c d"}
    np.testing.assert_allclose(found.distance_, 1 / 4)
    np.testing.assert_allclose(found.spread_, (1 / 3 + 1 / 4 + 1 / 4) / 3)
    assert 0.0 < found.distance_[0] <= found.spread_[0]


def crowd() -> list[tuple[str, str, str]]:
    """Give two who agree, two who write noise, and a task where one of each answers."""
    rows = [(f"t{n}", worker, "one two three") for n in range(20) for worker in ("u", "v")]
    rows += [(f"t{n}", "x", f"noise {n}") for n in range(20)]
    rows += [(f"t{n}", "y", f"other {n} words") for n in range(20)]
    return [*rows, ("last", "x", "wrong thing"), ("last", "u", "right answer")]


def test_workers_who_are_near_others_elsewhere_weigh_more() -> None:
    for model in (NearestText(), WordVote()):
        found = model.fit(answers(*crowd())).predict()
        assert {found[f"t{n}"] for n in range(20)} == {"one two three"}
        assert found["last"] == "right answer"
    closeness = NearestText().fit(answers(*crowd())).closeness_
    assert closeness[0] > closeness[2] + 0.2


def test_rows_in_another_order_give_the_same() -> None:
    rows = crowd()
    shuffled = [rows[place] for place in np.random.default_rng(4).permutation(len(rows))]
    for make in (NearestText, WordVote):
        assert make().fit(answers(*rows)).predict() == make().fit(answers(*shuffled)).predict()


def test_a_single_text_stands_and_nothing_is_divided_by_nothing() -> None:
    given = answers(("t", "u", "alone"), ("s", "u", ""))
    found = NearestText().fit(given)
    assert found.answers_ == WordVote().fit(given).answers_ == ("alone", "")
    assert found.distance_.tolist() == found.spread_.tolist() == [0.0, 0.0]
    assert np.isfinite(found.closeness_).all()


def test_gold_is_the_answer_and_says_who_is_near() -> None:
    given = answers(*((f"t{n}", worker, text) for n in range(9) for worker, text in (("u", "a"), ("v", "b"))))
    for model in (NearestText(), WordVote()):
        found = model.fit(given, {f"t{n}": "b" for n in range(8)}).predict()
        assert found == {f"t{n}": "b" for n in range(9)}


def test_words_are_voted_on_slot_by_slot() -> None:
    texts = ["the cat sat on", "The cat, sat there", "a dog sat on it"]
    assert merge_words(texts, np.ones(3)) == "the cat sat on"
    assert merge_words(texts, np.array([1.0, 1.0, 9.0])) == "a dog sat on it"
    assert merge_words(["x y"], np.ones(1)) == "x y"
    assert merge_words(["", "x"], np.array([2.0, 1.0])) == ""


def test_words_are_written_as_the_weightiest_write_them() -> None:
    assert merge_words(["the cat.", "The cat", "The cat"], np.ones(3)) == "The cat"


@given(st.lists(words, min_size=1, max_size=4), st.integers(0, 3))
def test_a_text_that_outweighs_all_others_together_is_the_merged_one(
    texts: list[tuple[str, ...]], heavy: int
) -> None:
    weights = np.ones(len(texts))
    weights[heavy % len(texts)] = 100.0
    assert merge_words([" ".join(text) for text in texts], weights) == " ".join(texts[heavy % len(texts)])


@given(st.lists(words.filter(bool), min_size=2, max_size=5))
def test_the_merged_text_has_no_word_that_nobody_wrote(texts: list[tuple[str, ...]]) -> None:
    given = answers(*(("t", f"w{n}", " ".join(text)) for n, text in enumerate(texts)))
    for weigh in (alike, lambda closeness: closeness + 0.1):
        merged = WordVote(weigh).fit(given).predict()["t"].split()
        assert set(merged) <= {word for text in texts for word in text}
        assert len(merged) <= sum(map(len, texts))


def test_the_history_is_told_and_fitting_again_gives_the_same() -> None:
    model = NearestText()
    first = model.fit(answers(*crowd())).loss_history_
    assert model.converged_
    assert model.n_iter_ == len(first)
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(first))
    assert model.fit(answers(*crowd())).loss_history_ == first


def test_errors_are_counted_on_tasks_with_gold_only() -> None:
    errors, lengths = error_rates({"a": "x y", "b": "z"}, {"a": "x", "c": "q"})
    assert (errors.tolist(), lengths.tolist()) == ([1.0], [1.0])
