"""What one answer of a worker is worth to tasks in each posterior cell: bits of truth it is expected to
tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.information import fill_information
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.router.model.states import Stage
from crowdroute.router.policy import choosing
from crowdroute.router.policy.grid import BINS, CELLS, FIRST_CELL, FRESH, SETTLING, Grid
from crowdroute.router.policy.plans import Plan, marked
from crowdroute.router.quality.eligibility import EligibleSignatures
from crowdroute.router.state.project import Project

UNKNOWN_WORKER = 0
"""The table of workers without a confusion matrix: that of the prior."""

FIRST_TABLES = 64


class ValuedPlan(NamedTuple):
    """A plan with the tables that stand behind it."""

    plan: Plan
    matrices_known: int
    """How many confusion matrices the worker had; with another, the plan is made anew."""
    tables: NDArray[np.int32]
    """The tables of the plan that come from a matrix, and those matrices."""
    matrices: NDArray[np.int32]


class Values:
    """One table of 64 values per (worker, capability), the mutual information of the worker's next answer and
    the truth.

    A cell's value is taken at its centre. With several fields it is that of the field that the cell stands
    for, and of the most telling field for fresh tasks. Where the cell does not tell the most probable label
    (many labels, many fields), the worker counts as one coin: right with their average chance, all errors
    alike.

    A table is computed anew when its matrix changed by an eighth of all changes so far (`versions`): a new
    worker's after every answer, a known one's ever more rarely. The prior's table follows the prior, which
    follows the pool of all labels each time their number has doubled.
    """

    def __init__(self, state: Project, grid: Grid) -> None:
        """Value the cells of this grid; nothing is computed yet."""
        self._state = state
        self._grid = grid
        self._fields = state.models.fields
        self._eligible = EligibleSignatures(state)
        self._plans: dict[int, ValuedPlan] = {}
        self._table_of_matrix: dict[int, int] = {}
        self._capability_of: list[int] = []
        self.values: NDArray[np.float32] = np.zeros((FIRST_TABLES, CELLS), np.float32)
        self.order: NDArray[np.uint8] = np.zeros((FIRST_TABLES, CELLS), np.uint8)
        #: Per field, the version of the matrix at which each table was computed.
        self._stamps = [np.zeros(FIRST_TABLES, np.int32) for _ in self._fields]
        self._count = 1
        self._scratch = np.zeros(FIRST_TABLES, np.int64)
        self._prior_seen: list[NDArray[np.float64]] = []
        self._by_class = {
            group: _centres(grid, group, self._fields[grid.fields_of(group)[0]].n_classes)
            for group in range(len(grid.groups))
            if grid.fields_of(group) and grid.by_class[grid.fields_of(group)[0]]
        }

    def plan(self, worker: int) -> Plan:
        """Give the worker's plan at the crowd stage, its tables up to date."""
        codes = self._eligible.of(worker, Stage.CROWD)
        matrices = self._state.models.matrices_of(worker)
        known = self._plans.get(worker)
        if known is None or known.plan.codes is not codes or known.matrices_known != len(matrices):
            known = self._plans[worker] = self._made(codes, dict(matrices))
        self._refresh(known)
        return known.plan

    def _made(self, codes: NDArray[np.int32], matrices: dict[int, int]) -> ValuedPlan:
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
            len(matrices),
            np.array(list(used.values()), np.int32),
            np.array(list(used), np.int32),
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
        # The arrays are replaced, never changed, so the same ones mean the same prior.
        if len(self._prior_seen) != len(self._fields) or any(
            model.prior_counts is not seen for model, seen in zip(self._fields, self._prior_seen, strict=True)
        ):
            self._prior_seen = [model.prior_counts for model in self._fields]
            self._fill(UNKNOWN_WORKER, [model.prior_counts for model in self._fields])
        if not len(known.tables):
            return
        for model, stamps in zip(self._fields, self._stamps, strict=True):
            count = choosing.stale(known.tables, known.matrices, model.versions, stamps, self._scratch)
            for place in self._scratch[:count].tolist():
                self._compute(int(known.tables[place]), int(known.matrices[place]))

    def _compute(self, table: int, matrix: int) -> None:
        self._fill(table, [model.confusion[matrix] for model in self._fields])
        for model, stamps in zip(self._fields, self._stamps, strict=True):
            stamps[table] = model.versions[matrix]

    def _fill(self, table: int, confusions: list[NDArray[np.float64]]) -> None:
        row = np.zeros(CELLS)
        fresh = [0.0]
        for group, (first, bins) in enumerate(self._grid.groups[:, [FIRST_CELL, BINS]].astype(int).tolist()):
            fields = self._grid.fields_of(group)
            centres = self._by_class.get(group)
            if centres is not None:
                row[first : first + bins] = _information(confusions[fields[0]], centres)
                continue
            shares = [self._one_coin(field, group, confusions[field], bins) for field in fields]
            row[first : first + bins] = np.mean(shares, axis=0) if shares else 0.0
        for model, confusion in zip(self._fields, confusions, strict=True):
            prior = model.class_counts / model.class_counts.sum()
            fresh.append(float(_information(confusion, prior[np.newaxis])[0]))
        row[FRESH] = max(fresh)
        row[SETTLING] = 0.0
        self.values[table] = row
        self.order[table] = np.argsort(-row, kind="stable")

    def _one_coin(
        self, field: int, group: int, confusion: NDArray[np.float64], bins: int
    ) -> NDArray[np.float64]:
        model = self._fields[field]
        right = _accuracy(model, confusion)
        confidence = np.array([self._grid.confidence(group, step) for step in range(bins)])
        return one_coin_information(confidence, right, model.n_classes)


def _centres(grid: Grid, group: int, n_classes: int) -> NDArray[np.float64]:
    """Give the posteriors in the middle of a group's cells: (bins, labels), what the top label leaves shared
    evenly."""
    field = grid.fields_of(group)[0]
    label = group - grid.group_of[field]
    bins = int(grid.groups[group, BINS])
    centres = np.empty((bins, n_classes))
    for step in range(bins):
        confidence = grid.confidence(group, step) if n_classes > 1 else 1.0
        centres[step] = (1.0 - confidence) / max(n_classes - 1, 1)
        centres[step, label] = confidence
    return centres


def _information(confusion: NDArray[np.float64], posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty(len(posteriors))
    fill_information(
        np.ascontiguousarray(confusion)[np.newaxis],
        confusion.sum(axis=1)[np.newaxis],
        0,
        np.ascontiguousarray(posteriors),
        out,
    )
    return out


def _accuracy(model: OnlineDawidSkene, confusion: NDArray[np.float64]) -> float:
    shares = np.diagonal(confusion) / confusion.sum(axis=1)
    return float(shares @ model.class_counts / model.class_counts.sum())


def one_coin_information(
    confidence: NDArray[np.float64], right: float, n_classes: int
) -> NDArray[np.float64]:
    """Give the bits that an answer tells when all errors are alike and the labels but the top one are equally
    probable.

    `confidence` (C,) is the top label's probability, `right` the chance of a right answer. I = H(label) -
    H(label | truth).
    """
    if n_classes < 2:
        return np.zeros(len(confidence))
    wrong = (1.0 - right) / (n_classes - 1)
    top = confidence * right + (1.0 - confidence) * wrong
    entropy = _plogp(top) + _plogp((1.0 - top) / (n_classes - 1)) * (n_classes - 1)
    given = _plogp(np.array([right])) + _plogp(np.array([wrong])) * (n_classes - 1)
    return np.asarray(np.maximum(entropy - given, 0.0))


def _plogp(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    safe = np.maximum(probability, 1e-300)
    return np.asarray(-safe * np.log2(safe))
