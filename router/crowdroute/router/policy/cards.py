"""What choosing needs to know of each task, in one short row beside the tasks table; derived, never saved."""

from __future__ import annotations

from typing import Annotated

from crowdroute.router.state.table import Int8, Int32, Table

SEEN = 8
"""Workers whom a card remembers itself; a task that met more of them is looked up in its chain of
assignments."""

Seen = Annotated[memoryview, f"({SEEN},)i4"]
Float32 = Annotated[memoryview, "f4"]

OUTSIDE = 0
"""Of `entered`: the task never was in the candidate sets of its allow list."""
INSIDE = 1
GONE = 2
"""Of `entered`: the task was closed, so whoever meets it in their set may throw it out."""


class Cards(Table):
    """One row per task row."""

    #: Rows of the first workers who were granted the task.
    seen: Seen
    #: How many were; beyond `SEEN` of them the chain must be walked.
    seen_count: Int32
    #: 1 + the newest assignment that is among them.
    synced: Int32
    signature: Int32
    #: 1 + where the task stands in its signature's pool; 0 when it does not.
    place: Int32
    #: Probability of the most probable label, of the field where it is lowest.
    confidence: Float32
    #: Which group of cells that field and label stand for.
    group: Int8
    cell: Int8
    #: The task's priority, lifted as its deadline comes near.
    priority: Int8
    #: How many classes the deadline lifts it by, and up to where the ageing is to wake it.
    lift: Int8
    armed: Int8
    #: Bit per stage that takes another worker.
    wanted: Int8
    #: 1 while the crowd is not asked because a check may end the task (`Project.awaits_check`).
    resting: Int8
    listed: Int8
    denies: Int8
    entered: Int8
    #: 1 when it counts as under way: the crowd has begun it and is wanted still.
    under_way: Int8

    def follow(self, tasks: int) -> None:
        """Have a row for each of this many tasks."""
        self.reserve(tasks)
        self.count = max(self.count, tasks)

    def clear(self, tasks: int) -> None:
        """Forget everything, and have an empty row for each of this many tasks."""
        self.reserve(tasks)
        self.rows[: max(self.count, tasks)] = 0
        self.count = tasks
