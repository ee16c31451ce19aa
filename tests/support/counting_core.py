"""The smallest engine that keeps the promises of `ports.Core`: it writes down reasons, in order.

`PauseProject(reason)` notes the reason under an idempotency key, if any. Some reasons mean something:
`refuse …` is refused, `break …` is a defect, `later <us>` makes something due at that moment, `fat <n>` makes
an entry of n bytes. `EraseItem` deletes the content of an item.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from crowdroute.router.commands import InputStep, Reply, Request
from crowdroute.router.commands.project import EraseItem, NoteOutage, PauseProject
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import InvariantBroken, KeyReused, SnapshotUnusable, WrongState
from crowdroute.router.events import Batch, Cause, Entry, InputOffset
from crowdroute.router.events.project import ItemErased, OutageNoted, ProjectPaused, ProjectResumed
from crowdroute.router.machine.inputs import InputMarks
from crowdroute.router.ports import ContentChange, Sections

DUE_STEP = 3
"""Moments that one call of `due` works off."""


class CountingCore:
    """State: the reasons noted so far, what is due, the replies under keys."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.waiting: list[int] = []
        self.replies: dict[str, tuple[bytes, bytes]] = {}
        self.outages: list[int] = []
        self.settled = False
        self.inputs = InputMarks()

    def handle(self, request: Request, now_us: int) -> tuple[tuple[Entry, ...], Reply]:
        command = request.command
        digest = hashlib.sha256(msgspec.msgpack.encode(command)).digest()
        if request.key in self.replies:
            stored, reply = self.replies[request.key]
            if stored != digest:
                raise KeyReused(f"key {request.key} came with another request")
            return (), msgspec.msgpack.decode(reply, type=Reply)
        match command:
            case PauseProject(reason=reason):
                if reason.startswith("refuse"):
                    raise WrongState(reason, {"state": "refusing"})
                event = ProjectPaused("f" * int(reason[4:]) if reason.startswith("fat ") else reason)
                answer: Reply = Created(b"%016d" % len(self.reasons), len(self.reasons) + 1)
            case EraseItem(item=item, reason=reason):
                event, answer = ItemErased(item, reason), Done()
            case NoteOutage(length_us=length):
                event, answer = OutageNoted(length), Done()
            case _:
                raise InvariantBroken(f"this core does not know {command}")
        cause = Cause(type(command).__name__, request.principal, request.request, request.key, digest)
        entry = Entry(
            request.stream, now_us, cause, (event,), msgspec.msgpack.encode(answer) if request.key else b""
        )
        self._fold(entry)
        if isinstance(command, PauseProject) and command.reason.startswith("break"):
            raise InvariantBroken(command.reason)
        return (entry,), answer

    def take_in(self, step: InputStep, request: Request | None, now_us: int) -> tuple[Entry, ...]:
        self.inputs.check(step)
        entries = self.handle(request, now_us)[0] if request is not None else ()
        self.inputs.reach(InputOffset(step.topic, step.partition, step.next_offset, step.lane))
        return entries

    def due(self, now_us: int) -> tuple[Entry, ...]:
        count = sum(moment <= now_us for moment in sorted(self.waiting)[:DUE_STEP])
        if not count:
            return ()
        entry = Entry("project", now_us, Cause("due"), (ProjectResumed(),) * count)
        self._fold(entry)
        return (entry,)

    def next_due_us(self) -> int | None:
        return min(self.waiting, default=None)

    def apply(self, batch: Batch) -> None:
        for entry in batch.entries:
            self._fold(entry)
        for reached in batch.inputs:
            self.inputs.reach(reached)

    def settle(self) -> None:
        self.settled = True

    def pack(self) -> dict[str, bytes]:
        replies = {key: (digest, reply) for key, (digest, reply) in self.replies.items()}
        return {
            "inputs": self.inputs.pack(),
            "reasons": msgspec.msgpack.encode(self.reasons),
            "rest": msgspec.msgpack.encode((self.waiting, replies, self.outages)),
        }

    def unpack(self, sections: Sections) -> None:
        try:
            self.inputs.unpack(sections["inputs"])
            self.reasons = msgspec.msgpack.decode(sections["reasons"], type=list[str])
            self.waiting, self.replies, self.outages = msgspec.msgpack.decode(
                sections["rest"], type=tuple[list[int], dict[str, tuple[bytes, bytes]], list[int]]
            )
        except (KeyError, msgspec.DecodeError) as error:
            raise SnapshotUnusable(f"these are no sections of a counting core: {error}") from error

    def digest(self) -> str:
        return hashlib.sha256(b"".join(self.pack().values())).hexdigest()

    def check(self) -> None:
        if self.waiting != sorted(self.waiting):
            raise InvariantBroken("what is due is out of order")

    def _fold(self, entry: Entry) -> None:
        for event in entry.events:
            match event:
                case ProjectPaused(reason=reason):
                    self.reasons.append(reason)
                    if reason.startswith("later "):
                        self.waiting = sorted([*self.waiting, int(reason[6:])])
                case ProjectResumed():
                    self.waiting.pop(0)
                case OutageNoted(length_us=length):
                    self.outages.append(length)
                case ItemErased():
                    self.reasons.append("erased")
                case _:
                    raise InvariantBroken(f"this core does not know {event}")
        if entry.cause.key:
            self.replies[entry.cause.key] = (entry.cause.digest, entry.reply)


def pause(reason: str, key: str = "") -> Request:
    """Ask for a reason to be noted."""
    return Request("project", PauseProject(reason), key=key)


def erasures(entries: Sequence[Entry]) -> list[ContentChange]:
    """Name the contents that entries delete."""
    return [
        ContentChange(f"item/{event.item.hex()}", None)
        for entry in entries
        for event in entry.events
        if isinstance(event, ItemErased)
    ]
