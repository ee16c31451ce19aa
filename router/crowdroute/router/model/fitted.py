"""What a refit of a project's models found, as it stands in commands and in the log."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import dataclass_transform

import msgspec

MOST_NUMBERS = 1 << 20
"""Numbers of one installation: at 4 bytes each half of what a record of Kafka may hold."""


@dataclass_transform(frozen_default=True)
class _Fitted(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Common settings: immutable, stored as arrays, a field too many is an error."""


class FittedField(_Fitted):
    """The numbers of one field's model."""

    classes: int
    """Labels of the field when it was fitted."""
    matrices: int
    """Confusion matrices that there were."""
    confusion: bytes
    """Pseudo-labels, prior included: matrices x classes (truth) x classes (label) little-endian float32."""
    class_counts: tuple[float, ...]
    """Pseudo-tasks of each class."""


def digest_of(fields: Sequence[FittedField]) -> bytes:
    """Give the 16 bytes that name these numbers."""
    return blake2b(msgspec.msgpack.encode(tuple(fields)), digest_size=16).digest()
