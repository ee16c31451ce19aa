"""A metadata request and its reply, byte for byte as Kafka's protocol guide lays them out."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from local_services import kafka_wire
from local_services.kafka_wire import Metadata


def reply(brokers: list[int], cluster_id: str, correlation: int = 7) -> bytes:
    def string(text: str) -> bytes:
        return struct.pack(">h", len(text)) + text.encode()

    body = struct.pack(">iii", correlation, 0, len(brokers))
    for node in brokers:
        body += struct.pack(">i", node) + string("127.0.0.1") + struct.pack(">ih", 9092, -1)
    return body + string(cluster_id) + struct.pack(">ii", brokers[0], 0)


def test_the_request_asks_for_no_topic_and_makes_none() -> None:
    sent = kafka_wire.request()
    (length,) = struct.unpack(">i", sent[:4])
    assert length == len(sent) - 4
    assert struct.unpack(">hhi", sent[4:12]) == (3, 4, 7)
    assert sent[-5:] == b"\0\0\0\0\0"


def test_a_reply_tells_the_cluster_and_its_brokers() -> None:
    assert kafka_wire.parse(reply([1, 3], "abc")) == Metadata("abc", frozenset({1, 3}))


def test_a_reply_to_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not the answer"):
        kafka_wire.parse(reply([1], "abc", correlation=8))


@pytest.mark.parametrize("keep", range(0, 40, 3))
def test_a_reply_that_is_cut_off_is_refused(keep: int) -> None:
    whole = reply([1], "abcdefghijklmnopqrstuv")
    with pytest.raises((ValueError, struct.error)):
        kafka_wire.parse(whole[:keep])


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", struct.pack(">i", 3) + b"abc"])
def test_a_port_where_something_else_answers_is_no_broker(answer: bytes) -> None:
    with socket.create_server((kafka_wire.HOST, 0)) as listener:
        thread = threading.Thread(target=_answer_once, args=(listener, answer))
        thread.start()
        assert kafka_wire.ask(listener.getsockname()[1]) is None
        thread.join()


def test_a_port_where_nothing_listens_is_no_broker() -> None:
    with socket.create_server((kafka_wire.HOST, 0)) as listener:
        port = listener.getsockname()[1]
    assert kafka_wire.ask(port) is None


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(answer)
