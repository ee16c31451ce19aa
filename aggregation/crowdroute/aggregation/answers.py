"""The input of models whose answers are not one label: text, boxes, masks, rankings, sets of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.coding import (
    Identifier,
    Repeats,
    check_codes,
    codes_by_appearance,
    kept_places,
    refuse_repeats,
)
from crowdroute.aggregation.errors import InvalidAnnotationsError
from crowdroute.aggregation.tables import coded_column

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, eq=False)
class AnswerSet(Generic[Answer]):
    """One answer of any type or none per (task, worker), in the order given; validated once, never changed.

    ``tasks`` and ``workers`` are read-only int32 codes of shape (annotations,) into ``task_ids`` and
    ``worker_ids``, ordered by first appearance; ``answers`` are what was given, taken as it is. Raises
    ``InvalidAnnotationsError``, or ``RepeatedAnnotationError`` for a repeated (task, worker).
    """

    tasks: NDArray[np.int32]
    workers: NDArray[np.int32]
    answers: tuple[Answer, ...]
    task_ids: tuple[Identifier, ...]
    worker_ids: tuple[Identifier, ...]

    def __post_init__(self) -> None:
        if len(self.tasks) == 0:
            raise InvalidAnnotationsError("there are no annotations; a set needs at least one")
        if not len(self.tasks) == len(self.workers) == len(self.answers):
            raise InvalidAnnotationsError(
                f"there are {len(self.tasks)} tasks, {len(self.workers)} workers and {len(self.answers)}"
                " answers; give one of each per annotation"
            )
        check_codes("task", self.tasks, self.task_ids, every_one=True)
        check_codes("worker", self.workers, self.worker_ids, every_one=True)
        refuse_repeats(self.tasks, self.workers, self.task_ids, self.worker_ids)
        for name in ("tasks", "workers"):
            frozen = np.ascontiguousarray(getattr(self, name)).view()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @classmethod
    def from_sequences(
        cls,
        tasks: Sequence[Identifier] | NDArray[Any],
        workers: Sequence[Identifier] | NDArray[Any],
        answers: Sequence[Answer],
        *,
        repeats: Repeats = "refuse",
    ) -> Self:
        """Build a set from three columns of equal length."""
        if not len(tasks) == len(workers) == len(answers):
            raise InvalidAnnotationsError(
                f"the columns have {len(tasks)} tasks, {len(workers)} workers and {len(answers)} answers;"
                " give one of each per annotation"
            )
        return cls._from_coded(codes_by_appearance(tasks), codes_by_appearance(workers), answers, repeats)

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        task: str = "task",
        worker: str = "worker",
        answer: str = "answer",
        repeats: Repeats = "refuse",
    ) -> Self:
        """Build a set from a pandas or polars data frame, an Arrow table, or a mapping of columns.

        ``answer`` names the column of answers: crowd-kit calls it text, segmentation or output.
        """
        coded = coded_column(table, task), coded_column(table, worker)
        try:
            column: Any = table[answer]
        except KeyError as error:
            raise InvalidAnnotationsError(f"there is no column {answer!r}; name the right one") from error
        for convert in ("to_pylist", "tolist", "to_list"):
            if hasattr(column, convert):
                column = getattr(column, convert)()
                break
        return cls._from_coded(*coded, column, repeats)

    @classmethod
    def _from_coded(
        cls,
        coded_tasks: tuple[NDArray[np.int32], tuple[Identifier, ...]],
        coded_workers: tuple[NDArray[np.int32], tuple[Identifier, ...]],
        answers: Sequence[Answer],
        repeats: Repeats,
    ) -> Self:
        (tasks, task_ids), (workers, worker_ids) = coded_tasks, coded_workers
        kept = kept_places(tasks, workers, len(worker_ids), repeats)
        if kept is not None:
            answers = [answers[place] for place in kept]
            tasks, task_order = codes_by_appearance(tasks[kept])
            workers, worker_order = codes_by_appearance(workers[kept])
            task_ids = tuple(task_ids[int(code)] for code in task_order)
            worker_ids = tuple(worker_ids[int(code)] for code in worker_order)
        return cls(tasks, workers, tuple(answers), task_ids, worker_ids)

    def __len__(self) -> int:
        """Return the number of annotations."""
        return len(self.tasks)

    @property
    def n_tasks(self) -> int:
        return len(self.task_ids)

    @property
    def n_workers(self) -> int:
        return len(self.worker_ids)

    def places_by_task(self) -> Iterator[NDArray[np.intp]]:
        """Yield, task by task in the order of ``task_ids``, the places of its annotations, ascending."""
        order = np.argsort(self.tasks, kind="stable")
        yield from np.split(order, np.cumsum(np.bincount(self.tasks))[:-1])
