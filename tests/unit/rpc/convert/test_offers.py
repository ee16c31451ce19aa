"""Offers tell what an annotator needs, and no more."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor

from crowdroute.api.v1 import annotation_pb2, assignments_pb2
from crowdroute.router.commands.replies import Granted
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.model.rules import Field, Label, ProjectRules
from crowdroute.router.model.states import Receipt, Stage
from crowdroute.router.rpc.convert.offers import no_task, offer_message, offer_template, receipt_number
from crowdroute.router.rpc.convert.schema import Schema

RULES = ProjectRules(2, (Field("label", (Label("yes"), Label("no"))),), guideline="https://example.org/g")
LEASE = Granted(b"a" * 16, b"i" * 16, Stage.SENIOR, 255, 1_700_000_000_500_000, 20_000, "USD", 2)
FRAME = offer_template(b"p" * 16, Schema(RULES), Stage.SENIOR, 20_000, "USD")

SECRET = (
    "task",
    "purpose",
    "gold",
    "known",
    "item",
    "propensity",
    "policy",
    "overlap",
    "posterior",
    "worker",
)
"""What no message of AnnotationService may name: it would tell annotators which work is a check."""


def test_an_offer_is_its_frame_and_its_lease() -> None:
    content = ItemContent("their own id", (Part("text", "text/plain", "hello"),))

    offer = offer_message(FRAME, LEASE, content)

    assert offer.project_id == "prj_" + "70" * 16
    assert offer.assignment_id == "asg_" + "61" * 16
    assert offer.lease_token == "00000000000000ff"
    assert (offer.deadline.seconds, offer.deadline.nanos) == (1_700_000_000, 500_000_000)
    assert offer.pay.amount == "0.02"
    assert offer.guideline.url == "https://example.org/g"
    assert [part.text for part in offer.content] == ["hello"]
    assert b"their own id" not in offer.SerializeToString()
    assert (b"i" * 16).hex().encode() not in offer.SerializeToString()


def test_erased_content_leaves_an_offer_without_parts() -> None:
    assert not offer_message(FRAME, LEASE, None).content


def test_an_annotator_cannot_tell_surplus_from_counted() -> None:
    assert (
        receipt_number(Receipt.COUNTED) == receipt_number(Receipt.SURPLUS) == assignments_pb2.RECEIPT_ACCEPTED
    )
    assert receipt_number(Receipt.REFUSED) == assignments_pb2.RECEIPT_REFUSED


def test_who_is_sent_away_is_told_when_to_come_again() -> None:
    assert no_task("PROJECT_PAUSED").retry_after.seconds > no_task("NO_TASK").retry_after.seconds > 0


def test_no_message_to_or_from_an_annotator_names_what_they_may_not_know() -> None:
    service = annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"]
    seen: set[str] = set()

    def walk(message: Descriptor) -> None:
        if message.full_name in seen:
            return
        seen.add(message.full_name)
        for field in message.fields:
            words = field.name.split("_")
            allowed = field.full_name.endswith((".no_task", ".Hello.project_id"))
            assert allowed or not set(words) & set(SECRET), field.full_name
            if field.message_type is not None:
                walk(field.message_type)

    for method in service.methods:
        walk(method.input_type)
        walk(method.output_type)
    assert "crowdroute.api.v1.Offer" in seen
