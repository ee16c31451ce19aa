"""Spans, without any vendor's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

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
