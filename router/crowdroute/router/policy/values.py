"""What one answer of a worker is worth to tasks in each posterior cell: bits of truth it is expected to
tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.model.states import Stage
from crowdroute.router.policy import valuing
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.policy.grid import CELLS, Grid
from crowdroute.router.policy.plans import Plan, marked
from crowdroute.router.state.project import Project

Counts = NDArray[np.float64]

UNKNOWN_WORKER = 0
"""The table of workers without a confusion matrix: that of the prior."""

FIRST_TABLES = 64

FEW = 4
"""Tables that are looked at one by one; for more, a call of compiled code is quicker."""


_CROWD = Stage.CROWD
"""Looking it up in its class is slow, and every request asks."""


Stamp = tuple[int, int, int, int]
"""What a plan was made from: versions of the worker's facts and of the rules, numbers of signatures and of
the worker's confusion matrices. Each only ever grows."""


class ValuedPlan(NamedTuple):
    """A plan with the tables that stand behind it."""

    plan: Plan
    stamp: Stamp
    """With another, the plan is made anew."""
    tables: NDArray[np.int32]
    """The tables of the plan that come from a matrix, and those matrices."""
    matrices: NDArray[np.int32]
    pairs: list[tuple[int, int]]
    """The same, one by one."""


class Values:
    """One table of 64 values per (worker, capability), the mutual information of the worker's next answer and
    the truth.

    A cell's value is taken at its centre. With several fields it is that of the field that the cell stands
    for, and of the most telling field for fresh tasks. Where the cell does not tell the most probable label
    (many labels, many fields), the worker counts as one coin: right with their average chance, all errors
    alike.

    A table is computed anew when its matrix changed by a quarter of all changes so far (`versions`): a new
    worker's after every answer, a known one's ever more rarely. The prior's table follows the prior, which
    follows the pool of all labels each time their number has doubled.
    """

    def __init__(self, state: Project, grid: Grid, eligible: EligibleSignatures) -> None:
        """Value the cells of this grid; nothing is computed yet."""
        self._state = state
        self._grid = grid
        self._fields = state.models.fields
        self._eligible = eligible
        self._plans: dict[int, ValuedPlan] = {}
        self._table_of_matrix: dict[int, int] = {}
        self._capability_of: list[int] = []
        self.values: NDArray[np.float32] = np.zeros((FIRST_TABLES, CELLS), np.float32)
        self.order: NDArray[np.uint8] = np.zeros((FIRST_TABLES, CELLS), np.uint8)
        #: Per field, the version of the matrix at which each table was computed.
        self._stamps = [np.zeros(FIRST_TABLES, np.int32) for _ in self._fields]
        self._count = 1
        self._scratch = np.zeros(FIRST_TABLES, np.int64)
        self._prior_seen: list[Counts | None] = [None for _ in self._fields]
        self._cells = [_FieldCells(grid, field, model.n_classes) for field, model in enumerate(self._fields)]

    def plan(self, worker: int) -> Plan:
        """Give the worker's plan at the crowd stage, its tables up to date."""
        state = self._state
        matrices = state.models.matrices_of(worker)
        stamp = (
            state.workers.version[worker],
            state.rules.version,
            len(state.signatures.values),
            len(matrices),
        )
        known = self._plans.get(worker)
        if known is None or known.stamp != stamp:
            known = self._plans[worker] = self._made(self._eligible.of(worker, _CROWD), matrices, stamp)
        self._refresh(known)
        return known.plan

    def _made(self, codes: NDArray[np.int32], matrices: Mapping[int, int], stamp: Stamp) -> ValuedPlan:
        state = self._state
        for _, capability in state.signatures.values[len(self._capability_of) :]:
            self._capability_of.append(state.capabilities.code(capability))
        table_of = marked(codes, len(state.signatures))
        used: dict[int, int] = {}
        for code in codes.tolist():
            matrix = matrices.get(self._capability_of[code])
            if matrix is not None:
                table_of[code] = used[matrix] = self._table(matrix)
        return ValuedPlan(
            Plan(codes, table_of),
            stamp,
            np.array(list(used.values()), np.int32),
            np.array(list(used), np.int32),
            [(table, matrix) for matrix, table in used.items()],
        )

    def _table(self, matrix: int) -> int:
        table = self._table_of_matrix.get(matrix)
        if table is None:
            table = self._table_of_matrix[matrix] = self._count
            self._count += 1
            if table == len(self.values):
                self.values = np.concatenate([self.values, np.zeros_like(self.values)])
                self.order = np.concatenate([self.order, np.zeros_like(self.order)])
                self._stamps = [np.concatenate([stamps, np.zeros_like(stamps)]) for stamps in self._stamps]
                self._scratch = np.zeros(len(self.values), np.int64)
            self._compute(table, matrix)
        return table

    def _refresh(self, known: ValuedPlan) -> None:
        pairs = known.pairs
        few = len(pairs) <= FEW
        for field, model in enumerate(self._fields):
            # The array is replaced, never changed, so the same one means the same prior.
            if self._prior_seen[field] is not model.prior_counts:
                self._follow_prior()
            stamps, versions = self._stamps[field], model.versions
            for table, matrix in pairs if few else self._moved(known, stamps, versions):
                stamp = stamps.item(table)
                if 4 * (versions.item(matrix) - stamp) > stamp:
                    self._compute(table, matrix)

    def _moved(
        self, known: ValuedPlan, stamps: NDArray[np.int32], versions: NDArray[np.int32]
    ) -> list[tuple[int, int]]:
        """Give the tables that are to be computed anew, and their matrices, when there are many to look
        through."""
        count = valuing.stale(known.tables, known.matrices, versions, stamps, self._scratch)
        return [known.pairs[place] for place in self._scratch[:count].tolist()]

    def _follow_prior(self) -> None:
        self._prior_seen = [field.prior_counts for field in self._fields]
        self._fill(
            UNKNOWN_WORKER,
            [
                (field.prior_counts[np.newaxis], field.prior_counts.sum(axis=1)[np.newaxis])
                for field in self._fields
            ],
            0,
        )

    def _compute(self, table: int, matrix: int) -> None:
        self._fill(table, [(model.confusion, model.row_sums) for model in self._fields], matrix)
        for model, stamps in zip(self._fields, self._stamps, strict=True):
            stamps[table] = model.versions[matrix]

    def _fill(self, table: int, counts: list[tuple[Counts, Counts]], matrix: int) -> None:
        self.values[table] = 0.0
        for model, cells, (confusion, sums) in zip(self._fields, self._cells, counts, strict=True):
            if cells.posteriors is not None:
                valuing.value_by_class(
                    confusion,
                    sums,
                    matrix,
                    model.class_counts,
                    cells.posteriors,
                    cells.first,
                    self.values,
                    table,
                )
            else:
                valuing.value_as_one_coin(
                    confusion,
                    sums,
                    matrix,
                    model.class_counts,
                    cells.confidences,
                    cells.weight,
                    cells.first,
                    self.values,
                    table,
                )
        valuing.rank_cells(self.values, self.order, table)


class _FieldCells:
    """The cells that stand for one field: their confidences per bin, and posteriors where cells tell the
    label."""

    def __init__(self, grid: Grid, field: int, n_classes: int) -> None:
        group = grid.group_of[field]
        first, steps, low, width, *_ = grid.groups[group].tolist()
        bins = int(steps)
        self.first = int(first)
        #: Fields that share a group count evenly.
        self.weight = 1.0 / grid.group_of.count(group)
        middle = low + (np.arange(bins) + 0.5) * width
        self.confidences: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-middle))
        self.posteriors: NDArray[np.float64] | None = None
        if grid.by_class[field]:
            # One row more than cells, for fresh tasks.
            self.posteriors = np.zeros((n_classes * bins + 1, n_classes))
            for label in range(n_classes):
                own = self.posteriors[label * bins : (label + 1) * bins]
                own[:] = ((1.0 - self.confidences) / max(n_classes - 1, 1))[:, np.newaxis]
                own[:, label] = self.confidences if n_classes > 1 else 1.0
