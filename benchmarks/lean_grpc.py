"""A gRPC client of a few dozen lines, so that the load costs less than what it measures.

It speaks just enough HTTP/2 for one connection to a local server: no Huffman coding, no header compression,
no flow control beyond generous windows. Calls in flight are advanced by generators, one per loop.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Generator

DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
LARGEST_WINDOW = (1 << 31) - 1
WINDOW_LEFT = 1 << 29
RECEIVE = 1 << 18

Load = Generator[tuple["Stub", bytes, bool], bytes, None]
"""Yields (stub, message, more): `more` keeps the stream open for the next message of the same stub. Is sent
each response message."""


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\0" + _length(len(name)) + name + _length(len(value)) + value


def _length(number: int) -> bytes:
    if number < 127:
        return bytes((number,))
    rest, coded = number - 127, b"\x7f"
    while rest >= 128:
        coded += bytes((rest & 127 | 128,))
        rest >>= 7
    return coded + bytes((rest,))


class Stub:
    """One method with its headers, encoded once."""

    def __init__(self, path: str, bearer: str = "", timeout: str = "30S") -> None:
        block = b"\x83\x86\x04" + _length(len(path)) + path.encode()
        block += _literal(b":authority", b"localhost") + _literal(b"te", b"trailers")
        block += _literal(b"content-type", b"application/grpc")
        if timeout:
            block += _literal(b"grpc-timeout", timeout.encode())
        if bearer:
            block += _literal(b"authorization", f"Bearer {bearer}".encode())
        self.headers = block


class Connection:
    """One connection, driven by `run`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._next = 1
        self._out: list[bytes] = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            _frame(SETTINGS, 0, 0, struct.pack(">HIHI", 4, LARGEST_WINDOW, 2, 0)),
            _frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - 65535)),
        ]
        self._window = LARGEST_WINDOW
        self._loads: dict[int, Load] = {}
        self._bodies: dict[int, bytearray] = {}
        self._open: set[int] = set()
        self._stubs: dict[int, Stub] = {}
        self._in = bytearray()

    def run(self, loads: list[Load]) -> None:
        """Advance all loads at once until each has ended."""
        ready = deque((load, None) for load in loads)
        left = len(loads)
        while left:
            while ready:
                load, response = ready.popleft()
                left -= self._advance(load, response, 0)
            self._flush()
            for stream, message in self._receive():
                waiting = self._loads.get(stream)
                if waiting is not None:
                    left -= self._advance(waiting, message, stream)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _advance(self, load: Load, response: bytes | None, stream: int) -> int:
        try:
            stub, message, more = next(load) if response is None else load.send(response)
        except StopIteration:
            if stream in self._open:
                self._out.append(_frame(DATA, END_STREAM, stream, b""))
            self._loads.pop(stream, None)
            return 1
        if stream not in self._open or self._stubs.get(stream) is not stub:
            self._loads.pop(stream, None)
            stream, self._next = self._next, self._next + 2
            self._out.append(_frame(HEADERS, END_HEADERS, stream, stub.headers))
            self._loads[stream] = load
            if more:
                self._open.add(stream)
                self._stubs[stream] = stub
        if message or not more:
            body = b"\0" + struct.pack(">I", len(message)) + message
            self._out.append(_frame(DATA, 0 if more else END_STREAM, stream, body))
        return 0

    def _flush(self) -> None:
        if self._out:
            self._socket.sendall(b"".join(self._out))
            self._out.clear()

    def _receive(self) -> Generator[tuple[int, bytes], None, None]:
        """Yield the messages that one read brings."""
        chunk = self._socket.recv(RECEIVE)
        if not chunk:
            raise ConnectionError("the server hung up")
        data = self._in
        data += chunk
        at = 0
        while len(data) - at >= 9:
            length = int.from_bytes(data[at : at + 3], "big")
            if len(data) - at < 9 + length:
                break
            kind, flags = data[at + 3], data[at + 4]
            stream = int.from_bytes(data[at + 5 : at + 9], "big")
            payload = bytes(data[at + 9 : at + 9 + length])
            at += 9 + length
            if kind == DATA:
                yield from self._messages(stream, payload)
            elif kind == HEADERS and flags & END_STREAM:
                if stream in self._loads and stream not in self._bodies:
                    raise ConnectionError(f"call refused: {payload!r}")
                self._bodies.pop(stream, None)
            elif kind == SETTINGS and not flags & ACK:
                self._out.append(_frame(SETTINGS, ACK, 0, b""))
            elif kind == PING and not flags & ACK:
                self._out.append(_frame(PING, ACK, 0, payload))
            elif kind == GOAWAY:
                raise ConnectionError(f"the server says goodbye: {payload!r}")
        del data[:at]
        if self._window < WINDOW_LEFT:
            self._out.append(_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - self._window)))
            self._window = LARGEST_WINDOW

    def _messages(self, stream: int, payload: bytes) -> Generator[tuple[int, bytes], None, None]:
        self._window -= len(payload)
        body = self._bodies.setdefault(stream, bytearray())
        body += payload
        while len(body) >= 5:
            length = int.from_bytes(body[1:5], "big")
            if len(body) < 5 + length:
                return
            message = bytes(body[5 : 5 + length])
            del body[: 5 + length]
            yield stream, message
