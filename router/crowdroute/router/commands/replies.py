"""What a command that was not refused answers; encodable, so that a retry under the same key gets the same
one."""

from __future__ import annotations

from typing import dataclass_transform

import msgspec

from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import Purpose, Receipt, Stage


@dataclass_transform(frozen_default=True)
class _Reply(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Common settings."""


class Done(_Reply, tag=1):
    """It happened; there is nothing more to say."""


class Created(_Reply, tag=2):
    """The thing now exists (or existed already, when the command finds by external id)."""

    id: Id
    version: int = 1


class Granted(_Reply, tag=3):
    """One lease, as a front-end needs it."""

    assignment: Id
    item: Id
    stage: Stage
    fence: int
    deadline_us: int
    price_micros: int
    currency: str
    rules_version: int


class Offered(_Reply, tag=4):
    """The leases that a request for work got; empty with a reason when there is nothing to do."""

    leases: tuple[Granted, ...]
    reason: str = ""
    """`NO_TASK`, `PROJECT_PAUSED`, `AT_CAPACITY` … when no lease was granted."""


class Received(_Reply, tag=5):
    """How an answer was taken in."""

    receipt: Receipt
    reason: str
    price_micros: int


class Extended(_Reply, tag=6):
    """The lease now ends later."""

    deadline_us: int


class RowTaken(_Reply, tag=7):
    """One imported row: its ids, and whether it was there before."""

    item: Id
    task: Id
    known: bool
    purpose: Purpose = Purpose.PRODUCTION


class Imported(_Reply, tag=8):
    """What became of each row, in the order they came."""

    rows: tuple[RowTaken, ...]


class Refitted(_Reply, tag=9):
    """The models rest on what this refit found."""

    version: int
    fitted_through: int
    annotations: int
    digest: bytes


class Noted(_Reply, tag=10):
    """Running totals were taken over, or newer ones were known."""

    unknown: tuple[int, ...]
    """Places, from 0, of those that were left out: the organisation does not have their project or worker."""


Reply = Done | Created | Offered | Received | Extended | Imported | Refitted | Noted
