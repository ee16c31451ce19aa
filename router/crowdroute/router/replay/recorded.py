"""A recorded crowd: who gave which label to which task, and the known labels that only score."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.file_tables import is_blank
from crowdroute.aggregation.files import read_annotations, read_gold
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.model.facts import Requirement
from crowdroute.router.model.rules import Field, Label, Overlap, ProjectRules
from crowdroute.router.model.states import Mode
from crowdroute.router.replay.naming import usable_names
from crowdroute.router.rules.document import MOST_LABELS

FIELD = "label"
"""Name of the only field of a recorded crowd's schema."""

FILLER = "none of these"
"""Second label of a record that has but one: a choice needs two."""

LARGEST_OVERLAP = 1_000
"""Answers per task that rules may ask for."""


@dataclass(frozen=True)
class RecordedCrowd:
    """Labels by (task, worker), in the order recorded; ids are those of the file."""

    annotations: AnnotationSet
    tasks: tuple[str, ...]
    workers: tuple[str, ...]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    """What rules call each label: itself, unless it cannot be a name there."""
    answers: dict[tuple[int, int], int]
    """(task, worker) -> label, as places in the three tuples."""
    workers_of: tuple[tuple[int, ...], ...]
    """Per task, who labelled it."""
    gold: dict[str, str]
    repeats: int
    """Rows left out because their (task, worker) had been read before."""

    def check_labels(self, rules: ProjectRules) -> None:
        """See that the rules have one field with the labels of the record, so that every recorded answer can
        be given.

        Raises:
            ConfigurationError: they do not; the message says what is missing.
        """
        if len(rules.fields) != 1:
            raise ConfigurationError(
                f"a recorded crowd answers one field, but the rules have {len(rules.fields)}: keep one"
            )
        known = {label.id for label in rules.fields[0].labels if not label.removed}
        missing = [name for name in self.names if name not in known]
        if missing:
            named = ", ".join(map(repr, missing[:10])) + (" …" if len(missing) > 10 else "")
            raise ConfigurationError(f"the rules lack labels of the record; add {named}")

    def codes_in(self, rules: ProjectRules) -> list[int]:
        """Give each recorded label's code in the rules' only field."""
        codes = {label.id: code for code, label in enumerate(rules.fields[0].labels)}
        return [codes[name] for name in self.names]

    @property
    def largest_overlap(self) -> int:
        """Most labels that any task was given."""
        return max(map(len, self.workers_of))


def read_crowd(labels: Path, gold: Path | None) -> RecordedCrowd:
    """Read a crowd from `task,worker,label[,…]` and, to score, `task,label`; a repeated pair keeps its first
    label.

    Raises:
        AggregationError: with file and line, when a file cannot be read as that.
        ConfigurationError: there are more different labels than a single choice may have.
    """
    annotations = read_annotations(labels, repeats="first")
    if annotations.n_classes > MOST_LABELS:
        raise ConfigurationError(
            f"{labels} holds {annotations.n_classes} different labels, and a choice has at most "
            f"{MOST_LABELS}: is this a record of free texts?"
        )
    known = {} if gold is None else read_gold(gold)
    answers: dict[tuple[int, int], int] = {}
    workers_of: list[list[int]] = [[] for _ in annotations.task_ids]
    for task, worker, label in zip(
        annotations.tasks.tolist(), annotations.workers.tolist(), annotations.labels.tolist(), strict=True
    ):
        answers[task, worker] = label
        workers_of[task].append(worker)
    recorded = tuple(map(str, annotations.label_ids))
    return RecordedCrowd(
        annotations=annotations,
        tasks=tuple(map(str, annotations.task_ids)),
        workers=tuple(map(str, annotations.worker_ids)),
        labels=recorded,
        names=usable_names(recorded),
        answers=answers,
        workers_of=tuple(map(tuple, workers_of)),
        gold=known,
        repeats=_count_rows(labels) - len(answers),
    )


def _count_rows(path: Path) -> int:
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        return sum(not is_blank(row) for row in csv.reader(file)) - 1


def default_rules(crowd: RecordedCrowd) -> ProjectRules:
    """Give the rules that a recorded crowd is played under unless others are given.

    They are the engine's own defaults; only the schema and the largest overlap come from the record.
    """
    names = crowd.names if len(crowd.names) > 1 else (*crowd.names, FILLER)
    schema = (Field(FIELD, tuple(map(Label, names))),)
    most = min(crowd.largest_overlap, LARGEST_OVERLAP)
    return ProjectRules(version=1, fields=schema, overlap=Overlap(min(Overlap().minimum, most), most))


def playable(rules: ProjectRules) -> ProjectRules:
    """Give the rules as a recorded crowd plays under them: it has no seniors, so reviews are noted and not
    waited for; and whoever labelled a task was somebody who might."""
    noted = replace(rules.review, mode=Mode.RECOMMEND)
    return replace(rules, review=noted, requirement=Requirement())


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


def imports(crowd: RecordedCrowd, seed: int, rows: int, allowed: int) -> list[list[int]]:
    """Give `task_order` in parts of at most `rows` tasks that together name at most `allowed` workers, or of
    a single task that names more."""
    parts: list[list[int]] = [[]]
    named = 0
    for task in task_order(crowd, seed):
        count = len(crowd.workers_of[task])
        if parts[-1] and (len(parts[-1]) == rows or named + count > allowed):
            parts.append([])
            named = 0
        parts[-1].append(task)
        named += count
    return parts
