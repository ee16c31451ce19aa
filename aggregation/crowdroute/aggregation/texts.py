"""Free text: of what was given for a task, the one nearest to all the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.coding import Identifier

_ROUNDS = 5
"""Times that weights of workers and nearest texts follow each other; they hardly move after three."""

_PRIOR_ANSWERS = 5.0
"""Answers at which a worker's own distance counts as much as that of everybody."""


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared: without case, and without punctuation at their
    ends."""
    words = (word.strip(".,;:!?\"'()[]{}…“”‘’«»-–—") for word in text.casefold().split())
    return tuple(word for word in words if word)


def edit_distance(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return the least number of words to put in, take out or exchange (V. I. Levenshtein, 1966)."""
    if len(one) < len(other):
        one, other = other, one
    row = list(range(len(other) + 1))
    for place, word in enumerate(one, 1):
        diagonal, row[0] = row[0], place
        for column, against in enumerate(other, 1):
            diagonal, row[column] = (
                row[column],
                diagonal if word == against else 1 + min(diagonal, row[column], row[column - 1]),
            )
    return row[-1]


def word_error_rate(given: str, truth: str) -> float:
    """Return the edit distance in words over the words of the truth; of an empty truth, 0 or 1."""
    found, true = words_of(given), words_of(truth)
    return edit_distance(found, true) / len(true) if true else float(bool(found))


@dataclass(frozen=True, slots=True, eq=False)
class TextConsensus:
    """What was found, in the order of the ids of the answers."""

    texts: tuple[str, ...]
    """For each task, the words that one worker gave, as they gave them."""
    distance: NDArray[np.float64]
    """(tasks,): mean distance, as a share of the longer text, of the chosen one from the others; 0 where it
    stands alone."""
    spread: NDArray[np.float64]
    """(tasks,): mean distance of every two texts of the task."""
    closeness: NDArray[np.float64]
    """(workers,): 1 - mean distance of the worker's texts from those of the others, in 0..1."""


def nearest_text(
    answers: AnswerSet[str], advance: Callable[[int], None] = lambda done: None
) -> TextConsensus:
    """Choose each task's text with the least weighted distance from the others' texts.

    Workers whose texts are near those of others weigh more: weight = closeness / (1 - closeness), begun
    alike and repeated (the reliability-weighted medoid of A. Braylan and M. Lease, "Aggregating complex
    annotations via merging and matching", KDD 2021, with the word edit distance over the longer text). A
    worker of few texts counts towards the crowd's closeness. Of equals, the first given. O(sum over tasks of
    their texts squared, times words squared). ``advance`` is called with the tasks done.
    """
    words = [words_of(text) for text in answers.answers]
    groups = list(answers.places_by_task())
    tables: list[NDArray[np.float64]] = []
    for done, places in enumerate(groups, 1):
        table = np.zeros((len(places), len(places)))
        for a, b in combinations(range(len(places)), 2):
            one, other = words[places[a]], words[places[b]]
            longer = max(len(one), len(other), 1)
            table[a, b] = table[b, a] = 0.0 if one == other else edit_distance(one, other) / longer
        tables.append(table)
        advance(done)
    closeness = _closeness(answers, groups, tables)
    chosen, distance, spread = [], np.zeros(len(groups)), np.zeros(len(groups))
    for task, (places, table) in enumerate(zip(groups, tables, strict=True)):
        weights = _weights(closeness)[answers.workers[places]]
        others = len(places) - 1
        best = int(np.argmin((table @ weights).round(12)))
        chosen.append(answers.answers[places[best]])
        if others:
            distance[task] = table[best].sum() / others
            spread[task] = table.sum() / (len(places) * others)
    return TextConsensus(tuple(chosen), distance, spread, closeness)


def _closeness(
    answers: AnswerSet[str], groups: list[NDArray[np.intp]], tables: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return how near each worker is to the others, those who are near themselves counting more."""
    n = len(answers.worker_ids)
    closeness = np.full(n, 0.5)
    for _ in range(_ROUNDS):
        weights = _weights(closeness)
        apart, counted = np.zeros(n), np.zeros(n)
        for places, table in zip(groups, tables, strict=True):
            if len(places) > 1:
                workers = answers.workers[places]
                given = weights[workers]
                apart[workers] += table @ given / (given.sum() - given)
                counted[workers] += 1.0
        everybody = apart.sum() / counted.sum() if counted.sum() else 0.5
        closeness = 1.0 - (apart + _PRIOR_ANSWERS * everybody) / (counted + _PRIOR_ANSWERS)
    return closeness


def _weights(closeness: NDArray[np.float64]) -> NDArray[np.float64]:
    bounded = np.clip(closeness, 0.02, 0.98)
    return np.asarray(bounded / (1.0 - bounded))


def error_rates(
    found: Mapping[Identifier, str], gold: Mapping[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, per task with gold in the order of ``found``, the word errors and the words of the truth."""
    errors, lengths = [], []
    for task, text in found.items():
        if str(task) in gold:
            truth = words_of(gold[str(task)])
            errors.append(float(edit_distance(words_of(text), truth)))
            lengths.append(float(max(len(truth), 1)))
    return np.array(errors), np.array(lengths)
