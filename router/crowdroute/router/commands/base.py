"""What all commands share."""

from __future__ import annotations

import msgspec


class Wish(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One request; encodable, so that its hash can stand beside an idempotency key."""
