"""Who may be given a task."""

from __future__ import annotations

from crowdroute.api.v1 import tasks_pb2
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.convert.ids import ids_of
from crowdroute.router.rpc.convert.locales import checked_locale


def requirement_of(message: tasks_pb2.Requirement, field: str) -> Requirement:
    """Read a requirement; whether its pools and vendors exist is the caller's to see.

    Raises:
        InvalidCommand: a language or id is none.
    """
    return Requirement(
        skills=tuple(SkillNeed(need.name, need.level) for need in message.skills),
        languages=tuple(
            checked_locale(tag, f"{field}.languages").lower() for tag in message.languages if tag
        ),
        pools=ids_of(Kind.POOL, message.pool_ids, f"{field}.pool_ids"),
        vendors=ids_of(Kind.VENDOR, message.vendor_ids, f"{field}.vendor_ids"),
        humans_only=message.humans_only,
    )


def requirement_message(requirement: Requirement) -> tasks_pb2.Requirement:
    """Write a requirement."""
    return tasks_pb2.Requirement(
        skills=[tasks_pb2.SkillNeed(name=need.name, level=need.level) for need in requirement.skills],
        languages=requirement.languages,
        pool_ids=[to_text(Kind.POOL, pool) for pool in requirement.pools],
        vendor_ids=[to_text(Kind.VENDOR, vendor) for vendor in requirement.vendors],
        humans_only=requirement.humans_only,
    )
