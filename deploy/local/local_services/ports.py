"""Ports on the loopback address."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

from local_services.errors import PortTaken

HOST = "127.0.0.1"
# Below what Linux hands to outgoing connections (32768 and up): a port that is kept in a file must not be
# somebody's local end the next time. Well-known services are rarer here than below.
KEPT_PORTS = range(20_000, 30_000)
ATTEMPTS = 200


def is_free(port: int, host: str | None = None) -> bool:
    """Whether a service could listen on `port` of a host, ours if none is named, now."""
    with socket.socket() as listener:
        # As servers do: connections that have ended but linger do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host or HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int, taken: Iterable[int] = ()) -> list[int]:
    """`count` different ports of `KEPT_PORTS`, free now and not in `taken`; PortTaken if there are none."""
    chosen: list[int] = []
    avoid = set(taken)
    for port in random.sample(KEPT_PORTS, ATTEMPTS):
        if len(chosen) == count:
            break
        if port not in avoid and is_free(port):
            chosen.append(port)
    if len(chosen) < count:
        raise PortTaken(
            f"found {len(chosen)} of {count} free ports on {HOST} in {ATTEMPTS} tries between "
            f"{KEPT_PORTS.start} and {KEPT_PORTS.stop - 1}: fix them with KAFKA_PORT, "
            "KAFKA_CONTROLLER_PORT and REDIS_PORT"
        )
    return chosen
