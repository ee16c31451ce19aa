"""What a campaign did and found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.checker import Report


class Struck(NamedTuple):
    """One fault, as it went."""

    kind: str
    lasted_s: float
    """From its beginning until it was mended."""
    felt_s: float
    """From then until the next receipt."""
    during: int
    """Answers that were acknowledged while it lasted."""


def merged(reports: Iterable[Report]) -> Report:
    """Give what several reports say together."""
    whole = Report()
    for report in reports:
        whole.violations += report.violations
        whole.counters += report.counters
        whole.balances |= report.balances
    return whole


class Account(NamedTuple):
    """A whole campaign."""

    seed: int
    struck: list[Struck]
    lasted_s: float
    """How long the nemesis was at work."""
    answers: int
    """Answers that clients were told of."""
    unfinished: int
    """Tasks without a result though the nemesis had stopped and everybody worked on."""
    untold: int
    """Results that were not put out, where results are."""
    doubled: list[int]
    """By project: items in the log beyond those that were brought in; below 0: how many are missing."""
    erased: int
    """Items whose erasure was acknowledged."""
    read_again: list[str]
    """Their tasks whose content was read after that."""
    owners: int
    """How many had the shard one after the other."""
    void: int
    """Records of those that had lost it: they count for nothing, or `broken` says otherwise."""
    broken: Report
    """Promises that the history breaks."""
    told_otherwise: Report
    """Where the history is not what clients were told."""
    errors: list[BaseException]
    """What got through to callers."""

    @property
    def kinds(self) -> dict[str, list[Struck]]:
        """The faults by kind."""
        by_kind: dict[str, list[Struck]] = {}
        for one in self.struck:
            by_kind.setdefault(one.kind, []).append(one)
        return by_kind

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, doubled, too much, left undone or brought back."""
        return (
            self.broken.ok
            and self.told_otherwise.ok
            and not (self.unfinished or self.untold or any(self.doubled) or self.read_again or self.errors)
        )

    def __str__(self) -> str:
        lines = [f"seed {self.seed}", f"{'fault':34} {'times':>5} {'longest':>8} {'felt':>6} {'answers':>7}"]
        for kind, ones in sorted(self.kinds.items()):
            lasted, felt = max(one.lasted_s for one in ones), max(one.felt_s for one in ones)
            during = sum(one.during for one in ones)
            lines.append(f"{kind:34} {len(ones):5} {lasted:6.1f} s {felt:4.1f} s {during:7}")
        lines.append(
            f"{len(self.struck)} faults of {len(self.kinds)} kinds in {self.lasted_s:.0f} s, "
            f"{self.answers} answers acknowledged, {len(self.broken.violations)} promises broken, "
            f"{len(self.told_otherwise.violations)} told otherwise, "
            f"{self.unfinished} tasks without a result, {sum(self.doubled)} items too many, "
            f"{self.untold} results not put out, "
            f"{len(self.read_again)} of {self.erased} erased items read again; "
            f"{self.owners} owners, {self.void} records of those that had lost the shard"
        )
        lines += [str(report) for report in (self.broken, self.told_otherwise) if not report.ok]
        return "\n".join([*lines, *map(repr, self.errors)])

    def as_json(self) -> dict[str, Any]:
        """The same for programs; times in seconds."""
        return {
            "seed": self.seed,
            "ok": self.ok,
            "lasted_s": self.lasted_s,
            "answers_acknowledged": self.answers,
            "faults": [one._asdict() for one in self.struck],
            "tasks_unfinished": self.unfinished,
            "results_not_put_out": self.untold,
            "items_too_many": self.doubled,
            "items_erased": self.erased,
            "read_after_erasure": self.read_again,
            "owners": self.owners,
            "void_records": self.void,
            "violations": [str(one) for one in self.broken.violations + self.told_otherwise.violations],
            "errors": [repr(error) for error in self.errors],
        }
