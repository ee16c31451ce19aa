"""Who answers where Redis should be and is another service: asked plainly, since Redis' client only tells
that the connection was closed."""

from __future__ import annotations

import asyncio
import contextlib
import struct

PATIENCE_SECONDS = 1.0
"""For the first words of an answer; a service that is there needs a thousandth of it."""

MOST_BYTES = 1024
"""Enough to know anybody by."""

MOST_QUOTED = 60
"""Characters of what was said that fit into a line for people."""

PING = b"*1\r\n$4\r\nPING\r\n"
"""A Redis of any version says `+` or `-` to it, whatever state it is in and whatever it wants first."""

TLS_ALERT = b"\x15\x03"
"""How the complaint of a server begins that expected a handshake."""

_CORRELATION = b"crow"
"""Four bytes that Kafka repeats after the length of its answer."""

KAFKA_HELLO = struct.pack(">ihh4sh", 10, 18, 0, _CORRELATION, -1)
"""What Kafka's clients ask first: its length, kind 18 (which versions?) in version 0, those bytes, no
name."""

REDIS = "a Redis without encryption"
TLS = "a service that speaks TLS"
KAFKA = "a broker of Kafka"


async def who_answers(host: str, port: int) -> str:
    """Say who answers there; empty when nobody does, or somebody who closes the connection without a word, as
    what stands between us and a Redis that is away may do."""
    said = await _first_words(host, port, PING)
    if said[:1] in (b"+", b"-"):
        return REDIS
    if said[:2] == TLS_ALERT:
        return TLS
    if said:
        line = said.splitlines()[0][:MOST_QUOTED]
        return f"a service that says {line.decode('ascii', 'backslashreplace')!r}"
    answered = await _first_words(host, port, KAFKA_HELLO)
    return KAFKA if answered[4:8] == _CORRELATION else ""


async def _first_words(host: str, port: int, asked: bytes) -> bytes:
    """Give the beginning of what a service says when it is told something; empty when it says nothing."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(asked)
                return await reader.read(MOST_BYTES)
            finally:
                writer.close()
    return b""
