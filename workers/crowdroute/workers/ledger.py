"""Money as exact integers, and double entry: what leaves one account arrives in another, once.

An amount is a whole number of micro-units (1/1,000,000 of a unit of the currency) in 64 bits; outside the
process it is a decimal string. There is no division here and no rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from crowdroute.workers.errors import CurrencyMismatch, InvalidMoney, InvalidPosting, RepeatedPosting

MICROS = 1_000_000
"""Micro-units in one unit of a currency."""

MOST_MICROS = 2**63 - 1
"""The log and every database column behind it hold 64-bit integers: about 9.2e12 units."""

KEY_BYTES = 16

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_DECIMAL = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,6}))?", re.ASCII)
_ACCOUNT = re.compile(r"[a-z][a-z0-9_]*(:[a-z0-9_-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency; negative amounts are allowed, postings take only positive ones."""

    micros: int
    currency: str
    """Three capital letters (ISO 4217)."""

    def __post_init__(self) -> None:
        """Refuse an amount outside 64 bits and what cannot be a currency."""
        if _CURRENCY.fullmatch(self.currency) is None:
            raise InvalidMoney(
                f"{self.currency[:16]!r} is no currency: give three capital letters (ISO 4217)"
            )
        if not -MOST_MICROS <= self.micros <= MOST_MICROS:
            raise InvalidMoney(f"{self.micros} micro-units do not fit into 64 bits")

    def __add__(self, other: Money) -> Money:
        return Money(self.micros + self._same(other).micros, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.micros - self._same(other).micros, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.micros, self.currency)

    def __str__(self) -> str:
        return f"{format_amount(self.micros)} {self.currency}"

    def _same(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"cannot put {self} and {other} together: convert one of them first")
        return other


def parse_amount(text: str) -> int:
    """Read a decimal string such as `-12.5` as micro-units, exactly.

    Raises:
        InvalidMoney: it is not plain ASCII digits with at most 6 decimals (no sign but `-`, no exponent, no
            separators, no spaces), or does not fit into 64 bits.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidMoney(f"{text[:64]!r} is no amount: give digits with at most 6 decimals, such as 12.50")
    sign, whole, decimals = match.groups()
    micros = int(whole) * MICROS + int((decimals or "").ljust(6, "0"))
    if micros > MOST_MICROS:
        raise InvalidMoney(f"{text} does not fit into 64 bits of micro-units")
    return -micros if sign else micros


def format_amount(micros: int) -> str:
    """Write micro-units as the shortest decimal string that `parse_amount` reads back."""
    whole, decimals = divmod(abs(micros), MICROS)
    fraction = f".{decimals:06d}".rstrip("0").rstrip(".")
    return f"{'-' if micros < 0 else ''}{whole}{fraction}"


def posting_key(*parts: str | bytes | int) -> bytes:
    """Give the key of the posting for what the parts name, for example ("piece", assignment).

    The same parts give the same 16 bytes, so that the same thing cannot be posted twice; other parts, other
    bytes (BLAKE2b; every part goes in with its type and length, so that no two lists run together).
    """
    digest = blake2b(digest_size=KEY_BYTES)
    for part in parts:
        tag = b"b" if isinstance(part, bytes) else b"s" if isinstance(part, str) else b"i"
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(tag + len(data).to_bytes(8, "big") + data)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of money: debited here, credited there, for one thing, never changed."""

    key: bytes
    """Names what the posting is for: the same key never moves money twice."""
    debit: str
    """An account: lower-case words joined by colons, such as `worker_payable:wrk_4f0c`."""
    credit: str
    amount: Money
    """Greater than zero; to take back is to post the other way round."""

    def __post_init__(self) -> None:
        """Refuse what is no movement."""
        if len(self.key) != KEY_BYTES:
            raise InvalidPosting(
                f"a posting's key has {KEY_BYTES} bytes, not {len(self.key)}: use posting_key"
            )
        for account in (self.debit, self.credit):
            if _ACCOUNT.fullmatch(account) is None:
                raise InvalidPosting(
                    f"{account[:64]!r} is no account: give lower-case words joined by colons"
                )
        if self.debit == self.credit:
            raise InvalidPosting(f"nothing moves from {self.debit} to itself: name two accounts")
        if self.amount.micros <= 0:
            raise InvalidPosting(f"{self.amount} is no movement: swap the accounts to move money back")

    def reversed(self) -> Posting:
        """Give the posting that takes this one back; its key follows from this one, so that is once too."""
        return Posting(posting_key("reversal", self.key), self.credit, self.debit, self.amount)


class Balances:
    """The fold of postings: each key once, whatever order and however often they arrive."""

    def __init__(self, postings: Iterable[Posting] = ()) -> None:
        self._posted: dict[bytes, Posting] = {}
        #: Debits less credits, in micro-units, of every (currency, account) that was ever posted to.
        self._balances: dict[tuple[str, str], int] = {}
        for posting in postings:
            self.post(posting)

    def post(self, posting: Posting) -> bool:
        """Move the money, unless this very posting already did; say whether it moved now.

        Raises:
            RepeatedPosting: the key is taken by a posting with another content; nothing moved.
        """
        known = self._posted.get(posting.key)
        if known is not None:
            if known != posting:
                raise RepeatedPosting(
                    f"key {posting.key.hex()} already stands for {known.amount} from {known.credit} to "
                    f"{known.debit}, not {posting.amount} from {posting.credit} to {posting.debit}; "
                    "post a correction under a key of its own",
                    {"key": posting.key.hex()},
                )
            return False
        self._posted[posting.key] = posting
        currency, micros = posting.amount.currency, posting.amount.micros
        for account, change in ((posting.debit, micros), (posting.credit, -micros)):
            self._balances[currency, account] = self._balances.get((currency, account), 0) + change
        return True

    def debit_balance(self, account: str, currency: str) -> int:
        """Give an account's debits less its credits in micro-units; 0 for an account never posted to.

        What is owed to a worker is a credit, hence negative here.
        """
        return self._balances.get((currency, account), 0)

    def accounts(self) -> Iterator[tuple[str, str, int]]:
        """Yield (account, currency, debit balance) of every account posted to, by account and currency."""
        for currency, account in sorted(self._balances, key=lambda key: (key[1], key[0])):
            yield account, currency, self._balances[currency, account]

    def trial_balance(self) -> dict[str, int]:
        """Give the sum of all debit balances per currency: 0 for every one, or the ledger is broken."""
        sums: dict[str, int] = {}
        for (currency, _), balance in self._balances.items():
            sums[currency] = sums.get(currency, 0) + balance
        return sums
