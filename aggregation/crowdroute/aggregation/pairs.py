"""Pairwise preferences as single-choice labels: each pair is a task, its answers are first, second or
equal."""

from __future__ import annotations

from dataclasses import dataclass

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.comparison_set import ComparisonSet
from crowdroute.aggregation.errors import RepeatedAnnotationError, UnreadableFileError
from crowdroute.aggregation.file_tables import Table
from crowdroute.aggregation.files import repeated_in, seconds_of, timestamps_of
from crowdroute.aggregation.intervals import Estimate, share_interval
from crowdroute.aggregation.kinds import COLUMNS_OF, PAIRWISE

FIRST, SECOND, EQUAL = "first", "second", "equal"

TIES = frozenset({"equal", "tie", "both", "neither", "draw", "same"})
"""Labels that prefer none, unless an item has such a name."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Answers about pairs; a pair shown the other way round is the same pair."""

    annotations: AnnotationSet
    """Tasks are pairs, numbered as text in the order of appearance."""
    pairs: tuple[tuple[str, str], ...]
    """The items of each task, as they were shown the first time."""
    shown: ComparisonSet
    """The same answers with the sides on which the items were shown."""
    chose_left: Estimate | None
    """How often the item shown on the left won, of answers that prefer one; None without any. Far from a
    half, position sways workers, or items were not shown on random sides."""


def comparisons_of(table: Table) -> Comparisons:
    """Return the comparisons that a table holds: ``worker,left,right,label``, the label an item or a tie.

    ``left`` and ``right`` are also understood as labels. Of a worker's repeated answers about one pair the
    first counts. Raises ``UnreadableFileError`` with file and line.
    """
    columns = COLUMNS_OF[PAIRWISE]
    workers, lefts, rights, labels = (table.texts(name, columns) for name in columns)
    if not workers:
        raise UnreadableFileError(f"{table.path} holds no comparisons: there is nothing below its first line")
    number: dict[tuple[str, str], int] = {}
    pairs: list[tuple[str, str]] = []
    tasks, answers = [], []
    counted: dict[tuple[str, int], tuple[str, str, str, str | None]] = {}
    to_left = decided = 0
    for row, (worker, left, right, label) in enumerate(zip(workers, lefts, rights, labels, strict=True)):
        if left == right:
            raise UnreadableFileError(
                f"{table.where(row)}: {left!r} is compared with itself; leave the row out"
            )
        key = (min(left, right), max(left, right))
        if key not in number:
            number[key] = len(pairs)
            pairs.append((left, right))
        winner = _winner(left, right, label)
        if winner is None:
            raise UnreadableFileError(
                f"{table.where(row)}: label {label!r} is neither {left!r} nor {right!r}, nor left, right or"
                f" one of {', '.join(sorted(TIES))}"
            )
        if winner:
            decided += 1
            to_left += winner == left
        counted.setdefault((worker, number[key]), (worker, left, right, winner or None))
        tasks.append(str(number[key]))
        answers.append(_answer(winner, pairs[number[key]]))
    try:
        annotations = AnnotationSet.from_sequences(
            tasks,
            workers,
            answers,
            repeats="first",
            label_ids=(FIRST, SECOND),
            timestamps=timestamps_of(table),
            seconds=seconds_of(table),
        )
    except RepeatedAnnotationError as error:
        raise repeated_in(table, error) from error
    shown = ComparisonSet.from_sequences(*zip(*counted.values(), strict=True))
    bias = share_interval(to_left, decided) if decided else None
    return Comparisons(annotations, tuple(pairs), shown, bias)


def gold_of_pairs(comparisons: Comparisons, table: Table) -> dict[str, str]:
    """Return gold by task from ``left,right,label``; pairs that nobody compared are left out.

    Raises ``UnreadableFileError`` for a label that is no item of its pair and no tie.
    """
    number = {frozenset(pair): place for place, pair in enumerate(comparisons.pairs)}
    names = ("left", "right", "label")
    columns = (table.texts(name, names) for name in names)
    gold: dict[str, str] = {}
    for row, (left, right, label) in enumerate(zip(*columns, strict=True)):
        place = number.get(frozenset((left, right)))
        winner = _winner(left, right, label)
        if winner is None:
            raise UnreadableFileError(f"{table.where(row)}: gold {label!r} is neither {left!r} nor {right!r}")
        if place is None:
            continue
        answer = _answer(winner, comparisons.pairs[place])
        if gold.setdefault(str(place), answer) != answer:
            raise UnreadableFileError(f"{table.where(row)}: this pair has another gold above; keep one")
    return gold


def _winner(left: str, right: str, label: str) -> str | None:
    """Return the preferred item, empty for a tie, None for a label that means nothing here."""
    if label in (left, right):
        return label
    known = label.casefold()
    if known in ("left", "right"):
        return left if known == "left" else right
    return "" if known in TIES else None


def _answer(winner: str, pair: tuple[str, str]) -> str:
    if not winner:
        return EQUAL
    return FIRST if winner == pair[0] else SECOND
