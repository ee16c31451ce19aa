"""How the log reads: a second description of its layout, so that one mistake is not made twice.

A batch is the array [sequence, entries, inputs]; an entry [stream, at_us, cause, events, reply]; a cause
[command, principal, request, key, digest]; an input offset [topic, partition, next_offset, lane]; an event
[tag, field, field, ...]. Everything is msgpack, and one byte before it may name the format.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

NO_ID = bytes(16)
DAY_US = 24 * 3600 * 1_000_000

CROWD, SENIOR, EXPERT = 0, 1, 2
STAGE_NAMES = {CROWD: "crowd", SENIOR: "senior", EXPERT: "expert"}

PRODUCTION, TRAINING, QUALIFICATION, GOLD, AUDIT = 0, 1, 2, 4, 5
KNOWN_ANSWER = {TRAINING, QUALIFICATION, GOLD}
"""Purposes whose tasks have a known answer and take any number of workers, each person once."""

OPEN, PARKED, FINALISED, CANCELLED = 0, 1, 2, 3
TASK_STATE_NAMES = {OPEN: "open", PARKED: "parked", FINALISED: "finalised", CANCELLED: "cancelled"}

COUNTED, SURPLUS, REFUSED = 1, 2, 3
RECEIPT_NAMES = {COUNTED: "counted", SURPLUS: "surplus", REFUSED: "refused"}

STATUS_PAUSED, STATUS_BANNED = 4, 5
KIND_HUMAN = 0
MODE_ENFORCE = 1
REASON_EXPERT = 1
PIECE, BONUS, CORRECTION = 0, 1, 2
LABELLING_COST, BONUS_COST, WORKER_PAYABLE = 0, 1, 2


class Stored(Protocol):
    """One batch as a log gives it; `ports.StoredBatch` is one, and so is any tuple with these names."""

    @property
    def sequence(self) -> int: ...
    @property
    def chain(self) -> bytes: ...
    @property
    def body(self) -> bytes: ...


DecodeBody = Callable[[bytes], Any]


def decode_body(body: bytes) -> Any:
    """Read the msgpack of a batch, with or without the format byte 0x01 before it (no batch begins so)."""
    return msgspec.msgpack.decode(body[1:] if body[:1] == b"\x01" else body)


class Input(NamedTuple):
    """How far an input partition was taken in; with a lane: of one project's records alone."""

    topic: str
    partition: int
    next_offset: int
    lane: str = ""


class Cause(NamedTuple):
    """Why an entry is there."""

    command: str
    principal: str = ""
    request: str = ""
    key: str = ""
    digest: bytes = b""


class Entry(NamedTuple):
    """What one command did to one stream."""

    stream: str
    at_us: int
    cause: list[Any]
    events: list[list[Any]]
    reply: bytes = b""


class Facts(NamedTuple):
    """One version of what a project knows of a worker."""

    worker: bytes
    person: bytes
    version: int
    status: int = 0
    kind: int = KIND_HUMAN
    vendor: bytes = NO_ID
    pool: bytes = NO_ID
    stages: tuple[int, ...] = (CROWD,)
    skills: tuple[Any, ...] = ()
    languages: tuple[str, ...] = ()
    capacity: int = 0


class Requirement(NamedTuple):
    """A hard filter: [name, level] pairs, languages, pools, vendors, and whether models are kept out."""

    skills: tuple[Any, ...] = ()
    languages: tuple[str, ...] = ()
    pools: tuple[bytes, ...] = ()
    vendors: tuple[bytes, ...] = ()
    humans_only: bool = False


class Rules(NamedTuple):
    """What the checker must know of a project's rules; the parts stay arrays until they are asked for."""

    version: int
    fields: list[Any]
    guideline: str = ""
    requirement: list[Any] | tuple[Any, ...] = ()
    overlap: list[Any] | tuple[Any, ...] = (2, 5)
    stopping: list[Any] | tuple[Any, ...] = ()
    lease: list[Any] | tuple[Any, ...] = (600_000_000, 12, 8, 10)
    gold: list[Any] | tuple[Any, ...] = ()
    prices: list[Any] | tuple[Any, ...] = (0, 0, 0, "USD")
    review: list[Any] | tuple[Any, ...] = ()
    bonuses: list[Any] | tuple[Any, ...] = ()
    routing: list[Any] | tuple[Any, ...] = ()
    code: str = ""
    refit: list[Any] | tuple[Any, ...] = (0, 1)

    @property
    def refit_every_us(self) -> int:
        """Least time between refits that nobody asks for; 0: there are none."""
        return int(self.refit[0])

    @property
    def refit_answers(self) -> int:
        """Answers without which none is due."""
        return int(self.refit[1])

    @property
    def minimum(self) -> int:
        """Counted crowd answers without which nothing is finalised."""
        return int(self.overlap[0])

    @property
    def maximum(self) -> int:
        """Crowd slots planned for a production task."""
        return int(self.overlap[1])

    @property
    def per_worker(self) -> int:
        """Live leases one worker may hold."""
        return int(self.lease[3])

    def price(self, stage: int) -> int:
        """Micro-units that an answer at the stage earns."""
        return int(self.prices[stage])

    @property
    def currency(self) -> str:
        """Currency of the prices."""
        return str(self.prices[3])

    def labels(self) -> list[list[str]]:
        """Label ids per field, in the order of their codes."""
        return [[label[0] for label in labels] for _, labels in self.fields]

    def removed(self, field: int, label: int) -> bool:
        """Whether a label takes no new answers any more."""
        described = self.fields[field][1][label]
        return len(described) > 2 and bool(described[2])


_EVENTS: dict[int, str] = {
    1: "ProjectCreated project name",
    2: "RulesApplied rules",
    3: "ProjectPaused reason",
    4: "ProjectResumed",
    5: "WorkerFactApplied facts",
    6: "ItemAdded item external digest",
    7: "TaskOpened task item round purpose batch planned priority deadline_us capability"
    " requirement allow deny gold",
    8: "SlotsPlanned task stage added reason",
    10: "LeaseGranted assignment task worker stage fence deadline_us price_micros rules_version policy value"
    " propensity locale prelabel_visible",
    11: "LeaseExtended assignment deadline_us",
    12: "LeaseExpired assignment",
    13: "LeaseReleased assignment",
    14: "AssignmentSkipped assignment reason problem comment",
    15: "LeaseRevoked assignment reason",
    16: "AnswerSubmitted assignment answer receipt reason late active_ms comment flags",
    17: "AnswerAmended assignment revision answer checked",
    18: "AnswerWithdrawn assignment reason",
    19: "AnswerDiscounted assignment reason",
    20: "DraftSaved assignment digest",
    21: "ReviewRequested assignment mode reason lower_bound correct checked threshold share draw",
    22: "ReviewConcluded assignment verdict by evidence",
    23: "TaskEscalated task stage reason confidence counted",
    24: "TaskFinalised task revision reason results confidence counted rules_version"
    " model_version calibrator",
    25: "ResultCorrected task revision results confidence reason counted",
    26: "TaskReopened task reason added confidence counted",
    27: "TaskParked task reason attempts",
    28: "TaskCancelled task reason",
    29: "WorkerDiscounted worker reason",
    30: "ItemErased item reason",
    31: "PersonSevered person",
    32: "EntryPosted entry kind worker debit credit micros currency assignment rule period",
    33: "BonusDecided worker rule period mode micros lower_bound correct checked least_checked",
    34: "OutageNoted length_us",
    35: "ProblemReported assignment reason comment",
    36: "ModelInstalled version fitted_through discounted annotations digest fields",
    37: "RefitFellDue version answers",
    100: "OrganisationCreated tenant",
    101: "ProjectRegistered project name shard lane",
    102: "VendorAdded vendor name",
    103: "PoolAdded pool vendor name",
    104: "WorkerUpserted facts external",
    105: "WorkerStatusChanged worker status version reason until_us",
    106: "PersonErased person workers reason",
    107: "TokenIssued token secret name scopes expires_us vendor pool worker parent",
    108: "TokenRevoked token reason",
    109: "BalanceNoted project worker version micros currency",
    110: "ProjectAwaited project name shard lane rules principal key digest",
}

FIRST_ORGANISATION_TAG = 100


def _event_class(described: str) -> Any:
    name, *fields = described.split()
    return namedtuple(name, fields, defaults=[None] * len(fields))


EVENT_CLASSES = {tag: _event_class(described) for tag, described in _EVENTS.items()}


def read_event(array: list[Any]) -> Any:
    """Give an event's fields by name; fields that a newer release appended are left out.

    Raises:
        LookupError: the tag is unknown.
    """
    event_class = EVENT_CLASSES[array[0]]
    return event_class(*array[1 : 1 + len(event_class._fields)])


def label_by_field(answer: list[Any] | tuple[Any, ...]) -> dict[int, int]:
    """Give label codes by field code of an answer, an array of [tag, field, label]."""
    return {field: label for _, field, label in answer}
