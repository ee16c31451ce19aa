"""The envelope of a command: everything a decision may depend on besides the state."""

from __future__ import annotations

import msgspec

from crowdroute.router.commands.organisation import OrganisationCommand
from crowdroute.router.commands.project import ProjectCommand
from crowdroute.router.model.ids import NO_ID, Id


class InputStep(msgspec.Struct, frozen=True, gc=False):
    """The records of an input partition from `previous` up to, and without, `next_offset`."""

    topic: str
    partition: int
    previous: int
    """Where the step before it ended; whoever owns the input refuses a step that begins elsewhere."""
    next_offset: int
    lane: str = ""
    """Which records: those of one project, by its id in hexadecimal digits; empty: all of them."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """A command, the stream it is for, who asks, and the random bytes it may use."""

    stream: str
    command: ProjectCommand | OrganisationCommand
    entropy: Id = NO_ID
    """16 random bytes; every id, fence and draw of the decision is derived from them."""
    principal: str = ""
    request: str = ""
    key: str = ""
    """Idempotency key; empty when the caller gave none."""
    digest: bytes = b""
    """Hash of the request as the caller sent it; empty: of the command. A shell that puts fresh ids into a
    command must give it, or a retry would look like another request."""
