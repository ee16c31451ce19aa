"""What the fields of a command must look like whatever the state is."""

from __future__ import annotations

import re

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.ids import ID_BYTES, NO_ID, Id

LONGEST_NAME = 200
"""Characters: a name is a key in an index and a cell in a list, not a description."""

LONGEST_REASON = 500
"""Characters: a reason is repeated in each record that carries it, and the log is no place for stories."""

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_SCOPE = re.compile(r"[a-z][a-z0-9_.:-]{0,63}", re.ASCII)


def require_id(field: str, identity: Id) -> None:
    """Refuse what is not an id of something.

    Raises:
        InvalidCommand: it has another length or is all zero.
    """
    if len(identity) != ID_BYTES or identity == NO_ID:
        raise InvalidCommand(f"{field} must be {ID_BYTES} bytes and not all zero", {"field": field})


def allow_id(field: str, identity: Id) -> None:
    """Refuse what is neither an id nor NO_ID.

    Raises:
        InvalidCommand: it has another length.
    """
    if len(identity) != ID_BYTES:
        raise InvalidCommand(f"{field} must be {ID_BYTES} bytes; all zero stands for none", {"field": field})


def require_name(field: str, name: str) -> None:
    """Refuse a name that is empty, too long, or could be mistaken for another.

    Raises:
        InvalidCommand: the name is unusable.
    """
    _require_text(field, name, LONGEST_NAME)


def require_reason(reason: str) -> None:
    """Refuse an act on people or credentials that nobody gives a reason for.

    Raises:
        InvalidCommand: the reason is empty, too long or not printable.
    """
    _require_text("reason", reason, LONGEST_REASON)


def require_tenant(tenant: str) -> None:
    """Refuse a tenant's name that could not stand in the names of streams, files and topics.

    Raises:
        InvalidCommand: it could not.
    """
    if _TENANT.fullmatch(tenant) is None:
        raise InvalidCommand(
            f"{tenant[:64]!r} is no tenant: give 1 to 63 letters, digits, dots, underscores or hyphens, "
            "a letter or digit first",
            {"field": "tenant"},
        )


def require_scopes(scopes: tuple[str, ...]) -> None:
    """Refuse a set of scopes that grants nothing or names one twice.

    Raises:
        InvalidCommand: it is empty, has a repetition, or holds what is not a scope's name.
    """
    for scope in scopes:
        if _SCOPE.fullmatch(scope) is None:
            raise InvalidCommand(
                f"{scope[:64]!r} is no scope: give up to 64 small letters, digits and . _ : -, "
                "a letter first",
                {"field": "scopes"},
            )
    if not scopes or len(set(scopes)) != len(scopes):
        raise InvalidCommand("scopes must name at least one scope, and each once", {"field": "scopes"})


def require_count(field: str, value: int, least: int) -> None:
    """Refuse a number below the least that makes sense, or beyond 32 bits.

    Raises:
        InvalidCommand: it lies outside.
    """
    if not least <= value < 1 << 31:
        raise InvalidCommand(f"{field} is {value}: give {least} or more, below 2^31", {"field": field})


def _require_text(field: str, text: str, longest: int) -> None:
    if not 1 <= len(text) <= longest or text != text.strip() or not text.isprintable():
        raise InvalidCommand(
            f"{field} must be 1 to {longest} printable characters with no space around them",
            {"field": field},
        )
