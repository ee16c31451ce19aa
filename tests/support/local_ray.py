"""Ray in this process, with nobody else's clusters in sight."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdroute.router.adapters.ray_library import load_ray

LEFT_OPEN = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""Ray's own: sockets and files that it leaves to the garbage collector when it shuts down."""


def forget_token() -> None:
    """Have this process look for its token anew: each Ray has another, and the first one found is kept.

    One that has not loaded Ray yet has none, and must not load it before its variables say that there is one.
    """
    if "ray" not in sys.modules:
        return
    from ray._raylet import AuthenticationTokenLoader

    AuthenticationTokenLoader.instance().reset_cache()


@contextlib.contextmanager
def local_ray(home: Path) -> Iterator[None]:
    """Begin a Ray of one processor that knows `home` as its user's, and end it."""
    sockets = Path("/tmp") / f"crs{os.getpid()}"  # their names must be short
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("RAY_worker_niceness", "0")  # Ray's own 15 leaves a job's niceness no room to be seen
        library = load_ray()
        forget_token()
        library.init(
            address="local",
            num_cpus=1,
            include_dashboard=False,
            object_store_memory=80_000_000,
            log_to_driver=False,
            _temp_dir=str(sockets),
        )
        yield
        library.shutdown()
    shutil.rmtree(sockets)
