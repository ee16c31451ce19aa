"""What every stream's machine offers: decisions as generators, one fold, and a way to be saved.

A decision is a generator. It looks at the state, raises a `Refusal` before its first event or never, and
yields events one by one; the door (`machine.shard`) applies each event before it asks for the next, so the
code after a `yield` sees what the event did. Only `apply` changes state, and it never decides anything: a
replay runs `apply` alone.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Protocol

from crowdroute.router.commands import Reply, Request
from crowdroute.router.events import Event
from crowdroute.router.model.ids import Id

Decision = Generator[Event, None, Reply]
Steps = Generator[Event, None, None]


class StreamMachine(Protocol):
    """One stream: its state and everything that may happen to it."""

    def decide(self, request: Request, now_us: int) -> Decision:
        """Begin to decide a command.

        Raises:
            Refusal: before the first event; nothing changed.
        """

    def apply(self, event: Event, at_us: int) -> None:
        """Fold one event that happened at the logged moment `at_us` (microseconds)."""

    def due(self, now_us: int, entropy: Id) -> Steps:
        """Yield what time has made due, in a bounded number of events."""

    def next_due_us(self) -> int | None:
        """Give the moment at which `due` has something to yield, or None."""

    def pack(self) -> dict[str, bytes]:
        """Give the state as named sections."""

    def unpack(self, sections: Mapping[str, bytes | memoryview]) -> None:
        """Take over a state given by `pack`."""

    def digest(self) -> str:
        """Give a hash of all discrete facts."""

    def check(self) -> None:
        """Verify every invariant of the state.

        Raises:
            InvariantBroken: with what does not hold.
        """


def organisation_stream(tenant: str) -> str:
    """Name the stream of a tenant's organisation."""
    return f"{tenant}/organisation"


def project_stream(tenant: str, project: Id) -> str:
    """Name the stream of one project."""
    return f"{tenant}/project/{project.hex()}"


def tenant_of(stream: str) -> str:
    """Give the tenant that a stream's name begins with."""
    return stream.partition("/")[0]
