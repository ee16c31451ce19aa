"""Clients of brokers that take connections and answer nothing, as frozen ones do."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crowdroute.router.adapters import kafka_client
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.errors import StorageError

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("requirements")]


@contextmanager
def silent_broker() -> Iterator[KafkaConnection]:
    """Listen, and let the kernel take connections that nobody looks at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield KafkaConnection((f"127.0.0.1:{listener.getsockname()[1]}",))


@pytest.mark.parametrize("kind", ["admin", "consumer", "producer"])
def test_a_client_that_cannot_be_made_leaves_no_thread_and_no_file_behind(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_client, "CONNECT_MS", 200)
    with silent_broker() as connection:
        before = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            with pytest.raises(StorageError, match="does not take this client in"):
                getattr(connection, kind)()
        assert (set(threading.enumerate()), len(os.listdir("/proc/self/fd"))) == before
