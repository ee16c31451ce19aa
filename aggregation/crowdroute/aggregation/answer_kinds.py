"""The kinds of answers that are more than one label: how they are read, compared, aggregated and scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.answer_json import (
    read_boxes,
    read_mask,
    read_points,
    read_spans,
    write_list,
    write_mask,
)
from crowdroute.aggregation.answers import AnswerSet
from crowdroute.aggregation.embedded_texts import HRRASA, RASA
from crowdroute.aggregation.errors import UnreadableFileError
from crowdroute.aggregation.file_tables import Table, as_text
from crowdroute.aggregation.kinds import BOXES, COLUMNS_OF, KEYPOINTS, MASK, MULTI_LABEL, NUMERIC, SPANS, TEXT
from crowdroute.aggregation.masks import MaskEM, MaskRASA, MaskVote, mask_distance
from crowdroute.aggregation.multi_label import BinaryRelevance, Labels, MultiLabelVote, jaccard_distance
from crowdroute.aggregation.nearest import AnswerEstimator, Distance, MergedAnswer, NearestAnswer, alike
from crowdroute.aggregation.numeric import BiasAndScatter, WeightedMedian
from crowdroute.aggregation.shapes import (
    box_distance,
    merge_boxes,
    merge_points,
    merge_spans,
    point_distance,
    span_distance,
)
from crowdroute.aggregation.texts import NearestText, WordVote, word_distance, word_errors, words_of

BETWEEN_LABELS = "|"
"""What separates the labels of one answer in a file."""


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """Everything that differs between two kinds of answers."""

    name: str
    read: Callable[[Any], Any]
    """Makes an answer of a value in a file; None is an empty one. Raises ``ValueError`` that says what is
    wrong."""
    write: Callable[[Any], Any]
    """Makes text or a number of an answer, which ``read`` understands."""
    models: Mapping[str, Callable[[], AnswerEstimator[Any]]]
    default: Callable[[AnswerSet[Any]], str]
    """Names the model that is taken where none is asked for."""
    distance: Callable[[AnswerSet[Any]], Distance]
    """Gives how far two answers lie apart, in 0..1."""
    errors: Callable[[Any, Any], tuple[float, float]]
    """Returns the errors of a result against the truth, and out of how many."""
    measure: str
    """What errors over their number are called."""

    @property
    def column(self) -> str:
        """The column that holds the answers."""
        return COLUMNS_OF[self.name][-1]

    def answers_of(self, table: Table) -> AnswerSet[Any]:
        """Return the answers of a table; of a worker's repeated answers to a task the first counts.

        Raises ``UnreadableFileError`` with file and line.
        """
        tasks, workers = (table.texts(name, COLUMNS_OF[self.name]) for name in ("task", "worker"))
        if not tasks:
            raise UnreadableFileError(f"{table.path} holds no answers: there is nothing below its first line")
        values = self._values(table, self.column)
        return AnswerSet[Any].from_sequences(tasks, workers, values, repeats="first")

    def gold_of(self, table: Table) -> dict[str, Any]:
        """Return gold by task from ``task`` and the column of answers, or ``label``.

        Raises ``UnreadableFileError`` with file and line, also for two truths of one task.
        """
        column = self.column if self.column in table.columns else "label"
        tasks = table.texts("task", ("task", self.column))
        gold: dict[str, Any] = {}
        for row, (task, truth) in enumerate(zip(tasks, self._values(table, column), strict=True)):
            if self.errors(truth, gold.setdefault(task, truth))[0] > 0.0:
                raise UnreadableFileError(
                    f"{table.where(row)}: task {task!r} has another gold above; keep one"
                )
        return gold

    def _values(self, table: Table, column: str) -> list[Any]:
        values = []
        for row, value in enumerate(table.column(column, COLUMNS_OF[self.name])):
            try:
                values.append(self.read(value))
            except ValueError as error:
                raise UnreadableFileError(f"{table.where(row)}: {column} {error}") from error
        return values


def _text(value: Any) -> str:
    text = as_text(value)
    if not text:
        raise ValueError("is empty; every row needs one")
    return text


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"is {value!r}, which is no number") from error
    if not abs(number) < float("inf"):
        raise ValueError(f"is {value!r}; a number must be finite")
    return number


def _labels(value: Any) -> Labels:
    if isinstance(value, (list, tuple)):
        given = [as_text(label) for label in value]
    else:
        given = [label.strip() for label in as_text(value).split(BETWEEN_LABELS)] if value is not None else []
    if "" in given:
        raise ValueError(f"is {value!r}, in which a label is empty; give them as a{BETWEEN_LABELS}b")
    return frozenset(given)


def _scale(answers: AnswerSet[float]) -> Distance:
    """Return the distance of two numbers as a share of the range of all."""
    span = max(answers.answers) - min(answers.answers) or 1.0
    return lambda one, other: min(abs(one - other) / span, 1.0)


def _numeric_default(answers: AnswerSet[float]) -> str:
    """Take whole numbers for places on a scale, of which only the order is meant."""
    on_a_scale = all(answer.is_integer() for answer in answers.answers)
    return "weighted-median" if on_a_scale else "bias-and-scatter"


def _of_parts(
    name: str,
    read: Callable[[Any], Any],
    distance: Distance,
    merge: Callable[[list[Any], NDArray[np.float64]], Any],
    measure: str,
) -> AnswerKind:
    """Return a kind whose answers have parts, which are merged, or chosen among as a whole."""
    return AnswerKind(
        name,
        read,
        write_list,
        {
            f"merged-{name}": lambda: MergedAnswer(distance, merge),
            f"nearest-{name}": lambda: NearestAnswer(distance),
        },
        lambda answers: f"merged-{name}",
        lambda answers: distance,
        lambda found, truth: (distance(found, truth), 1.0),
        measure,
    )


ANSWER_KINDS: Mapping[str, AnswerKind] = {
    kind.name: kind
    for kind in (
        AnswerKind(
            TEXT,
            _text,
            str,
            {
                "word-vote": WordVote,
                "rover": lambda: WordVote(alike),
                "nearest-text": NearestText,
                "rasa": RASA,
                "hrrasa": HRRASA,
            },
            lambda answers: "word-vote",
            lambda answers: lambda one, other: word_distance(words_of(one), words_of(other)),
            word_errors,
            "word error rate",
        ),
        AnswerKind(
            NUMERIC,
            _number,
            float,
            {"weighted-median": WeightedMedian, "bias-and-scatter": BiasAndScatter},
            _numeric_default,
            _scale,
            lambda found, truth: (abs(found - truth), 1.0),
            "mean absolute error",
        ),
        AnswerKind(
            MULTI_LABEL,
            _labels,
            lambda labels: BETWEEN_LABELS.join(sorted(labels)),
            {"multi-label-dawid-skene": BinaryRelevance, "multi-label-vote": MultiLabelVote},
            lambda answers: "multi-label-dawid-skene",
            lambda answers: jaccard_distance,
            lambda found, truth: (jaccard_distance(found, truth), 1.0),
            "Jaccard distance",
        ),
        AnswerKind(
            MASK,
            read_mask,
            write_mask,
            {
                "mask-vote": MaskVote,
                "mask-majority-vote": lambda: MaskVote(alike),
                "mask-em": MaskEM,
                "mask-rasa": MaskRASA,
            },
            lambda answers: "mask-vote",
            lambda answers: mask_distance,
            lambda found, truth: (mask_distance(found, truth), 1.0),
            "1 - intersection over union",
        ),
        _of_parts(BOXES, read_boxes, box_distance, merge_boxes, "1 - overlap of matched boxes"),
        _of_parts(KEYPOINTS, read_points, point_distance, merge_points, "mean distance over the diagonal"),
        _of_parts(SPANS, read_spans, span_distance, merge_spans, "1 - F1 by characters"),
    )
}
"""By name."""
