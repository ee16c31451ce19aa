"""Which of the processes on a node this one is: each has the lowest number that no other has."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def lowest_number(among: str) -> Iterator[int]:
    """Have a number of one's own, from 0, while the block runs; the kernel frees it when the process ends.

    It is the name of a socket in the network namespace of the process (abstract sockets of Linux), where the
    ports are too that are chosen by it: nothing is left behind, whatever ends the process.

    Args:
        among: processes that give the same have different numbers.
    """
    name = hashlib.sha256(among.encode()).hexdigest()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as held:
        for number in itertools.count():
            try:
                held.bind(f"\0crowdroute-{name}-{number}")
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                yield number
                return
