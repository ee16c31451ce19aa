"""The tables of a project: items, tasks, assignments, workers, results.

References between rows are row numbers, -1 for none. A chain (`first_…`, `next_…`) runs from the newest row
to the oldest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from crowdroute.router.events.project import LeaseGranted
from crowdroute.router.model.ids import Id, halves, join
from crowdroute.router.state.id_index import IdIndex
from crowdroute.router.state.table import Float32, Int8, Int16, Int32, Int64, Table

NONE = -1

REMEMBERED = 8192
"""Rows found lately, kept in a dictionary: what is in flight is looked up several times per command."""


class _Recent(dict[Id, int]):
    """Rows found lately by id; who is not among them is looked up in the table's index.

    A dictionary that is asked by subscript finds what it holds without a call of Python, and every command
    looks up half a dozen ids.
    """

    def __init__(self, table: IdTable) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, identity: Id) -> int:
        row = self._table.look_up(identity)
        if row >= 0:
            self.remember(identity, row)
        return row

    def remember(self, identity: Id, row: int) -> None:
        if len(self) >= REMEMBERED:
            self.clear()
        self[identity] = row


class IdTable(Table):
    """A table whose rows are found by id."""

    id_high: Int64
    id_low: Int64

    def __init__(self) -> None:
        """Make an empty table."""
        self._index = IdIndex()
        self._recent = _Recent(self)
        self.find: Callable[[Id], int] = self._recent.__getitem__
        """Gives the row with this id, or -1."""
        super().__init__()

    def _hold(self, rows: NDArray[Any]) -> None:
        super()._hold(rows)
        self._high, self._low = rows["id_high"], rows["id_low"]

    def look_up(self, identity: Id) -> int:
        """Give the row with this id, or -1, from the index itself; `find` is faster for those in flight, this
        for those who are likely not there."""
        return self._index.find(identity, self.id_high, self.id_low)

    def add_id(self, identity: Id) -> int:
        """Append a row of zeros under an id that is not there yet."""
        row = self.add()
        high, low = halves(identity)
        self.id_high[row], self.id_low[row] = high, low
        self._index.enter(low, self._high, self._low, row + 1)
        self._recent.remember(identity, row)
        return row

    def recall(self, row: int) -> Id:
        """Give the id of a row that is about to be looked up by it, so that it is found at once."""
        identity = join(self.id_high[row], self.id_low[row])
        self._recent.remember(identity, row)
        return identity

    def id_of(self, row: int) -> Id:
        """Give a row's id."""
        return join(self.id_high[row], self.id_low[row])

    def unpack(self, raw: bytes | memoryview) -> None:
        """Take over rows given by `pack`, and index them."""
        super().unpack(raw)
        self._recent.clear()
        self._index.rebuild(self._high, self._low, self.count)


class Items(IdTable):
    """Content that exists (or was erased); the content itself lies in the content store."""

    external_high: Int64
    external_low: Int64
    #: Keyed digest of the content, so that a copy can be verified.
    digest_high: Int64
    digest_low: Int64
    first_task: Int32
    rounds: Int32
    erased: Int8

    def __init__(self) -> None:
        """Make an empty table."""
        self._external_index = IdIndex()
        super().__init__()

    def _hold(self, rows: NDArray[Any]) -> None:
        super()._hold(rows)
        self._external_high, self._external_low = rows["external_high"], rows["external_low"]

    def find_external(self, external: Id) -> int:
        """Give the row with this digest of an external id, or -1."""
        return self._external_index.find(external, self.external_high, self.external_low)

    def set_external(self, row: int, external: Id) -> None:
        """Put the newest row into the index of external ids."""
        self.external_high[row], self.external_low[row] = halves(external)
        self._external_index.extend(self._external_high, self._external_low, self.count)

    def unpack(self, raw: bytes | memoryview) -> None:
        """Take over rows given by `pack`, and index them."""
        super().unpack(raw)
        self._external_index.rebuild(self._external_high, self._external_low, self.count)


class Tasks(IdTable):
    """Rounds of work on items, with their slots per stage."""

    opened_us: Int64
    deadline_us: Int64
    item: Int32
    next_of_item: Int32
    round: Int32
    batch: Int32
    #: What a worker must have, and under which capability, as one code.
    signature: Int32
    capability: Int32
    first_assignment: Int32
    allow_start: Int32
    allow_count: Int32
    deny_start: Int32
    deny_count: Int32
    #: Position in the list of known answers; -1 for a task whose answer nobody knows.
    known: Int32
    #: Newest row of the results table; -1 without a result.
    result: Int32
    revision: Int32
    #: live + counted + kept never exceeds planned, at any stage.
    planned_crowd: Int32
    planned_senior: Int32
    planned_expert: Int32
    live_crowd: Int32
    live_senior: Int32
    live_expert: Int32
    counted_crowd: Int32
    counted_senior: Int32
    counted_expert: Int32
    #: Annotations that no longer count but keep their slot (discounted ones).
    kept_crowd: Int32
    kept_senior: Int32
    kept_expert: Int32
    #: Counted annotations that a re-opening asked for: below them the task goes on however sure it is.
    least: Int32
    #: Leases in a row that ended without an answer.
    attempts: Int32
    #: Counted annotations whose enforced review is not concluded.
    in_review: Int32
    purpose: Int8
    state: Int8
    stage: Int8
    priority: Int8

    def _hold(self, rows: NDArray[Any]) -> None:
        super()._hold(rows)
        self.planned = (self.planned_crowd, self.planned_senior, self.planned_expert)
        self.live = (self.live_crowd, self.live_senior, self.live_expert)
        self.counted = (self.counted_crowd, self.counted_senior, self.counted_expert)
        self.kept = (self.kept_crowd, self.kept_senior, self.kept_expert)

    def free(self, row: int, stage: int) -> int:
        """Give the number of slots of a stage that nobody holds or has used."""
        return (
            self.planned[stage][row]
            - self.live[stage][row]
            - self.counted[stage][row]
            - self.kept[stage][row]
        )


class Assignments(IdTable):
    """Who was given what, and what came of it; an annotation is the answered part of such a row."""

    granted_us: Int64
    deadline_us: Int64
    answered_us: Int64
    fence: Int64
    price_micros: Int64
    #: Hash of the answer as it was first submitted, so that a retry is told from another answer.
    submitted: Int64
    task: Int32
    worker: Int32
    next_of_task: Int32
    next_of_worker: Int32
    rules_version: Int32
    revisions: Int32
    extensions: Int32
    #: The worker's confusion matrices through which a counted annotation speaks about its task.
    matrix: Int32
    #: Code of the reason why an answer was refused or is surplus; 0 for none.
    reason: Int32
    #: Code of what chose the task, with what it expected and how likely the choice was.
    policy: Int32
    value: Float32
    propensity: Float32
    stage: Int8
    state: Int8
    receipt: Int8
    review: Int8
    payment: Int8
    revision: Int8
    late: Int8
    #: 1 when the review was decided without regard to the answer, so that its verdict is evidence.
    fair_review: Int8
    has_comment: Int8
    has_draft: Int8

    def _hold(self, rows: NDArray[Any]) -> None:
        super()._hold(rows)
        self._bytes = rows.view("u1").data

    def grant(
        self,
        identity: Id,
        task: int,
        worker: int,
        next_of_task: int,
        next_of_worker: int,
        granted_us: int,
        policy: int,
        event: LeaseGranted,
    ) -> int:
        """Append the row of a new lease, written in one go: cell by cell takes three times as long."""
        row = self.add()
        high, low = halves(identity)
        _GRANT.pack_into(
            self._bytes,
            row * _ASSIGNMENT_BYTES,
            high,
            low,
            granted_us,
            event.deadline_us,
            0,
            event.fence,
            event.price_micros,
            0,
            task,
            worker,
            next_of_task,
            next_of_worker,
            event.rules_version,
            0,
            0,
            0,
            0,
            policy,
            event.value,
            event.propensity,
            event.stage,
        )
        self._index.enter(low, self._high, self._low, row + 1)
        self._recent.remember(identity, row)
        return row


_GRANT = Assignments.beginning("stage")
_ASSIGNMENT_BYTES = Assignments.dtype.itemsize


class Workers(IdTable):
    """Workers as this project knows them; version 0 means only named in a list so far."""

    seen_us: Int64
    earned_micros: Int64
    person: Int32
    version: Int32
    capacity: Int32
    live: Int32
    first_assignment: Int32
    granted: Int32
    answered: Int32
    gold_granted: Int32
    gold_checked: Int32
    gold_correct: Int32
    review_checked: Int32
    review_correct: Int32
    #: Answers that the rules sent to review, or would have.
    reviews: Int32
    #: Ledger entries so far: the version under which the balance is told to the organisation.
    entries: Int32
    status: Int8
    kind: Int8
    #: Bit per stage.
    stages: Int8
    discounted: Int8


class Results(Table):
    """Every revision of every result; labels and probabilities stand in arrays beside it, row for row."""

    at_us: Int64
    task: Int32
    previous: Int32
    revision: Int32
    counted: Int32
    rules_version: Int32
    model_version: Int32
    reason: Int16
    #: 1 for a correction, whose reason is free text.
    corrected: Int8
