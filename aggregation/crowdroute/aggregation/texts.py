"""Free text: words and their distances, the text nearest to the others, and texts merged word by word."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.nearest import MergedAnswer, NearestAnswer, odds_of

_EDGES = ".,;:!?\"'()[]{}…“”‘’«»-–—"
"""Punctuation that is cut from both ends of a word."""


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared: without case, and without punctuation at their
    ends."""
    words = (word.strip(_EDGES) for word in text.casefold().split())
    return tuple(word for word in words if word)


def edit_distance(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return the least number of words to put in, take out or exchange (V. I. Levenshtein, 1966)."""
    from crowdroute.aggregation import word_kernels as kernels

    codes: dict[str, int] = {}
    return int(kernels.edit_distance(_coded(one, codes), _coded(other, codes)))


def word_distance(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Return the edit distance in words as a share of the longer text, in 0..1."""
    if one == other:
        return 0.0
    return edit_distance(one, other) / max(len(one), len(other))


def word_error_rate(given: str, truth: str) -> float:
    """Return the edit distance in words over the words of the truth; of an empty truth, 0 or 1."""
    found, true = words_of(given), words_of(truth)
    return edit_distance(found, true) / len(true) if true else float(bool(found))


def word_errors(given: str, truth: str) -> tuple[float, float]:
    """Return the word errors of a text, and the words of the truth, at least 1."""
    true = words_of(truth)
    return float(edit_distance(words_of(given), true)), float(max(len(true), 1))


def error_rates(
    found: Mapping[Identifier, str], gold: Mapping[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, per task with gold in the order of ``found``, the word errors and the words of the truth."""
    told = [word_errors(text, gold[str(task)]) for task, text in found.items() if str(task) in gold]
    return np.array([errors for errors, _ in told]), np.array([words for _, words in told])


class NearestText(NearestAnswer[str]):
    """Of the texts of a task, the one nearest to the others by the word edit distance over the longer
    text."""

    def __init__(self, n_iter: int = 50, tol: float = 1e-6) -> None:
        super().__init__(word_distance, words_of, n_iter, tol)


class WordVote(MergedAnswer[str]):
    """Texts merged word by word, each worker weighing as much as its words are near to those of others.

    ROVER (J. G. Fiscus, "A post-processing system to yield reduced word error rates", ASRU 1997) with two
    changes. Texts enter the network nearest to the others first, so that the order of rows plays no part. A
    word goes where it costs the expected error, 1 - the weight of those who have it there (L. Mangu, E. Brill
    and A. Stolcke, "Finding consensus in speech recognition", Computer Speech and Language 14, 2000). Each
    slot then goes to the word, or to none, that weighs most. Weights are those of ``NearestText``.
    """

    def __init__(self, weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]] = odds_of) -> None:
        super().__init__(word_distance, merge_words, words_of, weigh)


def merge_words(texts: list[str], weights: NDArray[np.float64]) -> str:
    """Merge texts into one by a network of words; the first is its backbone. O(texts x words squared).

    Words are compared without case and punctuation, and given as the weightiest of those who gave them wrote
    them. Of equal words the one that entered a slot's count first, of a word and none the word.
    """
    from crowdroute.aggregation import word_kernels as kernels

    codes: dict[str, int] = {}
    written = [_written(text) for text in texts]
    coded = [_coded(tuple(word for word, _ in words), codes) for words in written]
    none = len(codes)
    grid = np.empty((0, 0), dtype=np.int64)
    """Which word each text has in each slot: (slots, texts so far)."""
    for number, text in enumerate(coded):
        shares = _slot_weights(grid, weights[:number], none) / max(weights[:number].sum(), 1e-300)
        way = kernels.align(shares, text)
        grown = np.full((len(way), number + 1), none, dtype=np.int64)
        in_slot, in_text = way[:, 0] >= 0, way[:, 1] >= 0
        grown[in_slot, :number] = grid[way[in_slot, 0]]
        grown[in_text, number] = text[way[in_text, 1]]
        grid = grown
    spoken = _spoken(written, coded, weights)
    winners = _slot_weights(grid, weights, none).round(12).argmax(axis=1)
    return " ".join(spoken[word] for word in winners.tolist() if word != none)


def _slot_weights(grid: NDArray[np.int64], weights: NDArray[np.float64], none: int) -> NDArray[np.float64]:
    """Return what each word weighs in each slot: (slots, vocabulary + 1), the last column no word."""
    table = np.zeros((len(grid), none + 1))
    for text, weight in enumerate(weights):
        table[np.arange(len(grid)), grid[:, text]] += weight
    return table


def _spoken(
    written: list[list[tuple[str, str]]], coded: list[NDArray[np.int64]], weights: NDArray[np.float64]
) -> dict[int, str]:
    """Return how each word is written by those who weigh most."""
    weighed: dict[int, dict[str, float]] = {}
    for words, text, weight in zip(written, coded, weights.tolist(), strict=True):
        for (_, form), code in zip(words, text.tolist(), strict=True):
            forms = weighed.setdefault(code, {})
            forms[form] = forms.get(form, 0.0) + weight
    return {code: max(forms, key=lambda form: round(forms[form], 12)) for code, forms in weighed.items()}


def _written(text: str) -> list[tuple[str, str]]:
    """Return the words of a text as they are compared, each beside what stands in the text."""
    return [(words[0], form) for form in text.split() if (words := words_of(form))]


def _coded(words: tuple[str, ...], codes: dict[str, int]) -> NDArray[np.int64]:
    return np.array([codes.setdefault(word, len(codes)) for word in words], dtype=np.int64)
