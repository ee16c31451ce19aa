"""Ray as a library: an extra, loaded when it is needed, and without what it adds of its own accord."""

from __future__ import annotations

import importlib
import os
from typing import Any

from crowdroute.router.errors import ConfigurationError


def load_ray() -> Any:
    """Give the module `ray`.

    Raises:
        ConfigurationError: it is not installed.
    """
    # A report to Ray's authors, which nobody here agreed to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise ConfigurationError(
            "a cluster needs Ray: install it with `pip install 'crowdroute[cluster]'`"
        ) from None
