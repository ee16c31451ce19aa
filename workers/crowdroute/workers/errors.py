"""Everything this library refuses, as one tree with stable codes.

The message is for people: what happened, where, what to do next. The code is for programs, the details for
both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class WorkersError(Exception):
    """The root of the tree: whatever this library raises on purpose."""

    code: ClassVar[str] = "WORKERS_ERROR"

    def __init__(self, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, str] = dict(details or {})

    def __reduce__(self) -> tuple[type[WorkersError], tuple[str, dict[str, str]]]:
        return type(self), (self.message, self.details)


class InvalidProfile(WorkersError):
    """A worker's profile breaks a rule of its format; `details["field"]` names the field."""

    code = "WORKERS_INVALID_PROFILE"


class InvalidSkill(WorkersError):
    """A skill's name, level or evidence cannot be right; `details["field"]` names the field."""

    code = "WORKERS_INVALID_SKILL"


class ConflictingEvidence(InvalidSkill):
    """Two versions of a skill claim the same source and version but differ: one of them was never issued."""

    code = "WORKERS_CONFLICTING_EVIDENCE"


class InvalidRequirements(WorkersError):
    """A requirement cannot be met by anybody or means nothing; `details["field"]` names the field."""

    code = "WORKERS_INVALID_REQUIREMENTS"


class InvalidCounts(WorkersError):
    """Counts of checked answers, a prior or a confidence lie outside what they count."""

    code = "WORKERS_INVALID_COUNTS"


class InvalidCapacity(WorkersError):
    """A limit or a use of it is negative."""

    code = "WORKERS_INVALID_CAPACITY"


class TransitionRefused(WorkersError):
    """A worker's status may not change like this; `details` holds status, reason and actor."""

    code = "WORKERS_TRANSITION_REFUSED"


class InvalidMoney(WorkersError):
    """An amount is not an exact number of micro-units of a named currency."""

    code = "WORKERS_INVALID_MONEY"


class CurrencyMismatch(InvalidMoney):
    """Amounts of two currencies were put together."""

    code = "WORKERS_CURRENCY_MISMATCH"


class InvalidPosting(WorkersError):
    """A posting's accounts, key or amount break a rule of double entry."""

    code = "WORKERS_INVALID_POSTING"


class RepeatedPosting(InvalidPosting):
    """A posting's key is taken by another posting: one of the two is not what it says it is for."""

    code = "WORKERS_REPEATED_POSTING"


class InvalidBonusBands(WorkersError):
    """A bonus table is empty, out of order, or pays less for more."""

    code = "WORKERS_INVALID_BONUS_BANDS"
