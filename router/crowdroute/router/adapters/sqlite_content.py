"""Contents beside an SQLite log: recent ones in memory, the others read through the log's one connection.

What `get` gives is at least as new as the last append that was acknowledged: changes reach the memory only
when they are durable, and a read of the file waits for the COMMIT in flight. So whoever waits for a reply
before looking up the content that it names will find it, and will not find what was erased before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from crowdroute.router.ports import ContentChange

CACHE_BYTES = 32 << 20
"""Content kept in memory: some thousands of texts, so that work just imported or in hand needs no read."""


class Held(Protocol):
    """The log in whose file the contents lie."""

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist, blocking while the file is written."""

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist without ever blocking the loop."""

    def watch_contents(self, watcher: Callable[[Sequence[ContentChange]], None]) -> None:
        """Have the changes of each append told, as soon as they are durable."""


class SqliteContents:
    """`ContentStore` over a log that keeps contents in an SQLite file."""

    def __init__(self, log: Held, cache_bytes: int = CACHE_BYTES) -> None:
        self._log = log
        self._room = cache_bytes
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        log.watch_contents(self._note)

    def get(self, key: str) -> bytes | None:
        """Give the content, or None when it was erased or never existed; may block for one COMMIT."""
        return self.get_many((key,)).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist; may block for one COMMIT."""
        found, missing = self._split(keys)
        if missing:
            self._add(found, self._log.select(missing))
        return found

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist without ever blocking the loop."""
        found, missing = self._split(keys)
        if missing:
            self._add(found, await self._log.fetch(missing))
        return found

    def _split(self, keys: Iterable[str]) -> tuple[dict[str, bytes], list[str]]:
        found: dict[str, bytes] = {}
        missing: list[str] = []
        for key in keys:
            body = self._recent.get(key)
            if body is None:
                missing.append(key)
            else:
                self._recent.move_to_end(key)
                found[key] = body
        return found, missing

    def _add(self, found: dict[str, bytes], read: dict[str, bytes]) -> None:
        found.update(read)
        for key, body in read.items():
            self._keep(key, body)

    def _note(self, changes: Sequence[ContentChange]) -> None:
        for key, body in changes:
            self._drop(key)
            if body is not None:
                self._keep(key, body)

    def _keep(self, key: str, body: bytes) -> None:
        self._drop(key)
        self._recent[key] = body
        self._room -= len(body)
        while self._room < 0:
            _, oldest = self._recent.popitem(last=False)
            self._room += len(oldest)

    def _drop(self, key: str) -> None:
        body = self._recent.pop(key, None)
        if body is not None:
            self._room += len(body)
