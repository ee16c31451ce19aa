"""A recorded crowd: who gave which label to which task, and the known labels that only score."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.files import read_annotations, read_gold
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.model.rules import Field, Label, Overlap, ProjectRules

FIELD = "label"
"""Name of the only field of a recorded crowd's schema."""


@dataclass(frozen=True)
class RecordedCrowd:
    """Labels by (task, worker), in the order recorded; ids are those of the file."""

    annotations: AnnotationSet
    tasks: tuple[str, ...]
    workers: tuple[str, ...]
    labels: tuple[str, ...]
    answers: dict[tuple[int, int], int]
    """(task, worker) -> label, as places in the three tuples."""
    workers_of: tuple[tuple[int, ...], ...]
    """Per task, who labelled it."""
    gold: dict[str, str]
    repeats: int
    """Rows left out because their (task, worker) had been read before."""

    def check_labels(self, rules: ProjectRules) -> None:
        """See that the rules have one field with the labels of the record, whose codes then agree with
        theirs.

        Raises:
            ConfigurationError: they do not; the message says what is missing.
        """
        if len(rules.fields) != 1:
            raise ConfigurationError(
                f"a recorded crowd answers one field, but the rules have {len(rules.fields)}"
            )
        known = [label.id for label in rules.fields[0].labels if not label.removed]
        missing = [label for label in self.labels if label not in known]
        if missing:
            raise ConfigurationError(f"the rules lack these recorded labels: {', '.join(missing)}")

    def codes_in(self, rules: ProjectRules) -> list[int]:
        """Give each recorded label's code in the rules' only field."""
        known = [label.id for label in rules.fields[0].labels]
        return [known.index(label) for label in self.labels]

    @property
    def largest_overlap(self) -> int:
        """Most labels that any task was given."""
        return max(map(len, self.workers_of))


def read_crowd(labels: Path, gold: Path | None) -> RecordedCrowd:
    """Read a crowd from `task,worker,label[,…]` and, to score, `task,label`; a repeated pair keeps its first
    label.

    Raises:
        AggregationError: with file and line, when a file cannot be read as that.
    """
    annotations = read_annotations(labels, repeats="first")
    known = {} if gold is None else read_gold(gold)
    answers: dict[tuple[int, int], int] = {}
    workers_of: list[list[int]] = [[] for _ in annotations.task_ids]
    for task, worker, label in zip(
        annotations.tasks.tolist(), annotations.workers.tolist(), annotations.labels.tolist(), strict=True
    ):
        answers[task, worker] = label
        workers_of[task].append(worker)
    return RecordedCrowd(
        annotations=annotations,
        tasks=tuple(map(str, annotations.task_ids)),
        workers=tuple(map(str, annotations.worker_ids)),
        labels=tuple(map(str, annotations.label_ids)),
        answers=answers,
        workers_of=tuple(map(tuple, workers_of)),
        gold=known,
        repeats=_count_rows(labels) - len(answers),
    )


def _count_rows(path: Path) -> int:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return sum(bool(row) for row in csv.reader(io.StringIO(raw.decode()))) - 1


def default_rules(crowd: RecordedCrowd) -> ProjectRules:
    """Give the rules that a recorded crowd is played under unless others are given.

    They are the engine's own defaults; only the schema and the largest overlap come from the record.
    """
    schema = (Field(FIELD, tuple(Label(label) for label in crowd.labels)),)
    least = min(Overlap().minimum, crowd.largest_overlap)
    return ProjectRules(version=1, fields=schema, overlap=Overlap(least, crowd.largest_overlap))


def arrivals(crowd: RecordedCrowd, seed: int) -> list[int]:
    """Give the order in which workers ask for work: each as often as they answered in the record, shuffled by
    the seed."""
    order = [worker for _, worker in crowd.answers]
    random.Random(seed).shuffle(order)
    return order


def task_order(crowd: RecordedCrowd, seed: int) -> Sequence[int]:
    """Give the order in which tasks come in, shuffled by the seed."""
    order = list(range(len(crowd.tasks)))
    random.Random(seed + 1).shuffle(order)
    return order
