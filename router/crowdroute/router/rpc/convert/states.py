"""Enumerations: on the wire 0 means `not told`, inside it often means something.

Where the engine's first value means something, the wire's numbers are one higher; where it means `none`, they
are the same. The tests walk all of them and compare the names.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeVar

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.states import (
    Account,
    AssignmentState,
    EntryKind,
    FinalReason,
    Payment,
    ProjectState,
    Purpose,
    Receipt,
    Review,
    Revision,
    Stage,
    TaskState,
    WorkerKind,
    WorkerStatus,
)

AnyState = TypeVar("AnyState", bound=IntEnum)

SHIFTED: tuple[type[IntEnum], ...] = (
    Account,
    AssignmentState,
    EntryKind,
    FinalReason,
    ProjectState,
    Purpose,
    Stage,
    TaskState,
    WorkerKind,
    WorkerStatus,
)
"""Enumerations whose first value means something."""

EQUAL: tuple[type[IntEnum], ...] = (Payment, Receipt, Review, Revision)
"""Enumerations whose first value means `none`."""

_shifted = frozenset(SHIFTED)


def number_of(state: IntEnum) -> Any:
    """Give the wire's number of a state (typed as Any: the stubs want each enumeration's own type)."""
    return state + 1 if type(state) in _shifted else int(state)


def state_of(kind: type[AnyState], number: int, field: str) -> AnyState:
    """Read a state that must be told.

    Raises:
        InvalidCommand: it is not told, or of a newer release.
    """
    try:
        return kind(number - 1 if kind in _shifted else number)
    except ValueError:
        told = "is not given" if number == 0 else f"{number} is unknown here"
        raise InvalidCommand(f"{field} {told}", {"field": field}) from None


def optional_state_of(kind: type[AnyState], number: int, field: str) -> AnyState | None:
    """Read a state that may be left out.

    Raises:
        InvalidCommand: it is of a newer release.
    """
    return state_of(kind, number, field) if number else None
