"""The history checker: folds a log with a model of its own and reports every promise that the log breaks.

It shares no code with the router, so that a mistake in the router's fold is not repeated here. `check` reads
a history, `check_acknowledged` compares one with what clients were told.
"""

from tests.checker.acknowledged import (
    Acknowledgement,
    GrantAcknowledged,
    KeyAcknowledged,
    SubmitAcknowledged,
    check_acknowledged,
)
from tests.checker.history import Reading, check
from tests.checker.report import Report, Violation

__all__ = [
    "Acknowledgement",
    "GrantAcknowledged",
    "KeyAcknowledged",
    "Reading",
    "Report",
    "SubmitAcknowledged",
    "Violation",
    "check",
    "check_acknowledged",
]
