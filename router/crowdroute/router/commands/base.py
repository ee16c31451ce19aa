"""What all commands share."""

from __future__ import annotations

from typing import dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True)
class Wish(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One request; encodable, so that its hash can stand beside an idempotency key."""
