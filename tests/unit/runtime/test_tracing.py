"""Work under way is found where something is to be told of it, and nowhere else."""

from __future__ import annotations

import asyncio

import pytest

from crowdroute.router.errors import NotReady
from crowdroute.router.ports import Attributes
from crowdroute.router.runtime.tracing import current, elsewhere, within


class Told:
    """A span that remembers what it is told."""

    def __init__(self, traceparent: str = "00-1-1-01") -> None:
        self.traceparent = traceparent
        self.codes: list[str] = []
        self.parts: list[Told] = []

    def step(self, name: str, began_ns: int, ended_ns: int, attributes: Attributes) -> None:
        """Nothing here asks for it."""

    def call(self, name: str, attributes: Attributes) -> Told:
        self.parts.append(Told("00-1-2-01"))
        return self.parts[-1]

    def end(self, code: str, attributes: Attributes) -> None:
        self.codes.append(code)


def test_work_has_its_span_until_its_block_is_left() -> None:
    span = Told()
    with within(span):
        assert current.get() is span
    assert current.get() is None
    assert span.codes == ["OK"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotReady("no"), "NOT_READY"),
        (KeyError("a defect"), "INTERNAL"),
        (asyncio.CancelledError(), "CANCELLED"),
    ],
)
def test_a_span_tells_how_its_work_failed(error: BaseException, code: str) -> None:
    span = Told()
    with pytest.raises(type(error)), within(span):
        raise error
    assert span.codes == [code]
    assert current.get() is None


def test_what_is_done_elsewhere_is_told_the_span_of_the_way_there() -> None:
    span = Told()
    with within(span), elsewhere("forward", {}) as traceparent:
        assert traceparent == "00-1-2-01"
        assert span.parts[0].codes == []
    assert span.parts[0].codes == ["OK"]


def test_nothing_is_sent_along_when_nothing_is_traced() -> None:
    with within(None), elsewhere("forward", {}) as traceparent:
        assert traceparent == ""
