"""An organisation's machine as a test drives it: decides, applies, checks, and keeps what happened."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from crowdroute.router.commands import OrganisationCommand, Reply, Request
from crowdroute.router.commands.organisation import (
    AddPool,
    AddVendor,
    CreateOrganisation,
    IssueToken,
    RegisterProject,
    UpsertWorker,
)
from crowdroute.router.errors import Refusal
from crowdroute.router.events import Event
from crowdroute.router.machine.organisation import OrganisationMachine
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.state.organisation import OrganisationState

STREAM = organisation_stream("acme")
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
START = 1_700_000_000 * SECOND

PROJECT, OTHER_PROJECT = b"P" * 16, b"Q" * 16
VENDOR, OTHER_VENDOR = b"V" * 16, b"W" * 16
POOL, OTHER_POOL, OWN_POOL = b"p" * 16, b"q" * 16, b"o" * 16
WORKER, OTHER_WORKER, MODEL = b"1" * 16, b"2" * 16, b"3" * 16
PERSON, OTHER_PERSON = b"a" * 16, b"b" * 16
EXTERNAL, OTHER_EXTERNAL = b"x" * 16, b"y" * 16
TOKEN, SESSION, OTHER_TOKEN = b"T" * 16, b"S" * 16, b"U" * 16
UNKNOWN = b"?" * 16
ENTROPY = b"e" * 16
SECRET = b"s" * 32
MANAGER = "tok_manager"


class Organisation:
    """One machine, the moment it is, and every event so far with its moment."""

    def __init__(self) -> None:
        self.machine = OrganisationMachine()
        self.now_us = START
        self.log: list[tuple[Event, int]] = []

    @property
    def state(self) -> OrganisationState:
        """What the events were folded into."""
        return self.machine.state

    def send(
        self,
        command: OrganisationCommand,
        principal: str = MANAGER,
        entropy: Id = ENTROPY,
        stream: str = STREAM,
    ) -> Reply:
        """Carry a command out and give its reply."""
        decision = self.machine.decide(Request(stream, command, entropy, principal), self.now_us)
        while True:
            try:
                event = next(decision)
            except StopIteration as end:
                self.machine.check()
                return end.value
            self._apply(event)

    def refuses(
        self, command: OrganisationCommand, error: type[Refusal], principal: str = MANAGER
    ) -> Refusal:
        """Give the refusal of a command, sure that nothing changed."""
        before, length = self.machine.digest(), len(self.log)
        with pytest.raises(error) as caught:
            self.send(command, principal)
        assert type(caught.value) is error
        assert (self.machine.digest(), len(self.log)) == (before, length)
        return caught.value

    def changes_nothing(self, command: OrganisationCommand) -> Reply:
        """Give the reply of a command that is accepted without an event."""
        length = len(self.log)
        reply = self.send(command)
        assert len(self.log) == length
        return reply

    def wait(self, length_us: int) -> list[Event]:
        """Let time pass, in one step, and give what became due."""
        self.now_us += length_us
        happened = []
        for event in self.machine.due(self.now_us, ENTROPY):
            self._apply(event)
            happened.append(event)
        self.machine.check()
        return happened

    @property
    def last(self) -> Event:
        """The event that happened last."""
        return self.log[-1][0]

    def _apply(self, event: Event) -> None:
        self.machine.apply(event, self.now_us)
        self.log.append((event, self.now_us))


def folded(log: Iterable[tuple[Event, int]]) -> OrganisationMachine:
    """Give the machine that a log alone leads to."""
    machine = OrganisationMachine()
    for event, at_us in log:
        machine.apply(event, at_us)
    return machine


def begun() -> Organisation:
    """An organisation with two projects, two vendors with a pool each, a pool of its own, and a worker."""
    organisation = Organisation()
    organisation.send(CreateOrganisation("acme"))
    organisation.send(RegisterProject(PROJECT, "birds", shard=0))
    organisation.send(RegisterProject(OTHER_PROJECT, "bees", shard=1))
    organisation.send(AddVendor(VENDOR, "north"))
    organisation.send(AddVendor(OTHER_VENDOR, "south"))
    organisation.send(AddPool(POOL, VENDOR, "north crowd"))
    organisation.send(AddPool(OTHER_POOL, OTHER_VENDOR, "south crowd"))
    organisation.send(AddPool(OWN_POOL, NO_ID, "our own"))
    organisation.send(UpsertWorker(WORKER, PERSON, EXTERNAL, vendor=VENDOR, pool=POOL))
    return organisation


def a_token(**fields: object) -> IssueToken:
    """A service token that never ends, with the fields given put in."""
    given = {"token": TOKEN, "secret": SECRET, "name": "back end", "scopes": ("work",), **fields}
    return IssueToken(**given)


def a_session(**fields: object) -> IssueToken:
    """A session of the first worker, minted by the service token, that ends in an hour."""
    return a_token(
        **{
            "token": SESSION,
            "name": "session",
            "parent": TOKEN,
            "worker": WORKER,
            "expires_us": START + HOUR,
            **fields,
        }
    )
