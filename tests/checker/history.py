"""Reads a history batch by batch, tells its streams apart, and folds each with the checker's own model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from tests.checker import answers, grants, leases, money, organisation, results, tasks
from tests.checker.ending import check_balances, check_quiescent
from tests.checker.layout import (
    DAY_US,
    FIRST_ORGANISATION_TAG,
    Cause,
    DecodeBody,
    Entry,
    Input,
    Stored,
    decode_body,
    read_event,
)
from tests.checker.organisation import Organisation
from tests.checker.project import KnownFacts, Project
from tests.checker.report import Report, Violation

ZERO_CHAIN = bytes(32)

PROJECT: dict[str, Callable[[Project, Any], None]] = {
    "ProjectCreated": tasks.project_created,
    "RulesApplied": tasks.rules_applied,
    "ProjectPaused": tasks.project_paused,
    "ProjectResumed": tasks.project_resumed,
    "WorkerFactApplied": tasks.worker_fact_applied,
    "ItemAdded": tasks.item_added,
    "TaskOpened": tasks.task_opened,
    "SlotsPlanned": tasks.slots_planned,
    "LeaseGranted": grants.lease_granted,
    "LeaseExtended": leases.lease_extended,
    "LeaseExpired": leases.lease_expired,
    "LeaseReleased": leases.lease_released,
    "AssignmentSkipped": leases.assignment_skipped,
    "LeaseRevoked": leases.lease_revoked,
    "AnswerSubmitted": answers.answer_submitted,
    "AnswerAmended": answers.answer_amended,
    "AnswerWithdrawn": answers.answer_withdrawn,
    "AnswerDiscounted": answers.answer_discounted,
    "DraftSaved": leases.held_lease_used,
    "ReviewRequested": answers.review_requested,
    "ReviewConcluded": answers.review_concluded,
    "TaskEscalated": tasks.task_escalated,
    "TaskFinalised": results.task_finalised,
    "ResultCorrected": results.result_corrected,
    "TaskReopened": tasks.task_reopened,
    "TaskParked": tasks.task_parked,
    "TaskCancelled": tasks.task_cancelled,
    "WorkerDiscounted": answers.worker_discounted,
    "ItemErased": tasks.item_erased,
    "PersonSevered": tasks.person_severed,
    "EntryPosted": money.entry_posted,
    "BonusDecided": money.bonus_decided,
    "OutageNoted": leases.outage_noted,
    "ProblemReported": leases.held_lease_used,
    "ModelInstalled": tasks.model_installed,
    "RefitFellDue": tasks.refit_fell_due,
}

ORGANISATION: dict[str, Callable[[Organisation, Any], None]] = {
    "OrganisationCreated": organisation.organisation_created,
    "ProjectRegistered": organisation.project_registered,
    "ProjectAwaited": organisation.project_awaited,
    "VendorAdded": organisation.vendor_added,
    "PoolAdded": organisation.pool_added,
    "WorkerUpserted": organisation.worker_upserted,
    "WorkerStatusChanged": organisation.worker_status_changed,
    "PersonErased": organisation.person_erased,
    "TokenIssued": organisation.token_issued,
    "TokenRevoked": organisation.token_revoked,
    "BalanceNoted": organisation.balance_noted,
}


@dataclass
class Stream:
    """One stream as far as it was read."""

    fold: Project | Organisation | None = None
    """None until the stream is created."""
    now_us: int = 0
    keys: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """When each (principal, command, key) was last used."""


class Reading:
    """One pass over a history; `check` is the way in."""

    def __init__(self, facts: KnownFacts | None = None) -> None:
        """Begin before the first batch; `facts` are shared with who reads an installation's other logs."""
        self.report = Report()
        self.streams: dict[str, Stream] = {}
        self._sequence = 0
        self._chain = ZERO_CHAIN
        self._epoch = 0
        self._facts: KnownFacts = {} if facts is None else facts
        self._inputs: dict[tuple[str, int, str], int] = {}
        self._place = {"sequence": 0, "entry": -1, "event": -1}
        self._stream = ""
        self._event_name = ""

    def complain(self, rule: str, sentence: str) -> None:
        """Report a violation at the place that is being read."""
        self.report.violations.append(
            Violation(rule, sentence, stream=self._stream, name=self._event_name, **self._place)
        )

    def read(self, stored: Stored, decode: DecodeBody = decode_body) -> None:
        """Fold one batch and complain about whatever it breaks."""
        self._at(stored.sequence)
        if stored.sequence != self._sequence + 1:
            self.complain("contiguous", f"batch {stored.sequence} follows batch {self._sequence}")
        expected = blake2b(self._chain + stored.body, digest_size=32).digest()
        if stored.chain != expected:
            self.complain("chain", "the chain hash does not link this body to the batch before")
        epoch = getattr(stored, "epoch", self._epoch)
        if epoch < self._epoch:
            self.complain("epoch", f"an owner of epoch {epoch} appends after one of epoch {self._epoch}")
        self._sequence, self._chain, self._epoch = stored.sequence, stored.chain, max(epoch, self._epoch)
        self.report.counters["batches"] += 1
        sequence, entries, inputs = (*decode(stored.body), ())[:3]
        if sequence != stored.sequence:
            self.complain("contiguous", f"the body says it is batch {sequence}")
        for reached in inputs:
            topic, partition, offset, lane = Input(*reached)
            if offset < self._inputs.get((topic, partition, lane), 0):
                self.complain("inputs", f"the offset of {topic}/{partition} {lane} goes back to {offset}")
            self._inputs[topic, partition, lane] = offset
        for index, array in enumerate(entries):
            self._at(stored.sequence, index)
            self._read_entry(Entry(*array[:5]), index)

    def finish(self, quiescent: bool) -> Report:
        """Close the books: balances, counters and, in a quiescent history, what must be over by now."""
        self._at(self._sequence)
        for name, stream in self.streams.items():
            if not isinstance(stream.fold, Project):
                continue
            self._stream = name
            self.report.counters.update(stream.fold.counters)
            for (worker, currency), micros in stream.fold.balances.items():
                self.report.balances[name, worker, currency] = micros
            if quiescent:
                check_quiescent(stream.fold)
                for other in self.streams.values():
                    if isinstance(other.fold, Organisation):
                        check_balances(stream.fold, other.fold)
        return self.report

    def _at(self, sequence: int, entry: int = -1, event: int = -1) -> None:
        self._place = {"sequence": sequence, "entry": entry, "event": event}
        if entry < 0:
            self._stream = ""
        self._event_name = ""

    def _read_entry(self, entry: Entry, index: int) -> None:
        self._stream = entry.stream
        stream = self.streams.setdefault(entry.stream, Stream())
        self.report.counters["entries"] += 1
        if entry.at_us < stream.now_us:
            self.complain("time", f"logged time goes back by {stream.now_us - entry.at_us} us")
        stream.now_us = max(stream.now_us, entry.at_us)
        self._check_cause(stream, Cause(*entry.cause[:5]), entry)
        sequence = self._place["sequence"]
        events = []
        for position, array in enumerate(entry.events):
            self._at(sequence, index, position)
            if event := self._read_event(stream, array):
                events.append(event)
        self._at(sequence, index)
        if isinstance(stream.fold, Project):
            money.check_pay(stream.fold, events)

    def _check_cause(self, stream: Stream, cause: Cause, entry: Entry) -> None:
        if not cause.command:
            self.complain("cause", "the entry does not say which command brought it about")
        if not cause.key:
            return
        about = (cause.principal, cause.command, cause.key)
        before = stream.keys.get(about)
        if before is not None and entry.at_us - before < DAY_US:
            self.complain(
                "key-twice", f"{cause.command} of {cause.principal} happened twice under key {cause.key}"
            )
        stream.keys[about] = entry.at_us
        if not cause.digest or not entry.reply:
            self.complain("key-kept", f"the entry under key {cause.key} keeps no request digest or no reply")

    def _read_event(self, stream: Stream, array: list[Any]) -> Any:
        self.report.counters["events"] += 1
        try:
            event = read_event(array)
        except LookupError:
            self.complain("unknown-event", f"nothing is known of an event tagged {array[:1]}")
            return None
        name = self._event_name = type(event).__name__
        self.report.counters[name] += 1
        of_organisation = array[0] >= FIRST_ORGANISATION_TAG
        creates = name in ("ProjectCreated", "OrganisationCreated")
        if creates == (stream.fold is not None):
            self.complain(
                "begin", "the stream is created again" if creates else "the stream was never created"
            )
        if stream.fold is None:
            kind = Organisation if of_organisation else Project
            stream.fold = kind(self.complain, self._facts)
        if isinstance(stream.fold, Organisation) != of_organisation:
            self.complain(
                "begin", "an organisation's event stands in a project's stream, or the other way round"
            )
        elif isinstance(stream.fold, Project):
            stream.fold.now_us = stream.now_us
            PROJECT[name](stream.fold, event)
        else:
            ORGANISATION[name](stream.fold, event)
        return event


def check(
    history: Iterable[Stored],
    *,
    quiescent: bool = False,
    decode: DecodeBody = decode_body,
    facts: KnownFacts | None = None,
) -> Report:
    """Read a whole history and report everything it breaks, at every prefix.

    `quiescent` says that the engine was left alone until nothing was due: then nothing may be overdue.
    `facts` are shared with who reads an installation's other logs, that of the organisation first.
    """
    reading = Reading(facts)
    for stored in history:
        reading.read(stored, decode)
    return reading.finish(quiescent)
