"""Words, their distances, and the text nearest to the others."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation import AnswerSet
from crowdroute.aggregation.texts import edit_distance, error_rates, nearest_text, word_error_rate, words_of

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
    found = nearest_text(answers(("t", "u", "a b c"), ("t", "v", "a b d"), ("t", "w", "a b c d")))
    assert found.texts == ("a b c d",)
    np.testing.assert_allclose(found.distance, 0.25)
    assert 0.0 < found.distance[0] <= found.spread[0]


def test_workers_who_are_near_others_elsewhere_weigh_more() -> None:
    rows = [(f"t{n}", worker, "one two three") for n in range(20) for worker in ("u", "v")]
    rows += [(f"t{n}", "x", f"noise {n}") for n in range(20)] + [
        (f"t{n}", "y", f"other {n} words") for n in range(20)
    ]
    rows += [("last", "u", "right answer"), ("last", "x", "wrong thing")]
    found = nearest_text(answers(*rows))
    assert found.closeness[0] > found.closeness[2] + 0.2
    assert set(found.texts[:20]) == {"one two three"}


def test_a_single_text_stands_and_nothing_is_divided_by_nothing() -> None:
    found = nearest_text(answers(("t", "u", "alone"), ("s", "u", "")))
    assert found.texts == ("alone", "")
    assert found.distance.tolist() == found.spread.tolist() == [0.0, 0.0]
    assert np.isfinite(found.closeness).all()


def test_errors_are_counted_on_tasks_with_gold_only() -> None:
    errors, lengths = error_rates({"a": "x y", "b": "z"}, {"a": "x", "c": "q"})
    assert (errors.tolist(), lengths.tolist()) == ([1.0], [1.0])
