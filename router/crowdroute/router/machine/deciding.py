"""Decides one command on one stream: each event is applied before the next is asked for; all are one entry.

What this adds to a stream's own machine: logged time that never goes back, and replies that are kept under
idempotency keys.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from crowdroute.router.commands import Reply, Request
from crowdroute.router.commands import organisation as organisation_wishes
from crowdroute.router.commands.project import BeginProject
from crowdroute.router.errors import InvariantBroken, NotFound, Refusal
from crowdroute.router.events import Cause, Entry, Event
from crowdroute.router.events.project import EntryPosted
from crowdroute.router.machine.balances import UntoldBalances
from crowdroute.router.machine.idempotency import Key, Remembered
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.stream import Decision
from crowdroute.router.machine.streams import Stream, Streams

_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


class Deciding:
    """Decides for the streams of a shard, each by itself."""

    def __init__(self, streams: Streams, untold: UntoldBalances) -> None:
        """Decide for these streams, and note there which totals change."""
        self._streams = streams
        self._untold = untold

    def repeated(self, request: Request, now_us: int) -> Reply | None:
        """Give the reply to a request that was decided before under its key, or None.

        Raises:
            KeyReused: another request was.
        """
        key = (request.principal, type(request.command).__name__, request.key)
        return self.replied(request.stream, key, request_digest(request), now_us)

    def replied(self, stream: str, key: Key, digest: bytes, now_us: int) -> Reply | None:
        """Give the reply that a stream keeps under a key, or None.

        Raises:
            KeyReused: it is the reply to another request.
        """
        found = self._streams.get(stream)
        raw = None if found is None else found.replies.find(key, digest, now_us)
        return None if raw is None else _replies.decode(raw)

    def run(self, request: Request, now_us: int) -> tuple[Entry | None, Reply]:
        """Decide one command on one stream."""
        stream = self._streams.get(request.stream) or self._begin(request)
        moment = now_us if now_us > stream.last_us else stream.last_us
        events, reply = self.drive(stream, stream.machine.decide(request, moment), moment)
        if not events:
            return None, reply
        return self.entry(request, stream, events, reply, moment), reply

    def _begin(self, request: Request) -> Stream:
        if isinstance(request.command, organisation_wishes.CreateOrganisation):
            return Stream(OrganisationMachine())
        if isinstance(request.command, BeginProject):
            return Stream(ProjectMachine())
        kind = "organisation" if request.stream.endswith("/organisation") else "project"
        raise NotFound(f"there is no {kind} of that name here")

    def drive(
        self, stream: Stream, decision: Decision, now_us: int, first: Event | None = None
    ) -> tuple[list[Event], Reply]:
        """Apply each event of a decision before the next is asked for."""
        events: list[Event] = []
        apply = stream.machine.apply
        try:
            event = next(decision) if first is None else first
            while True:
                apply(event, now_us)
                events.append(event)
                event = next(decision)
        except StopIteration as end:
            reply: Reply = end.value
            return events, reply
        except Refusal as refusal:
            if events:
                raise InvariantBroken(f"refused after {len(events)} events: {refusal.message}") from refusal
            raise

    def entry(
        self, request: Request, stream: Stream, events: list[Event], reply: Reply, now_us: int
    ) -> Entry:
        """Make the entry of what was decided, and keep what the shard folds of it."""
        digest = encoded = b""
        if request.key:
            digest, encoded = request_digest(request), msgspec.msgpack.encode(reply)
        command = type(request.command).__name__
        cause = Cause(command, request.principal, request.request, request.key, digest)
        entry = Entry(request.stream, now_us, cause, tuple(events), encoded)
        self.note(request.stream, stream, entry)
        return entry

    def note(self, name: str, stream: Stream, entry: Entry) -> None:
        """Keep what the shard itself folds of an entry: the stream, its time, the reply, untold balances."""
        if name not in self._streams:
            self._streams.begin(name, stream)
        stream.last_us = entry.at_us
        cause = entry.cause
        if cause.key:
            stream.replies.remember(
                Remembered(
                    (cause.principal, cause.command, cause.key), cause.digest, entry.reply, entry.at_us
                )
            )
        for event in entry.events:
            if type(event) is EntryPosted:
                self._untold.note(name, event.worker, stream.apart, entry.at_us)


def request_digest(request: Request) -> bytes:
    """Give the hash that tells one request under an idempotency key from another."""
    return request.digest or blake2b(msgspec.msgpack.encode(request.command), digest_size=16).digest()
