"""Compares what clients were told with the history: nothing acknowledged may be missing or doubled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.checker.layout import (
    RECEIPT_NAMES,
    Cause,
    DecodeBody,
    Entry,
    Stored,
    decode_body,
    label_by_field,
    read_event,
)
from tests.checker.project import short
from tests.checker.report import Report, Violation


@dataclass(frozen=True)
class GrantAcknowledged:
    """A front-end was told of a lease."""

    stream: str
    assignment: bytes
    worker: bytes
    fence: int


@dataclass(frozen=True)
class SubmitAcknowledged:
    """A front-end was told how an answer was taken in; the answer as (field, label) pairs."""

    stream: str
    assignment: bytes
    receipt: int
    answer: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class KeyAcknowledged:
    """A command that was given under an idempotency key was acknowledged."""

    stream: str
    principal: str
    command: str
    key: str


Acknowledgement = GrantAcknowledged | SubmitAcknowledged | KeyAcknowledged


def check_acknowledged(
    history: Iterable[Stored], acknowledged: Iterable[Acknowledgement], *, decode: DecodeBody = decode_body
) -> Report:
    """Report what was acknowledged and the history lacks, holds twice or tells otherwise."""
    report = Report()
    grants: dict[tuple[str, bytes], list[Any]] = {}
    answers: dict[tuple[str, bytes], list[Any]] = {}
    keys: dict[KeyAcknowledged, int] = {}
    for stored in history:
        for array in decode(stored.body)[1]:
            entry = Entry(*array[:5])
            cause = Cause(*entry.cause[:5])
            if cause.key:
                about = KeyAcknowledged(entry.stream, cause.principal, cause.command, cause.key)
                keys[about] = keys.get(about, 0) + 1
            for event in map(read_event, entry.events):
                if type(event).__name__ == "LeaseGranted":
                    grants.setdefault((entry.stream, event.assignment), []).append(event)
                elif type(event).__name__ == "AnswerSubmitted":
                    answers.setdefault((entry.stream, event.assignment), []).append(event)

    def complain(rule: str, sentence: str, stream: str) -> None:
        report.violations.append(Violation(rule, sentence, stream=stream))

    for told in acknowledged:
        match told:
            case GrantAcknowledged(stream, assignment, worker, fence):
                report.counters["acknowledged grants"] += 1
                found = [(one.worker, one.fence) for one in grants.get((stream, assignment), [])]
                if found != [(worker, fence)]:
                    complain("grant-lost", _told(f"the grant {short(assignment)}", found), stream)
            case SubmitAcknowledged(stream, assignment, receipt, answer):
                report.counters["acknowledged answers"] += 1
                kept = [
                    (one.receipt, label_by_field(one.answer)) for one in answers.get((stream, assignment), [])
                ]
                if kept != [(receipt, dict(answer))]:
                    what = f"the {RECEIPT_NAMES.get(receipt, receipt)} answer {dict(answer)} to"
                    f" {short(assignment)}"
                    complain("answer-lost", _told(what, kept), stream)
            case KeyAcknowledged():
                report.counters["acknowledged keys"] += 1
                if keys.get(told, 0) < 1:
                    complain(
                        "command-lost", f"{told.command} under key {told.key} was acknowledged", told.stream
                    )
    return report


def _told(what: str, found: list[Any]) -> str:
    return f"{what} was acknowledged; the history holds {found or 'nothing'}"
