"""Where things lie in the content store, and what an item's content is made of.

The log refers to content by ids and keyed digests alone; everything under these keys can be deleted without
the log reading differently.
"""

from __future__ import annotations

import msgspec

from crowdroute.router.model.ids import Id


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One piece of what an annotator sees."""

    id: str
    mime_type: str
    text: str = ""
    data: bytes = b""
    """The bytes of an image or the like; empty when there is a text or an address."""
    url: str = ""
    language: str = ""


class ItemContent(msgspec.Struct, frozen=True, array_like=True):
    """An item as its owner gave it."""

    external_id: str
    parts: tuple[Part, ...]


class WorkerContent(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a worker that names a human."""

    external_id: str
    name: str = ""
    contact: str = ""


class RulesContent(msgspec.Struct, frozen=True, array_like=True):
    """A rules document as it was written, and who applied it when."""

    text: str
    applied_us: int
    """Logged time."""
    applied_by: str
    """Text id of the token."""


def item(identity: Id) -> str:
    """Give the key of an item's content."""
    return f"item/{identity.hex()}"


def comment(assignment: Id) -> str:
    """Give the key of the comment that came with an assignment."""
    return f"comment/{assignment.hex()}"


def report(assignment: Id) -> str:
    """Give the key of what a worker wrote when they reported a problem and kept the task."""
    return f"report/{assignment.hex()}"


def draft(assignment: Id) -> str:
    """Give the key of an assignment's unfinished answer."""
    return f"draft/{assignment.hex()}"


def worker(identity: Id) -> str:
    """Give the key of what names a worker."""
    return f"worker/{identity.hex()}"


def person(identity: Id) -> str:
    """Give the key of what names a person."""
    return f"person/{identity.hex()}"


def rules(project: Id, version: int) -> str:
    """Give the key of the document that a version of a project's rules was compiled from."""
    return f"rules/{project.hex()}/{version}"
