"""Money: each paid answer has one entry beside it, nothing is posted twice, corrections are new entries."""

from __future__ import annotations

from typing import Any

from tests.checker.layout import (
    BONUS,
    BONUS_COST,
    CORRECTION,
    COUNTED,
    LABELLING_COST,
    MODE_ENFORCE,
    NO_ID,
    PIECE,
    SURPLUS,
    WORKER_PAYABLE,
)
from tests.checker.project import Project, short

SIDES = {PIECE: {LABELLING_COST}, BONUS: {BONUS_COST}, CORRECTION: {LABELLING_COST, BONUS_COST}}
"""Which cost each kind of entry is booked against; the other side is always what is owed to the worker."""


def entry_posted(project: Project, event: Any) -> None:
    """Note a ledger entry under an id that was never used."""
    if event.entry in project.entries:
        project.complain("posted-twice", f"ledger entry {short(event.entry)} was posted before")
    project.entries[event.entry] = event
    if event.kind not in SIDES:
        project.complain("ledger", f"{event.kind} is no kind of ledger entry")
        return
    if event.debit not in SIDES[event.kind] or event.credit != WORKER_PAYABLE:
        project.complain(
            "ledger",
            f"entry {short(event.entry)} of kind {event.kind} debits {event.debit}, credits {event.credit}",
        )
    if event.worker not in project.workers:
        project.complain("ledger", f"entry {short(event.entry)} is for a worker the project does not know")
    project.balances[event.worker, event.currency] += event.micros
    if event.kind != CORRECTION and event.micros <= 0:
        project.complain(
            "ledger", f"entry {short(event.entry)} moves {event.micros} micro-units without correcting"
        )
    if event.assignment != NO_ID:
        project.paid_for[event.assignment] += event.micros
        if project.paid_for[event.assignment] < 0:
            project.complain(
                "ledger", f"corrections take more than assignment {short(event.assignment)} was ever paid"
            )
    if event.kind == BONUS:
        _check_bonus(project, event)


def bonus_decided(project: Project, event: Any) -> None:
    """Note what a bonus rule came to."""
    project.bonuses_decided[event.worker, event.rule, event.period] = event
    if event.checked < event.least_checked and event.micros:
        project.complain(
            "bonus", f"a bonus rests on {event.checked} checked answers, {event.least_checked} are needed"
        )


def _check_bonus(project: Project, event: Any) -> None:
    about = (event.worker, event.rule, event.period)
    if about in project.bonuses:
        project.complain(
            "bonus-twice",
            f"worker {short(event.worker)} gets bonus {event.rule} again for period {event.period}",
        )
    project.bonuses.add(about)
    decided = project.bonuses_decided.get(about)
    if decided is None or decided.mode != MODE_ENFORCE or decided.micros != event.micros:
        project.complain(
            "bonus",
            f"bonus {event.rule} of worker {short(event.worker)} was not decided to be {event.micros}",
        )


def check_pay(project: Project, events: list[Any]) -> None:
    """Complain unless every paid answer of one entry has exactly one piece posted in that same entry."""
    pieces: dict[bytes, list[Any]] = {}
    for event in events:
        if type(event).__name__ == "EntryPosted" and event.kind == PIECE:
            pieces.setdefault(event.assignment, []).append(event)
    for event in events:
        if type(event).__name__ != "AnswerSubmitted" or event.receipt not in (COUNTED, SURPLUS):
            continue
        assignment = project.assignments.get(event.assignment)
        posted = pieces.pop(event.assignment, [])
        if assignment is None:
            continue
        due = 1 if assignment.price_micros > 0 else 0
        if len(posted) != due:
            project.complain(
                "pay",
                f"the answer of assignment {short(assignment.id)} earns {assignment.price_micros} micro-units"
                f" and has {len(posted)} entries beside it",
            )
        rules = project.rules_by_version.get(assignment.rules_version)
        for piece in posted:
            if piece.worker != assignment.worker or piece.micros != assignment.price_micros:
                project.complain(
                    "pay", f"entry {short(piece.entry)} does not pay what was promised to whom it was"
                )
            if rules is not None and piece.currency != rules.currency:
                project.complain(
                    "pay", f"entry {short(piece.entry)} pays in {piece.currency}, not {rules.currency}"
                )
    _check_taken_back(project, events)
    for identity in pieces:
        project.complain("pay", f"assignment {short(identity)} is paid without an answer in the same entry")


def _check_taken_back(project: Project, events: list[Any]) -> None:
    for event in events:
        assignment = (
            project.assignments.get(event.assignment) if type(event).__name__ == "AnswerWithdrawn" else None
        )
        if assignment is None:
            continue
        posted = [
            one.micros
            for one in events
            if type(one).__name__ == "EntryPosted"
            and one.kind == CORRECTION
            and (one.assignment, one.worker) == (assignment.id, assignment.worker)
        ]
        if posted != ([-assignment.price_micros] if assignment.price_micros else []):
            project.complain(
                "pay",
                f"the answer of assignment {short(assignment.id)} is withdrawn with {posted} as corrections",
            )
