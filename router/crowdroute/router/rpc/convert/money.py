"""Money: integer micro-units inside, a decimal text outside."""

from __future__ import annotations

import re

from crowdroute.api.v1 import types_pb2
from crowdroute.router.errors import InvalidCommand

MICROS = 1_000_000
DIGITS = 6
"""Digits after the point that a micro-unit leaves room for."""

_AMOUNT = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def amount_text(micros: int) -> str:
    """Write micro-units as a decimal number without trailing zeros."""
    whole, rest = divmod(abs(micros), MICROS)
    fraction = f".{rest:0{DIGITS}d}".rstrip("0") if rest else ""
    return f"{'-' if micros < 0 else ''}{whole}{fraction}"


def money_message(micros: int, currency: str) -> types_pb2.Money:
    """Write an amount of money."""
    return types_pb2.Money(currency=currency, amount=amount_text(micros))


def micros_of(message: types_pb2.Money, field: str) -> tuple[int, str]:
    """Read an amount of money: micro-units and currency.

    Raises:
        InvalidCommand: it is no decimal number that micro-units can hold, or has no currency.
    """
    match = _AMOUNT.fullmatch(message.amount)
    if match is None or not _CURRENCY.fullmatch(message.currency):
        raise InvalidCommand(
            f"{message.amount[:32]!r} {message.currency[:8]!r} is no amount: give a decimal number with at"
            f" most {DIGITS} digits after the point, and a currency of three capital letters",
            {"field": field},
        )
    sign, whole, fraction = match.groups()
    micros = int(whole) * MICROS + int((fraction or "").ljust(DIGITS, "0"))
    return (-micros if sign else micros), message.currency
