"""The statistical state of a project: one online Dawid-Skene model per field, kept by the fold.

Rows of the models are the task rows; each (worker, capability) that has answered has one confusion matrix, at
the same row in every field's model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.refitting import Evidence, take_over
from crowdroute.router.model.fitted import FittedField
from crowdroute.router.model.rules import Field
from crowdroute.router.state.matrix import Matrix
from crowdroute.router.state.speaking import FULL, Array, gather

SCRATCH = 64
"""Annotations of one task the scratch arrays first have room for; they grow when a task has more."""


INSTALLED = "models/installed"
"""Name of the section that tells which refit was taken over."""

Change = tuple[int, int, int]
"""One annotation: the row of its matrix, its label before, its label now; -1 where there is none."""


class Installed(NamedTuple):
    """Which refit the models last took over; version 0 for none."""

    version: int = 0
    fitted_through: int = 0
    annotations: int = 0
    digest: bytes = b""


class _Annotations:
    """Matrix rows and labels of one task's annotations, in arrays that compiled code reads."""

    def __init__(self) -> None:
        self._allocate(SCRATCH)

    def _allocate(self, room: int) -> None:
        self.room = room
        self.matrices = np.zeros(room, np.int32)
        self.labels = np.zeros(room, np.int32)
        self.matrix_cells = self.matrices.data
        self.label_cells = self.labels.data

    def reserve(self, room: int) -> None:
        """Have room for so many."""
        if room > self.room:
            self._allocate(2 * room)

    def put(self, place: int, matrix: int, label: int) -> int:
        """Write one annotation, if there is one, and give the place of the next."""
        if label < 0:
            return place
        self.matrix_cells[place] = matrix
        self.label_cells[place] = label
        return place + 1


class Models:
    """What the project believes of its tasks and workers."""

    def __init__(self) -> None:
        """Make a model of nothing; fields come with the first rules."""
        self.fields: list[OnlineDawidSkene] = []
        self.installed = Installed()
        self._matrices: dict[tuple[int, int], int] = {}
        self._by_worker: dict[int, dict[int, int]] = {}
        self._tasks = 0
        self._old = _Annotations()
        self._new = _Annotations()

    def follow_schema(self, fields: Sequence[Field]) -> None:
        """Add fields and labels that a new version of the rules brought; neither ever goes away."""
        for place, field in enumerate(fields):
            if place == len(self.fields):
                model = OnlineDawidSkene(len(field.labels))
                model.add_tasks(self._tasks)
                for _ in self._matrices:
                    model.add_matrix()
                self.fields.append(model)
            elif len(field.labels) > self.fields[place].n_classes:
                self.fields[place].add_classes(len(field.labels) - self.fields[place].n_classes)

    def add_task(self) -> None:
        """Make room for the next task row."""
        self._tasks += 1
        for model in self.fields:
            model.add_tasks(1)

    def matrix(self, worker: int, capability: int) -> int:
        """Give the row of a worker's confusion matrices under a capability, a new one if there is none."""
        key = (worker, capability)
        row = self._matrices.get(key)
        if row is None:
            row = self._matrices[key] = len(self._matrices)
            self._by_worker.setdefault(worker, {})[capability] = row
            for model in self.fields:
                model.add_matrix()
        return row

    def find_matrix(self, worker: int, capability: int) -> int | None:
        """Give the row of a worker's confusion matrices under a capability, or None."""
        return self._matrices.get((worker, capability))

    def matrices_of(self, worker: int) -> Mapping[int, int]:
        """Give the rows of a worker's confusion matrices by capability; they only ever grow in number."""
        return self._by_worker.get(worker, {})

    def extend(self, assignments: Array, answers: Matrix, task: int, first: int, newest: int) -> None:
        """Let a task's posteriors rest on one annotation more, of the assignment `newest`.

        The same as `replace` with the others as they were; it is what nearly every answer does. The arguments
        are those of `gather`.
        """
        scratch, given = self._new, answers.values
        for field, model in enumerate(self.fields):
            count = gather(assignments, given, first, newest, field, scratch.matrices, scratch.labels)
            while count == FULL:
                scratch.reserve(scratch.room + 1)
                count = gather(assignments, given, first, newest, field, scratch.matrices, scratch.labels)
            known = count - 1 if answers.cells[newest, field] >= 0 else count
            matrices, labels = scratch.matrices, scratch.labels
            model.reestimate(task, matrices, labels, known, matrices, labels, count)

    def replace(
        self,
        field: int,
        task: int,
        changes: Sequence[Change],
        truth: int = -1,
    ) -> None:
        """Replace what annotations a task's posterior for one field rests on.

        `changes` names every annotation that it rested on or is to rest on; `truth` pins the posterior to a
        known label.
        """
        new = self._new
        new.reserve(len(changes))
        matrices, labels = new.matrix_cells, new.label_cells
        kept, changed = 0, []
        for change in changes:
            matrix, earlier, label = change
            if earlier != label:
                changed.append(change)
            elif label >= 0:
                matrices[kept] = matrix
                labels[kept] = label
                kept += 1
        n_old = n_new = kept
        # What only comes in stands behind what stays, so that one list serves as both.
        old = self._old if any(earlier >= 0 for _, earlier, _ in changed) else new
        if old is not new:
            old.reserve(len(changes))
            old.matrices[:kept] = new.matrices[:kept]
            old.labels[:kept] = new.labels[:kept]
            for matrix, earlier, _ in changed:
                n_old = old.put(n_old, matrix, earlier)
        for matrix, _, label in changed:
            n_new = new.put(n_new, matrix, label)
        self.fields[field].reestimate(
            task, old.matrices, old.labels, n_old, new.matrices, new.labels, n_new, truth
        )

    def learn(self, field: int, matrix: int, label: int, truth: int, weight: float) -> None:
        """Count one answer to a task whose answer is known (weight -1 takes it back)."""
        self.fields[field].observe(matrix, label, truth, weight)

    def install(
        self, installed: Installed, fitted: Sequence[FittedField], evidence: Sequence[Evidence]
    ) -> None:
        """Take over what a refit found, and apply everything that counts now to it again."""
        for model, found, known in zip(self.fields, fitted, evidence, strict=True):
            shape = (found.matrices, found.classes, found.classes)
            confusion = np.frombuffer(found.confusion, "<f4").astype(np.float64).reshape(shape)
            take_over(model, known, confusion, np.array(found.class_counts))
        self.installed = installed

    def confidence(self, task: int) -> float:
        """Give the probability of the most probable label, of the field where it is lowest."""
        lowest = 1.0
        for model in self.fields:
            lowest = min(lowest, max(model.posteriors[task].tolist()))
        return lowest

    def probabilities(self, field: int, task: int) -> tuple[float, ...]:
        """Give the probability of every label of a field."""
        return tuple(self.fields[field].posteriors[task].tolist())

    def pack(self) -> dict[str, bytes]:
        """Give the models as named sections."""
        sections = {
            "models/keys": msgspec.msgpack.encode(
                (self._tasks, len(self.fields), list(self._matrices.items()))
            )
        }
        if self.installed.version:
            sections[INSTALLED] = msgspec.msgpack.encode(self.installed)
        for place, model in enumerate(self.fields):
            for name, raw in model.pack().items():
                sections[f"models/{place}/{name}"] = raw
        return sections

    def unpack(self, sections: Mapping[str, bytes | memoryview]) -> None:
        """Take over what `pack` gave."""
        kind = tuple[int, int, list[tuple[tuple[int, int], int]]]
        self._tasks, n_fields, keys = msgspec.msgpack.decode(sections["models/keys"], type=kind)
        self.installed = Installed()
        if INSTALLED in sections:  # nothing was ever installed otherwise, or the snapshot is older
            self.installed = msgspec.msgpack.decode(sections[INSTALLED], type=Installed)
        self._matrices = dict(keys)
        self._by_worker = {}
        for (worker, capability), row in self._matrices.items():
            self._by_worker.setdefault(worker, {})[capability] = row
        self.fields = []
        for place in range(n_fields):
            prefix = f"models/{place}/"
            own = {
                name.removeprefix(prefix): bytes(raw)
                for name, raw in sections.items()
                if name.startswith(prefix)
            }
            self.fields.append(OnlineDawidSkene.unpack(own))
