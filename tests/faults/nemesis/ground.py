"""What faults are done to, and what a fault is."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.nemesis.proxy import Proxy
from tests.faults.serving import Serving


class Ground(NamedTuple):
    """An engine, and the network before it."""

    engine: Serving
    network: Proxy


class Fault(NamedTuple):
    """One way to break something."""

    kind: str
    """Its name in reports."""
    strike: Callable[[Ground, random.Random], Awaitable[None]]
    """Breaks it, and returns when it is mended; takes its choices from the random numbers."""
