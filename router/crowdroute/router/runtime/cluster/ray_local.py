"""A Ray of one node that belongs to this process, for demonstrations: nobody else's is touched."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.runtime.cluster.ray_actors import NAMESPACE

NODE = "127.0.0.2"
"""Its address: on loopback, so that nothing is reached from outside; Ray would take 127.0.0.1 for a mistake
and listen at an address of this machine's network."""

OBJECT_STORE_BYTES = 80 << 20
"""Ray's least, nearly: nothing of ours goes through it."""

KEPT = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_BACKEND_LOG_LEVEL", "RAY_ADDRESS")
"""Variables that Ray's processes inherit, put back afterwards."""


@contextlib.contextmanager
def local_ray(folder: Path, processors: int) -> Iterator[None]:
    """Run a Ray of one node, and be its client, while the block runs; that prints nothing on standard output.

    Its processes end with this one, whatever ends it: the kernel tells them (`PR_SET_PDEATHSIG`).

    Args:
        folder: where it keeps sockets and logs; short, because sockets have short names.
        processors: that it counts itself to have.

    Raises:
        ConfigurationError: Ray is not installed.
        FleetUnavailable: it does not start.
    """
    before = {name: os.environ.get(name) for name in KEPT}
    os.environ.update(
        RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), RAY_BACKEND_LOG_LEVEL="fatal"
    )
    os.environ.pop("RAY_ADDRESS", None)  # of a cluster that `ray.init` would join in place of starting one
    try:
        ray = load_ray()
        # Ray's threads tell there, at length, of each process that ended: here some are killed on purpose.
        with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
            try:
                ray.init(
                    namespace=NAMESPACE,
                    num_cpus=processors,
                    object_store_memory=OBJECT_STORE_BYTES,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    _temp_dir=str(folder),
                    _node_ip_address=NODE,
                )
            except (RuntimeError, OSError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
                raise FleetUnavailable(f"Ray does not start in {folder}: {error}") from error
            yield
    finally:
        if "ray" in sys.modules:
            load_ray().shutdown()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
