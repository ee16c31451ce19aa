"""What the checker says: violations, each with its place and a sentence, and what it counted on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """One promise that a history breaks, and where."""

    rule: str
    """Short name of the broken rule, one of those the modules of the checker name."""
    sentence: str
    sequence: int = 0
    entry: int = -1
    """Index in the batch; -1 when the batch as a whole, or the history's end, is meant."""
    event: int = -1
    """Index in the entry; -1 when the entry as a whole is meant."""
    stream: str = ""
    name: str = ""
    """Class of the event."""

    def __str__(self) -> str:
        place = f"batch {self.sequence}"
        if self.entry >= 0:
            place += f", entry {self.entry}"
        if self.event >= 0:
            place += f", event {self.event} {self.name}"
        if self.stream:
            place += f" of {self.stream}"
        return f"[{self.rule}] {place}: {self.sentence}"


@dataclass
class Report:
    """What one reading of a history found."""

    violations: list[Violation] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    """Batches, entries, events, grants, answers (by receipt too), finalised; and every event by its class."""
    balances: dict[tuple[str, bytes, str], int] = field(default_factory=dict)
    """Micro-units owed by (stream, worker, currency): the sum of the worker's ledger entries."""

    @property
    def ok(self) -> bool:
        """Whether nothing is violated."""
        return not self.violations

    def rules(self) -> set[str]:
        """Names of the rules that are violated."""
        return {violation.rule for violation in self.violations}

    def __str__(self) -> str:
        shown = [str(violation) for violation in self.violations[:20]]
        if len(self.violations) > len(shown):
            shown.append(f"... and {len(self.violations) - len(shown)} more")
        counted = ", ".join(f"{name} {number}" for name, number in sorted(self.counters.items()))
        return "\n".join([f"{len(self.violations)} violations; {counted}", *shown])
