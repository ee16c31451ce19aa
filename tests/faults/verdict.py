"""What the independent checker says of a history and of what clients were told of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.checker import (
    Acknowledgement,
    GrantAcknowledged,
    Report,
    SubmitAcknowledged,
    check,
    check_acknowledged,
)
from tests.checker.layout import COUNTED, REFUSED, SURPLUS, Entry, decode_body, read_event
from tests.checker.project import KnownFacts
from tests.faults.journal import ANSWER, GRANT, START, Line
from tests.faults.scene import LABELS

from crowdroute.api.v1 import assignments_pb2
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.ports import StoredBatch

ASSIGNMENT = "asg_"


def history(directory: Path) -> list[StoredBatch]:
    """Give every batch of the log."""
    log = SqliteLog(directory)
    try:
        return list(log.read())
    finally:
        log.close()


def judge(
    batches: list[StoredBatch], stream: str, lines: Iterable[Line], facts: KnownFacts | None = None
) -> tuple[Report, Report]:
    """Give what is wrong with the history, and what of it clients were told otherwise; `facts` as `check`."""
    receipts = {
        event.assignment: event.receipt
        for _, event in _events(batches)
        if type(event).__name__ == "AnswerSubmitted"
    }
    told = [_acknowledgement(stream, line, receipts) for line in lines if line.kind in (GRANT, ANSWER)]
    return check(batches, facts=facts), check_acknowledged(batches, told)


def _acknowledgement(stream: str, line: Line, receipts: dict[bytes, int]) -> Acknowledgement:
    assignment = bytes.fromhex(line.assignment.removeprefix(ASSIGNMENT))
    if line.kind == GRANT:
        return GrantAcknowledged(stream, assignment, bytes.fromhex(line.worker), int(line.fence, 16))
    receipt = REFUSED
    if line.receipt == assignments_pb2.RECEIPT_ACCEPTED:
        # Annotators are not told whether an accepted answer was counted or surplus.
        receipt = SURPLUS if receipts.get(assignment) == SURPLUS else COUNTED
    return SubmitAcknowledged(stream, assignment, receipt, ((0, LABELS.index(line.label)),))


def kills_in_flight(batches: list[StoredBatch], lines: list[Line]) -> int:
    """Count the processes that died with facts on disk of which nobody had been told: a batch was on its way
    from COMMIT to its replies.

    Batches bear the epoch of the process that wrote them; the journal tells what was known when the next one
    began to serve.
    """
    lives: list[set[tuple[str, str]]] = []
    for line in lines:
        if line.kind == START:
            lives.append(set())
        elif line.kind in (GRANT, ANSWER):
            lives[-1].add((line.kind, line.assignment.removeprefix(ASSIGNMENT)))
    written: dict[int, set[tuple[str, str]]] = {}
    for epoch, event in _events(batches):
        name = type(event).__name__
        if name in ("LeaseGranted", "AnswerSubmitted"):
            kind = GRANT if name == "LeaseGranted" else ANSWER
            written.setdefault(epoch, set()).add((kind, event.assignment.hex()))
    told: set[tuple[str, str]] = set()
    caught = 0
    epochs = sorted(written)
    assert len(epochs) == len(lives), "every process wrote something"
    for epoch, life in zip(epochs[:-1], lives[:-1], strict=True):
        told |= life
        caught += bool(written[epoch] - told)
    return caught


def _events(batches: Iterable[StoredBatch]) -> Iterable[tuple[int, object]]:
    for stored in batches:
        for array in decode_body(stored.body)[1]:
            for event in map(read_event, Entry(*array[:5]).events):
                yield stored.epoch, event
