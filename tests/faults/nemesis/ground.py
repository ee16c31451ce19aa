"""What faults are done to, and what a fault is."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.nemesis.proxy import Proxy
from tests.faults.serving import Serving
from tests.faults.store import Store


class Ground(NamedTuple):
    """An engine, the network before it, and what is behind it."""

    engine: Serving
    network: Proxy
    store: Store
    """Where its log is."""


class Fault(NamedTuple):
    """One way to break something."""

    kind: str
    """Its name in reports."""
    strike: Callable[[Ground, random.Random], Awaitable[None]]
    """Breaks it, and returns when it is mended; takes its choices from the random numbers."""
