"""Remember replies by idempotency key for 24 hours of logged time, so that a retry changes nothing."""

from __future__ import annotations

from collections import deque

import msgspec

from crowdroute.router.errors import KeyReused

REMEMBERED_US = 24 * 3600 * 1_000_000
"""A day: longer than any client retries, short enough to bound memory."""

Key = tuple[str, str, str]
"""Principal, command, idempotency key."""


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """One request that was answered."""

    key: Key
    digest: bytes
    reply: bytes
    at_us: int


class Replies:
    """The replies of one stream; folded from its entries."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._by_key: dict[Key, Remembered] = {}
        self._in_order: deque[Remembered] = deque()

    def find(self, key: Key, digest: bytes, now_us: int) -> bytes | None:
        """Give the encoded reply to the same request, or None.

        Raises:
            KeyReused: the key was used for another request.
        """
        remembered = self._by_key.get(key)
        if remembered is None or remembered.at_us + REMEMBERED_US < now_us:
            return None
        if remembered.digest != digest:
            raise KeyReused(
                f"idempotency key {key[2][:64]!r} was used before with another request; take a new key",
                {"key": key[2][:64]},
            )
        return remembered.reply

    def remember(self, remembered: Remembered) -> None:
        """Keep a reply, and let those go that are older than a day."""
        self._by_key[remembered.key] = remembered
        self._in_order.append(remembered)
        while self._in_order and self._in_order[0].at_us + REMEMBERED_US < remembered.at_us:
            gone = self._in_order.popleft()
            if self._by_key.get(gone.key) is gone:
                del self._by_key[gone.key]

    def pack(self) -> bytes:
        """Give everything remembered, oldest first."""
        return msgspec.msgpack.encode(list(self._in_order))

    def unpack(self, raw: bytes | memoryview) -> None:
        """Take over what `pack` gave."""
        self._in_order = deque(msgspec.msgpack.decode(raw, type=list[Remembered]))
        self._by_key = {one.key: one for one in self._in_order}
