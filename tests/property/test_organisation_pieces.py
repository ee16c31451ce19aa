"""An organisation is told piece by piece while it goes on: nothing is torn, no change is lost."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings
from hypothesis.stateful import precondition, rule
from tests.property.test_organisation_machine import OrganisationHistory

from crowdroute.router.commands import Reply
from crowdroute.router.events import Event
from crowdroute.router.machine.organisation import OrganisationMachine
from crowdroute.router.machine.organisation.pieces import PackedRows, ReadInPieces, pack_in_pieces
from crowdroute.router.machine.organisation.saving import SECTION
from crowdroute.router.machine.stream import Decision
from crowdroute.router.state import organisation_rows
from crowdroute.router.state.organisation_rows import HeldRows


class ToldOrganisation(OrganisationHistory):
    """The same commands, and somebody who begins to follow at any moment and reads a piece now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(organisation_rows, "PIECE_ROWS", 2)
        self.pieces: Iterator[PackedRows] | None = None
        self.reading = ReadInPieces()
        self.bodies = b""
        self.held = ""
        """Digest of the organisation when it was held."""
        self.since: list[tuple[Event, int]] = []
        """What happened after that, with its moment."""

    def teardown(self) -> None:
        self._patch.undo()

    def carry_out(self, decision: Decision) -> Reply:
        return super().carry_out(self._noted(decision))

    def _noted(self, decision: Decision) -> Generator[Event, None, Reply]:
        while True:
            try:
                event = next(decision)
            except StopIteration as end:
                return end.value
            self.since.append((event, self.now_us))
            yield event

    @rule()
    def begin_to_follow(self) -> None:
        self.pieces, self.reading = pack_in_pieces(HeldRows(self.live.state)), ReadInPieces()
        self.held, self.bodies, self.since = self.live.digest(), b"", []

    @precondition(lambda self: self.pieces is not None)
    @rule()
    def read_a_piece(self) -> None:
        assert self.pieces is not None
        packed = next(self.pieces, None)
        if packed is None:
            self.pieces = None
            self._judge()
        else:
            self.reading.take(packed)
            self.bodies += packed.body

    @precondition(lambda self: self.pieces is not None)
    @rule()
    def read_the_rest(self) -> None:
        while self.pieces is not None:
            self.read_a_piece()

    def _judge(self) -> None:
        whole = OrganisationMachine()
        whole.state = self.reading.state
        assert whole.digest() == self.held, "the pieces are not what the organisation was at one moment"
        whole.check()
        by_an_older_release = OrganisationMachine()
        by_an_older_release.unpack({SECTION: self.bodies})
        assert by_an_older_release.digest() == self.held
        for event, at_us in self.since:
            whole.apply(event, at_us)
        assert whole.digest() == self.live.digest()
        whole.check()


TestToldOrganisation = ToldOrganisation.TestCase
TestToldOrganisation.settings = settings(max_examples=100)
