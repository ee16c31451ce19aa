"""What the engine needs of the outside, as protocols; `adapters` holds one module per vendor."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

from crowdroute.router.commands import InputStep, Reply, Request
from crowdroute.router.events import Batch, Entry
from crowdroute.router.jobs.running import Job, JobProgress, JobResult
from crowdroute.router.model.ids import Id
from crowdroute.router.model.placement import Placement

Sections = Mapping[str, bytes | memoryview]
"""A snapshot's parts by name."""


class StoredBatch(NamedTuple):
    """One batch as the log holds it."""

    sequence: int
    epoch: int
    """The ownership under which it was appended; not covered by the chain."""
    chain: bytes
    """Hash over the previous batch's chain hash and this body (32 bytes)."""
    body: bytes
    """The encoded `Batch`."""


class ContentChange(NamedTuple):
    """One write (or, without a body, one deletion) in the content store."""

    key: str
    body: bytes | None


class EventLog(Protocol):
    """The truth: batches in order, appended by one owner at a time."""

    epoch: int
    """Number of the ownership that this process holds."""

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Return once the batch and the content it names are durable.

        Raises:
            AppendFailed: it was not made durable, or that is unknown. The process must stop.
            Fenced: another owner holds the log.
        """

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch with a sequence above `after`, checked for sequence, checksum and chain.

        Raises:
            LogCorrupt: with the sequence at which the log stops being what was written.
        """

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch (0 and 32 zero bytes for an empty log)."""

    def vouches(self, asked_us: int) -> bool:
        """Say whether the last batch is certain to have been the newest of anybody when a query came in.

        If not, another batch must become durable before the query is answered.

        Args:
            asked_us: when the query came in, by `adapters.system.lease_clock_us`.
        """

    def close(self) -> None:
        """Give the ownership back."""


class ContentStore(Protocol):
    """Payloads, comments, drafts and names, addressed by key; written only through `EventLog.append`."""

    def get(self, key: str) -> bytes | None:
        """Give the content, or None when it was erased or never existed."""

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist."""


class Snapshots(Protocol):
    """Saved folds of a log; losing all of them costs time only."""

    skipped: list[str]
    """Why the last reading passed over some, one line each."""

    def newest(self) -> tuple[int, bytes, Sections] | None:
        """Give sequence, chain hash and sections of the newest usable snapshot."""

    def usable(self) -> Iterator[tuple[int, bytes, Sections]]:
        """Yield every usable snapshot, newest first; one that is damaged or unknown is skipped."""

    def write(self, sequence: int, chain: bytes, sections: Sections) -> None:
        """Keep a fold of the log through `sequence`; older snapshots may go."""


class RunningJob(Protocol):
    """A job that was handed over."""

    async def result(self) -> JobResult:
        """Wait for what comes of it; asked again, the same.

        Raises:
            JobFailed: it failed, was cancelled, or what ran it died.
        """

    def progress(self) -> AsyncIterator[JobProgress]:
        """Yield how far it has come until it is over, to one reader; to a slow one, the newest only."""

    def cancel(self) -> None:
        """End it, whether it runs or waits; one that is over stays as it is."""


class Jobs(Protocol):
    """What does batch work outside the engine's process."""

    def submit(self, job: Job) -> RunningJob:
        """Hand a job over; at most so many run at once as the adapter is told, the others wait."""


class ObjectFolder(Protocol):
    """Objects that are written whole and never changed, in a folder that all nodes may see."""

    place: str
    """Where it is, for messages; holds no credentials."""

    def names(self) -> list[str]:
        """Give the names of all objects, sorted.

        Raises:
            StorageError: the store does not answer, as for every call.
        """

    def read(self, name: str) -> bytes:
        """Give an object."""

    def write(self, name: str, body: bytes) -> None:
        """Return once an object is durable; the same one may be written again, by anybody."""

    def remove(self, name: str) -> None:
        """Let go of an object, if it is there."""


class PlacementRecord(Protocol):
    """Where the supervisor writes each generation of the placement, before anybody acts on it."""

    async def read(self) -> Placement:
        """Give the newest generation; generation 0 when none was written."""

    async def write(self, placement: Placement) -> None:
        """Return once the generation is durable.

        Raises:
            PlacementSuperseded: that generation, or a later one, was written by somebody else; nothing
                changed.
        """


class Beats(Protocol):
    """Signs of life of those who may lead a cluster, one of each rank; beside the placement record."""

    async def beat(self, rank: int, sign: str) -> None:
        """Leave a sign in place of the one before.

        Raises:
            FleetUnavailable: whether it was left is unknown.
        """

    async def heard(self) -> Mapping[int, str]:
        """Give by rank the newest sign of everybody who ever left one.

        Raises:
            FleetUnavailable: nobody can say at present.
        """


class Clock(Protocol):
    """Logged time; see the ADR on time."""

    def now_us(self) -> int:
        """Give microseconds since the epoch, never less than the time before."""


class Ids(Protocol):
    """Where the randomness of commands comes from."""

    def entropy(self) -> Id:
        """Give 16 random bytes that were never given before."""


class KeyspaceOwner(NamedTuple):
    """Whose the rows of a keyspace are."""

    log: str
    """Identity of the log that they follow from."""
    epoch: int
    """The ownership of that log under which they are written; a later one takes the keyspace over."""


class Kept(StrEnum):
    """How a write to the directory ended."""

    DONE = "done"
    LOST = "lost"
    """What is there is not what this owner wrote, or nothing is: rebuild it."""
    SUPERSEDED = "superseded"
    """A later owner of the same log keeps the keyspace."""
    FOREIGN = "foreign"
    """A living owner of another log keeps the keyspace."""
    UNREACHABLE = "unreachable"
    """There was no answer in time; whether it was done is unknown, and to do it again is harmless."""


class Notice(NamedTuple):
    """Rows that are not what they were."""

    keyspace: str
    """Empty: any keyspace may have changed, because notices may have been missed."""
    keys: tuple[str, ...]
    """Empty: any row of the keyspace."""


class Directory(Protocol):
    """What processes tell each other beside the log: derived, and allowed to be gone at any moment.

    No call raises or waits longer than its adapter's timeout; nothing that must be right may depend on it.
    A keyspace is a table of rows with one owner, who follows a log. A row that is read was written by the
    present owner, and is absent otherwise.
    """

    has_others: bool
    """Whether other processes may read it."""

    @property
    def answers(self) -> bool:
        """Whether the last call was answered; while it is not, calls are mostly not made."""

    async def put(self, keyspace: str, owner: KeyspaceOwner, changes: Mapping[str, bytes | None]) -> Kept:
        """Change rows (None deletes one) of a keyspace that this owner rebuilt; without changes, say that the
        owner lives, which is due every second."""

    async def rebuild(
        self, keyspace: str, owner: KeyspaceOwner, rows: AsyncIterable[Mapping[str, bytes]]
    ) -> Kept:
        """Put these rows, given in parts, in the place of all there are; until they are all there, none is
        read."""

    async def get(self, keyspace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Give those of the rows that are known."""

    async def see(self, group: str, seen: Mapping[str, int]) -> None:
        """Note when somebody was seen, in microseconds; the latest moment stands."""

    async def seen(self, group: str, since_us: int) -> dict[str, int]:
        """Give who was seen at that moment or later, by whichever process, and when last."""

    async def settle(
        self, group: str, spent: Mapping[str, int], per_second: float, burst: float
    ) -> dict[str, float]:
        """Take what was spent from buckets that all processes share; give what is left in each, which may be
        below zero. Empty when nobody answers."""

    def notices(self) -> AsyncIterator[Notice]:
        """Yield what changes, for as long as it is read."""

    async def close(self) -> None:
        """Let go of everything."""


class Core(Protocol):
    """The pure engine as its shells see it: one shard's streams behind one door."""

    def handle(self, request: Request, now_us: int) -> tuple[tuple[Entry, ...], Reply]:
        """Decide a command and apply what it brings about; no entries when a stored reply is repeated.

        Raises:
            Refusal: nothing changed.
        """

    def take_in(self, step: InputStep, request: Request | None, now_us: int) -> tuple[Entry, ...]:
        """Decide what records of an input ask for, if anything, and advance the input, both or neither.

        Raises:
            Refusal: nothing changed; `WrongState` when the step does not begin where the last one ended.
        """

    def due(self, now_us: int) -> tuple[Entry, ...]:
        """Bring about what time has made due, in a bounded step; empty when nothing is left to do."""

    def next_due_us(self) -> int | None:
        """Give the moment at which `due` has something to do, or None."""

    def apply(self, batch: Batch) -> None:
        """Fold a batch that was decided before."""

    def settle(self) -> None:
        """Make ready to decide after a fold: build what is derived (routing indexes)."""

    def pack(self) -> dict[str, bytes]:
        """Give the whole state as named sections."""

    def unpack(self, sections: Sections) -> None:
        """Take over a state given by `pack`.

        Raises:
            SnapshotUnusable: the sections are of an unknown version or do not fit together.
        """

    def digest(self) -> str:
        """Give a hash of all discrete facts; equal for equal histories on every machine."""

    def check(self) -> None:
        """Verify every invariant of the state.

        Raises:
            InvariantBroken: with what does not hold.
        """


Attributes = Mapping[str, str | int]
"""What a span tells beside its name and its times."""


class Span(Protocol):
    """One traced piece of work, a call for example; only what is sampled has one."""

    traceparent: str
    """What whoever carries the work on is told, in the form of W3C Trace Context."""

    def step(self, name: str, began_ns: int, ended_ns: int, attributes: Attributes) -> None:
        """Tell of a part of the work that is over, with its times in nanoseconds since 1970."""

    def call(self, name: str, attributes: Attributes) -> Span:
        """Begin a part of the work that is carried out elsewhere."""

    def end(self, code: str, attributes: Attributes) -> None:
        """Say that the work is over, and how it ended: OK, or the code of an error."""


class Tracer(Protocol):
    """Whom spans are told."""

    def begin(
        self,
        kind: Literal["server", "consumer"],
        name: str,
        traceparents: Sequence[str],
        attributes: Attributes,
    ) -> Span | None:
        """Begin the span of some work; None when it is not sampled.

        Args:
            kind: whether a caller waits for it, or a message brought it about.
            name: of the work.
            traceparents: of what brought it about: it goes on with the trace of the first, and points at the
                others; none: a trace of its own.
            attributes: what is known at its beginning.
        """
