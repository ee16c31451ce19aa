"""What may block where Python cannot interrupt it: told when it takes long, and ended when it takes too long.

Ray's client waits in its compiled part, for minutes and deaf to Ctrl-C. A thread beside it has an eye on the
clock and on signals, which the system itself writes to a socket.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

from crowdroute.router.cli import FAILED, INTERRUPTED

TELL_S = 5.0
"""After so long people are told what is waited for."""

MOST_S = 60.0
"""Longest wait in all: what waits has limits of its own, mostly, which are shorter."""

GRACE_S = 2.0
"""How long an interrupted program has to end by itself."""


@contextlib.contextmanager
def bounded(waiting_for: str) -> Iterator[None]:
    """Have the block told of, and ended with the whole program, when it takes long; for the main thread.

    Args:
        waiting_for: what does not come, and what to look at.
    """
    sys.stderr.flush()
    # Its own copy: the block may send standard error elsewhere.
    told, (ended, beside) = os.dup(sys.stderr.fileno()), socket.socketpair()
    ended.setblocking(False)
    before = signal.set_wakeup_fd(ended.fileno(), warn_on_full_buffer=False)
    watching = threading.Thread(target=_watch, args=(beside, told, waiting_for), daemon=True)
    watching.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        ended.close()
        watching.join()
        beside.close()
        os.close(told)


def _watch(beside: socket.socket, told: int, waiting_for: str) -> None:
    """Wait for the end of the block."""
    for patience in (TELL_S, MOST_S - TELL_S):
        if _is_over(beside, told, patience):
            return
        if patience == TELL_S:
            os.write(told, f"{waiting_for} (waiting up to {MOST_S:.0f} s for it)\n".encode())
    _end(told, waiting_for, "FLEET_UNAVAILABLE", FAILED)


def _is_over(beside: socket.socket, told: int, patience: float) -> bool:
    """Say whether the block ended within so many seconds; whoever is interrupted ends here if it must."""
    beside.settimeout(patience)
    with contextlib.suppress(TimeoutError):
        while signals := beside.recv(16):
            if signal.SIGINT in signals:
                beside.settimeout(GRACE_S)
                with contextlib.suppress(TimeoutError):
                    while beside.recv(16):
                        pass
                    return True
                _end(told, "interrupted", "INTERRUPTED", INTERRUPTED)
        return True
    return False


def _end(told: int, what: str, code: str, status: int) -> NoReturn:
    os.write(told, f"error: {what} [{code}]\n".encode())
    os._exit(status)
