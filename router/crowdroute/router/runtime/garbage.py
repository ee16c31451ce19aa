"""Python's cyclic collector, set for a process that holds a large state and makes few cycles.

The state of a shard is made of long-lived objects. Left as it is, the collector walks through all of them
whenever some tens of thousands of objects were made, and every call pays for it.
"""

from __future__ import annotations

import gc

YOUNG = 20_000
"""New objects after which the young ones are looked through: a few hundred calls' worth."""

MIDDLE = 20
OLD = 100
"""Collections of one generation before the next older one is looked through too."""


def calm_collector() -> None:
    """Leave everything that exists now out of further collections, and collect the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
