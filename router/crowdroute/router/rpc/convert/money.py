"""Money: integer micro-units inside, a decimal text outside."""

from __future__ import annotations

from crowdroute.api.v1 import types_pb2

MICROS = 1_000_000
DIGITS = 6
"""Digits after the point that a micro-unit leaves room for."""


def amount_text(micros: int) -> str:
    """Write micro-units as a decimal number without trailing zeros."""
    whole, rest = divmod(abs(micros), MICROS)
    fraction = f".{rest:0{DIGITS}d}".rstrip("0") if rest else ""
    return f"{'-' if micros < 0 else ''}{whole}{fraction}"


def money_message(micros: int, currency: str) -> types_pb2.Money:
    """Write an amount of money."""
    return types_pb2.Money(currency=currency, amount=amount_text(micros))
