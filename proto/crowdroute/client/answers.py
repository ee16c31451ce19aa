"""Answers as plain dictionaries, and what an offer says, without protobuf in the caller's code."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.duration_pb2 import Duration

from crowdroute.api.v1 import assignments_pb2, types_pb2

Labels = Mapping[str, str]
"""Field id -> label id."""


def duration(seconds: float) -> Duration:
    """Give seconds as protobuf has them."""
    whole = int(seconds)
    return Duration(seconds=whole, nanos=round((seconds - whole) * 1e9))


def asking(project_id: str, count: int, wait_s: float, locale: str) -> assignments_pb2.NextRequest:
    """Give the request for offers."""
    request = assignments_pb2.NextRequest(project_id=project_id, count=count, locale=locale)
    if wait_s:
        request.wait.CopyFrom(duration(wait_s))
    return request


def values(labels: Labels) -> dict[str, types_pb2.Value]:
    """Give an answer's values by field id."""
    return {field: types_pb2.Value(label=label) for field, label in labels.items()}


def submission(
    offer: assignments_pb2.Offer, labels: Labels, comment: str, flags: tuple[str, ...], active_s: float
) -> assignments_pb2.SubmitRequest:
    """Give the request that answers an offer."""
    request = assignments_pb2.SubmitRequest(
        project_id=offer.project_id,
        assignment_id=offer.assignment_id,
        lease_token=offer.lease_token,
        answers=values(labels),
        comment=comment,
        flags=flags,
    )
    if active_s:
        request.active_time.CopyFrom(duration(active_s))
    return request


def skipping(
    offer: assignments_pb2.Offer, reason: str, problem: bool, comment: str
) -> assignments_pb2.SkipRequest:
    """Give the request that declines an offer."""
    return assignments_pb2.SkipRequest(
        project_id=offer.project_id,
        assignment_id=offer.assignment_id,
        lease_token=offer.lease_token,
        reason=reason,
        problem=problem,
        comment=comment,
    )


def extension(offer: assignments_pb2.Offer) -> assignments_pb2.ExtendRequest:
    """Give the request that renews an offer's lease."""
    return assignments_pb2.ExtendRequest(
        project_id=offer.project_id, assignment_id=offer.assignment_id, lease_token=offer.lease_token
    )


def giving_back(offer: assignments_pb2.Offer) -> assignments_pb2.ReleaseRequest:
    """Give the request that ends an offer's lease."""
    return assignments_pb2.ReleaseRequest(
        project_id=offer.project_id, assignment_id=offer.assignment_id, lease_token=offer.lease_token
    )


def text_of(offer: assignments_pb2.Offer) -> str:
    """Give the offer's texts, one under the other."""
    return "\n".join(part.text for part in offer.content if part.text)
