"""Offers: what a worker may know of a lease, and nothing else.

Everything that is the same for all offers of one kind in a project is built once per version of the rules and
copied. Nothing here is given the task's id, its purpose, or whether its answer is known, so it cannot leak.
"""

from __future__ import annotations

from crowdroute.api.v1 import assignments_pb2
from crowdroute.router.commands.replies import Granted
from crowdroute.router.model.content import ItemContent
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.model.states import Receipt, Stage
from crowdroute.router.rpc.convert.content import part_message
from crowdroute.router.rpc.convert.ids import fence_text
from crowdroute.router.rpc.convert.money import money_message
from crowdroute.router.rpc.convert.schema import Schema
from crowdroute.router.rpc.convert.states import number_of

ACCEPTED = frozenset({Receipt.COUNTED, Receipt.SURPLUS})
"""Receipts that an annotator cannot tell apart: which one it was would tell that a task was decided."""

SOON = 2
RETRY_SECONDS = {"PROJECT_PAUSED": 15}
"""Seconds to leave the server alone before asking again, by the reason why there is no task, for callers that
do not wait."""


def guideline_message(schema: Schema, locale: str = "") -> assignments_pb2.Guideline:
    """Write which guideline holds; its text is given only where it is asked for."""
    return assignments_pb2.Guideline(
        version=schema.version,
        digest=schema.guideline_digest,
        locale=locale,
        url=guideline_url(schema),
    )


def guideline_url(schema: Schema) -> str:
    """Give the guideline's address, empty when the rules hold its text."""
    return schema.guideline if schema.guideline.startswith(("https://", "http://")) else ""


def offer_template(project: Id, schema: Schema, stage: Stage, price_micros: int, currency: str) -> bytes:
    """Give what all offers of a kind have in common, encoded."""
    return assignments_pb2.Offer(
        project_id=to_text(Kind.PROJECT, project),
        answer_schema=schema.json,
        guideline=guideline_message(schema),
        pay=money_message(price_micros, currency),
        stage=number_of(stage),
    ).SerializeToString()


def offer_message(template: bytes, lease: Granted, content: ItemContent | None) -> assignments_pb2.Offer:
    """Write an offer; without content when that was erased meanwhile."""
    offer = assignments_pb2.Offer.FromString(template)
    offer.assignment_id = to_text(Kind.ASSIGNMENT, lease.assignment)
    offer.lease_token = fence_text(lease.fence)
    seconds, micros = divmod(lease.deadline_us, 1_000_000)
    offer.deadline.seconds = seconds
    offer.deadline.nanos = micros * 1000
    if content is not None:
        offer.content.extend([part_message(part) for part in content.parts])
    return offer


def receipt_number(receipt: Receipt) -> assignments_pb2.Receipt:
    """Give what an annotator is told of how an answer was taken in."""
    return assignments_pb2.RECEIPT_ACCEPTED if receipt in ACCEPTED else assignments_pb2.RECEIPT_REFUSED


def no_task(reason: str) -> assignments_pb2.NoTask:
    """Say why there is no offer, and when to ask again."""
    message = assignments_pb2.NoTask(reason=reason)
    message.retry_after.seconds = RETRY_SECONDS.get(reason, SOON)
    return message
