"""A batch while it forms: commands decided one after the other, and whoever waits for them."""

from __future__ import annotations

import asyncio

from crowdroute.router.events import Entry, InputOffset
from crowdroute.router.ports import ContentChange

BATCH_BYTES = 512 * 1024
"""Encoded entries at which a batch is closed: what one Kafka record and one COMMIT carry without a stall."""

BATCH_CONTENT_BYTES = 4 << 20
"""Contents at which a batch is closed, so that an import of large texts does not hold up everybody else."""


class Forming:
    """A batch that is not durable yet: what it holds and who waits for it."""

    __slots__ = (
        *("alive_us", "began_ns", "content_size", "contents", "encoded", "ended_ns", "entries", "inputs"),
        *("sequence", "size", "waiters"),
    )

    def __init__(self, alive_us: int = 0) -> None:
        self.alive_us = alive_us
        self.entries: list[Entry] = []
        self.encoded: list[bytes] = []
        self.size = 0
        self.inputs: dict[tuple[str, int, str], InputOffset] = {}
        self.contents: list[ContentChange] = []
        self.content_size = 0
        self.waiters: list[asyncio.Future[None]] = []
        # For whoever traces a call that waited for it:
        self.sequence = 0
        self.began_ns = 0
        self.ended_ns = 0

    def fits(self, size: int, content_size: int) -> bool:
        """Say whether a command that brings so many bytes about may join."""
        return self.size + size <= BATCH_BYTES and self.content_size + content_size <= BATCH_CONTENT_BYTES
