"""The span of the work under way, found by whoever has something to tell of it.

What is traced follows the context of its asyncio task, so that the loop of a shard, for example, needs to be
handed nothing; work that is not sampled costs one look at a context variable.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from crowdroute.router.errors import RouterError
from crowdroute.router.ports import Attributes, Span

OK, CANCELLED, DEFECT = "OK", "CANCELLED", "INTERNAL"
"""How work ends that succeeded, that was given up, or that failed with no error of ours."""

TRACEPARENT = "traceparent"
"""Metadata of a call and header of a Kafka record that names the trace it belongs to (W3C Trace Context)."""

current: ContextVar[Span | None] = ContextVar("span", default=None)
"""The span of the work under way; None: it is not traced."""


@contextlib.contextmanager
def elsewhere(name: str, attributes: Attributes) -> Iterator[str]:
    """Trace what the work under way has carried out elsewhere while the block is entered.

    Gives what is sent along, so that the trace goes on there; empty when nothing is traced.
    """
    work = current.get()
    if work is None:
        yield ""
        return
    span = work.call(name, attributes)
    with _ending(span):
        yield span.traceparent


@contextlib.contextmanager
def within(span: Span | None) -> Iterator[None]:
    """Work in the name of a span, if there is one, and end it with the block."""
    if span is None:
        yield
        return
    before = current.set(span)
    try:
        with _ending(span):
            yield
    finally:
        current.reset(before)


@contextlib.contextmanager
def _ending(span: Span) -> Iterator[None]:
    code = CANCELLED
    try:
        yield
        code = OK
    except Exception as error:
        code = error.code if isinstance(error, RouterError) else DEFECT
        raise
    finally:
        span.end(code, {})
