"""Language tags (BCP 47), checked for their form only."""

from __future__ import annotations

import re

from crowdroute.router.errors import InvalidCommand

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}", re.ASCII)


def checked_locale(tag: str, field: str = "locale") -> str:
    """Give a language tag back if it may be one; the empty text stands for none.

    Raises:
        InvalidCommand: it is no language tag.
    """
    if tag and not _TAG.fullmatch(tag):
        raise InvalidCommand(
            f"{tag[:64]!r} is no language tag: give one like `en` or `pt-BR`", {"field": field}
        )
    return tag
