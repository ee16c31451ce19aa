"""As much of Kafka's protocol as tells whether a broker serves: one metadata request, without any library."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from local_services.ports import HOST

# https://kafka.apache.org/protocol#The_Messages_Metadata, the last version but four without tagged fields.
METADATA, VERSION = 3, 4
CORRELATION = 7
TIMEOUT = 2.0  # s
LONGEST_REPLY = 1 << 20


@dataclass(frozen=True, slots=True)
class Metadata:
    """Which cluster a broker belongs to, and which brokers it knows to be serving."""

    cluster_id: str | None
    brokers: frozenset[int]


def request() -> bytes:
    """A metadata request for no topic, which makes none, with its length in front."""
    client = b"services"
    body = struct.pack(f">hhih{len(client)}s", METADATA, VERSION, CORRELATION, len(client), client)
    body += struct.pack(">i?", 0, False)
    return struct.pack(">i", len(body)) + body


def parse(reply: bytes) -> Metadata:
    """What the reply without its length says; ValueError if it is not one."""
    reader = _Reader(reply)
    if reader.int32() != CORRELATION:
        raise ValueError("not the answer to this request")
    reader.int32()  # throttle time
    brokers = set()
    for _ in range(reader.int32()):
        brokers.add(reader.int32())
        reader.string()
        reader.int32()
        reader.string()
    return Metadata(reader.string(), frozenset(brokers))


def ask(port: int) -> Metadata | None:
    """What the broker on `port` says, or None if there is no sensible answer."""
    try:
        with socket.create_connection((HOST, port), timeout=TIMEOUT) as connection:
            connection.sendall(request())
            with connection.makefile("rb") as stream:
                (length,) = struct.unpack(">i", stream.read(4))
                return parse(stream.read(length)) if 0 < length <= LONGEST_REPLY else None
    except (OSError, ValueError, struct.error):
        return None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def int32(self) -> int:
        (value,) = struct.unpack_from(">i", self._data, self._at)
        self._at += 4
        return int(value)

    def string(self) -> str | None:
        (length,) = struct.unpack_from(">h", self._data, self._at)
        self._at += 2
        if length < 0:
            return None
        value = self._data[self._at : self._at + length]
        if len(value) < length:
            raise ValueError("cut off")
        self._at += length
        return value.decode()
