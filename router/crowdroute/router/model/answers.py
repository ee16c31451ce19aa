"""An answer is a map from the schema's fields to typed values; today every value is one choice.

Fields and labels appear as codes: positions in the schema, which is add-only, so a code never changes its
meaning. A new kind of value is a new struct with a new tag in `FieldValue`.
"""

from __future__ import annotations

import msgspec


class Choice(msgspec.Struct, frozen=True, array_like=True, tag=1, forbid_unknown_fields=True, gc=False):
    """One label of a closed set."""

    field: int
    label: int


FieldValue = Choice
Answer = tuple[FieldValue, ...]


class FieldResult(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What was concluded for one field: the label, and the probability of every label behind it."""

    field: int
    label: int
    probabilities: tuple[float, ...]


def label_codes(answer: Answer, n_fields: int) -> list[int]:
    """Give the label code per field, -1 where the answer leaves a field out."""
    codes = [-1] * n_fields
    for value in answer:
        codes[value.field] = value.label
    return codes
