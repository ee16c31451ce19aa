"""What a worker does with an offer: the same whether it comes as a call or over a work stream.

Each action reads its message into a command (with the content that belongs to it) and writes the core's reply
as a message. Deciding and waiting for the disk are the callers' part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from google.protobuf.message import Message

from crowdroute.api.v1 import assignments_pb2 as wire
from crowdroute.router.commands import Reply
from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Extended, Granted, Received
from crowdroute.router.errors import InvalidCommand, InvariantBroken
from crowdroute.router.model import content
from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.model.states import Receipt, Stage
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.convert.content import decode_item
from crowdroute.router.rpc.convert.ids import fence_of, id_of
from crowdroute.router.rpc.convert.money import money_message
from crowdroute.router.rpc.convert.offers import offer_message, receipt_number
from crowdroute.router.rpc.convert.schema import Schema
from crowdroute.router.rpc.convert.times import length_of, timestamp
from crowdroute.router.rpc.schemas import Schemas
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.state.project import Project

LONGEST_COMMENT = 10_000
LARGEST_DRAFT = 64 * 1024
MOST_FLAGS = 16
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
"""What a worker's reasons and flags may be. They stand in the log for ever, where no erasure reaches them, so
what people write in words has its place in comments."""
LONGEST_ACTIVE_US = 7 * 86_400 * 1_000_000
"""A week: what a front-end may report as active time before it is taken for nonsense."""


class Desk(NamedTuple):
    """One worker's place in one project."""

    engine: Engine
    schemas: Schemas
    stream: str
    state: Project
    worker: Id

    def schema(self) -> Schema:
        """Give the schema that holds now."""
        return self.schemas.current(self.stream, self.state)


class Decided(NamedTuple):
    """A command, and the content to be made durable with it."""

    command: wishes.ProjectCommand
    contents: Sequence[ContentChange] = ()


class _Held(Protocol):
    """What every message about an offer names."""

    assignment_id: str
    lease_token: str


class Action(NamedTuple):
    """How one kind of message is read and answered."""

    read: Callable[[Desk, Any], Decided]
    write: Callable[[Desk, Reply], Message]


AnyReply = TypeVar("AnyReply", bound=Reply)


def expect(kind: type[AnyReply], reply: Reply) -> AnyReply:
    """Give a reply as the kind that its command always gets.

    Raises:
        InvariantBroken: it is of another kind.
    """
    if not isinstance(reply, kind):
        raise InvariantBroken(f"the core answered {type(reply).__name__} where {kind.__name__} was due")
    return reply


def _held(message: _Held) -> tuple[Id, int]:
    return id_of(Kind.ASSIGNMENT, message.assignment_id, "assignment_id"), fence_of(message.lease_token)


def _comment(desk: Desk, key: str, text: str) -> tuple[bytes, Sequence[ContentChange]]:
    """Give a comment's digest and what is to be stored."""
    if not text:
        return b"", ()
    if len(text) > LONGEST_COMMENT:
        raise InvalidCommand(
            f"the comment has {len(text)} characters; at most {LONGEST_COMMENT}", {"field": "comment"}
        )
    body = text.encode()
    return desk.engine.digest(body), (ContentChange(key, body),)


def _code(text: str, field: str) -> str:
    """Give a code back.

    Raises:
        InvalidCommand: it is none.
    """
    if CODE.fullmatch(text) is None:
        raise InvalidCommand(
            f"{field}: give a code of 1 to 64 letters, digits, _ . : or -, for example `unclear`; words for"
            " people belong into a comment",
            {"field": field},
        )
    return text


def _submit(desk: Desk, message: wire.SubmitRequest) -> Decided:
    assignment, fence = _held(message)
    digest, contents = _comment(desk, content.comment(assignment), message.comment)
    if len(message.flags) > MOST_FLAGS:
        raise InvalidCommand(f"{len(message.flags)} flags; at most {MOST_FLAGS}", {"field": "flags"})
    flags = tuple(_code(flag, "flags") for flag in message.flags)
    active_us = 0
    if message.HasField("active_time"):
        active_us = length_of(message.active_time, "active_time", LONGEST_ACTIVE_US)
    answer = desk.schema().answer_of(message.answers)
    return Decided(
        wishes.SubmitAnswer(desk.worker, assignment, fence, answer, active_us // 1000, digest, flags),
        contents,
    )


def _submitted(desk: Desk, reply: Reply) -> wire.SubmitResponse:
    received = expect(Received, reply)
    return wire.SubmitResponse(
        receipt=receipt_number(received.receipt),
        reason=received.reason if received.receipt is Receipt.REFUSED else "",
        pay=money_message(received.price_micros, desk.state.rules.prices.currency),
    )


def _amend(desk: Desk, message: wire.AmendRequest) -> Decided:
    return Decided(wishes.AmendAnswer(desk.worker, *_held(message), desk.schema().answer_of(message.answers)))


def _amended(desk: Desk, reply: Reply) -> wire.AmendResponse:
    received = expect(Received, reply)
    return wire.AmendResponse(
        receipt=receipt_number(received.receipt),
        pay=money_message(received.price_micros, desk.state.rules.prices.currency),
    )


def _withdraw(desk: Desk, message: wire.WithdrawRequest) -> Decided:
    return Decided(wishes.WithdrawAnswer(desk.worker, *_held(message), _code(message.reason, "reason")))


def _save_draft(desk: Desk, message: wire.SaveDraftRequest) -> Decided:
    if len(message.draft) > LARGEST_DRAFT:
        raise InvalidCommand(
            f"the draft has {len(message.draft)} bytes; at most {LARGEST_DRAFT}", {"field": "draft"}
        )
    assignment, fence = _held(message)
    return Decided(
        wishes.SaveDraft(desk.worker, assignment, fence, desk.engine.digest(message.draft)),
        (ContentChange(content.draft(assignment), message.draft),),
    )


def _skip(desk: Desk, message: wire.SkipRequest) -> Decided:
    assignment, fence = _held(message)
    digest, contents = _comment(desk, content.comment(assignment), message.comment)
    return Decided(
        wishes.SkipAssignment(
            desk.worker, assignment, fence, _code(message.reason, "reason"), message.problem, digest
        ),
        contents,
    )


def _report_problem(desk: Desk, message: wire.ReportProblemRequest) -> Decided:
    assignment, fence = _held(message)
    digest, contents = _comment(desk, content.report(assignment), message.comment)
    return Decided(
        wishes.ReportProblem(desk.worker, assignment, fence, _code(message.reason, "reason"), digest),
        contents,
    )


def _extend(desk: Desk, message: wire.ExtendRequest) -> Decided:
    return Decided(wishes.ExtendLease(desk.worker, *_held(message)))


def _extended(desk: Desk, reply: Reply) -> wire.ExtendResponse:
    return wire.ExtendResponse(deadline=timestamp(expect(Extended, reply).deadline_us))


def _release(desk: Desk, message: wire.ReleaseRequest) -> Decided:
    return Decided(wishes.ReleaseLease(desk.worker, *_held(message)))


ACTIONS: dict[str, Action] = {
    "submit": Action(_submit, _submitted),
    "amend": Action(_amend, _amended),
    "withdraw": Action(_withdraw, lambda desk, reply: wire.WithdrawResponse()),
    "save_draft": Action(_save_draft, lambda desk, reply: wire.SaveDraftResponse()),
    "skip": Action(_skip, lambda desk, reply: wire.SkipResponse()),
    "report_problem": Action(_report_problem, lambda desk, reply: wire.ReportProblemResponse()),
    "extend": Action(_extend, _extended),
    "release": Action(_release, lambda desk, reply: wire.ReleaseResponse()),
}
"""By the name that the action has on the work stream."""

ENDING = frozenset({"submit", "skip", "release"})
"""Actions after which the worker no longer holds the offer."""


async def offers_of(desk: Desk, leases: Sequence[Granted]) -> list[wire.Offer]:
    """Write leases with their content."""
    keys = [content.item(lease.item) for lease in leases]
    bodies = await desk.engine.fetch(keys)
    offers = []
    for key, lease in zip(keys, leases, strict=True):
        frame = desk.schemas.frame(
            desk.stream, desk.state, lease.rules_version, lease.stage, lease.price_micros
        )
        body = bodies.get(key)
        offers.append(offer_message(frame, lease, decode_item(body) if body is not None else None))
    return offers


def live_leases(desk: Desk) -> list[Granted]:
    """Give what the worker holds in this project, in the order in which it was granted."""
    state, table = desk.state, desk.state.assignments
    worker = state.workers.find(desk.worker)
    if worker < 0:
        return []
    rows = [row for row in state.assignments_of_worker(worker) if state.lease_deadline(row) >= 0]
    return [
        Granted(
            assignment=table.id_of(row),
            item=state.items.id_of(state.tasks.item[table.task[row]]),
            stage=Stage(table.stage[row]),
            fence=table.fence[row],
            deadline_us=table.deadline_us[row],
            price_micros=table.price_micros[row],
            currency=state.rules.prices.currency,
            rules_version=table.rules_version[row],
        )
        for row in reversed(rows)
    ]


async def resumed_offers(desk: Desk, leases: Sequence[Granted]) -> list[wire.ResumedOffer]:
    """Write live leases with their content and drafts."""
    drafts = await desk.engine.fetch([content.draft(lease.assignment) for lease in leases])
    return [
        wire.ResumedOffer(offer=offer, draft=drafts.get(content.draft(lease.assignment), b""))
        for lease, offer in zip(leases, await offers_of(desk, leases), strict=True)
    ]
