"""The pure engine as its shells see it."""

from __future__ import annotations

from typing import Protocol

from crowdroute.router.commands import InputStep, Reply, Request
from crowdroute.router.events import Batch, Entry
from crowdroute.router.ports.log import Sections


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
