"""How events stand in the log: an entry per command, a batch per durable append.

An entry is what one command did to one stream, whole or not at all. A batch is what was appended at once; its
chain hash covers sequence, input offsets and entries, so that a copied history keeps its hashes whatever log
holds it.
"""

from __future__ import annotations

import msgspec

from crowdroute.router.events.organisation import OrganisationEvent
from crowdroute.router.events.project import ProjectEvent


class Cause(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Why an entry is there: the command, who gave it, and under which idempotency key."""

    command: str
    """Name of the command's class; `due` for what time made due."""
    principal: str = ""
    """Text id of the token that asked, or empty for the engine itself."""
    request: str = ""
    """The caller's request id, to follow one call through logs."""
    key: str = ""
    """Idempotency key, unique per principal and command for 24 h; empty when none was given."""
    digest: bytes = b""
    """Hash of the request that came under the key."""


class Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What one command did to one stream at one logged moment."""

    stream: str
    at_us: int
    cause: Cause
    events: tuple[ProjectEvent | OrganisationEvent, ...]
    reply: bytes = b""
    """The encoded reply, kept only under an idempotency key, so that a retry gets the same one."""


class InputOffset(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """How far an input partition is taken in, as of this batch."""

    topic: str
    partition: int
    next_offset: int
    lane: str = ""
    """Of one project's records alone, by its id in hexadecimal digits, which were taken in ahead of others
    that wait; empty: of all records."""


class Batch(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What one durable append holds."""

    sequence: int
    """1 for the first batch of a log, then without gaps."""
    entries: tuple[Entry, ...]
    inputs: tuple[InputOffset, ...] = ()
    alive_us: int = 0
    """Of a batch without entries: the moment at which the engine was up and had nothing to tell, so that who
    comes after it knows since when it was away. 0 where entries tell moments."""
